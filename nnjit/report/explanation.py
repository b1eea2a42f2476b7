"""`explanation.json`: what the network computes, as formulas, and the kernels that it became."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nnjit.report.formatting import count

TAGS = ("var", "sup", "sub")  # the kinds of runs that are elements of HTML; other text stands as it is
LONG = 30  # lines from which a section is folded

Runs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LineEntry:
    """left = right, of a shape; each side is a run after the other of (tag, text)."""

    left: Runs
    right: Runs
    shape: str
    note: str

    @property
    def is_words(self) -> bool:
        """Whether its right side is plain text, which may go on in the next row of the page."""
        return [kind for kind, _ in self.right] == [""]


@dataclass(frozen=True)
class SectionEntry:
    """Lines under a title."""

    title: str
    lines: tuple[LineEntry, ...]

    @property
    def is_long(self) -> bool:
        return len(self.lines) > LONG


@dataclass(frozen=True)
class KernelEntry:
    """A kernel of the training step, and what it computes."""

    name: str
    zone: str
    what: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class ExplanationEntry:
    """The whole file.

    Args:
        settings: the options of the optimizer, by name.
        graph: the forward pass as text.
    """

    sections: tuple[SectionEntry, ...]
    equations: tuple[str, ...]
    note: str
    settings: tuple[tuple[str, str], ...]
    graph: str
    kernels: tuple[KernelEntry, ...]


def as_explanation(content: dict[str, Any]) -> ExplanationEntry:
    """The file's content; KeyError where an entry is missing."""
    update = content["update"]
    return ExplanationEntry(
        sections=tuple(_section(section) for section in content["sections"]),
        equations=tuple(update["equations"]),
        note=update["note"],
        settings=tuple((name, value) for name, value in update["settings"]),
        graph=content["graph"],
        kernels=tuple(_kernel(kernel) for kernel in content["kernels"]),
    )


def _section(content: dict[str, Any]) -> SectionEntry:
    return SectionEntry(content["title"], tuple(_line(line) for line in content["lines"]))


def _line(content: dict[str, Any]) -> LineEntry:
    return LineEntry(
        _runs(content["left"]), _runs(content["right"]), content["shape"], content.get("note") or ""
    )


def _runs(content: Iterable[tuple[str, str]]) -> Runs:
    return tuple((tag if tag in TAGS else "", text) for tag, text in content)


def _kernel(content: dict[str, Any]) -> KernelEntry:
    what = content["product"] or count(content["operations"], "operation")
    return KernelEntry(content["name"], content["zone"], what, tuple(content["parts"]))
