"""`fingerprint.json`: the inputs that a run began with, and what has changed each time it was resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nnjit.errors import counted
from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile

_LONGEST = 60  # characters of a value in a sentence


@dataclass(frozen=True)
class FileEntry:
    """A data file, as it was.

    Args:
        changed: when it was last modified, ISO 8601, UTC.
    """

    path: str
    size: int
    changed: str


@dataclass(frozen=True)
class SourceEntry:
    """The data of one source, before it was split and scaled.

    Args:
        names: digest of the column, class and category names.
        inputs, targets, weights: digests of their values; empty if not compared.
        files: the files it was read from, by option.
    """

    rows: int
    names: str
    inputs: str
    targets: str
    weights: str
    files: Mapping[str, FileEntry]


@dataclass(frozen=True)
class Change:
    """A change in the inputs of a resumed run.

    Args:
        epoch: the last epoch before the change.
        option: its path in the config, or the name of a property of the machine or its libraries.
        before, after: the values in JSON.
        has_effect: whether training the run's config again can now give other weights.
    """

    epoch: int
    option: str
    before: Any
    after: Any
    has_effect: bool

    def __str__(self) -> str:
        return f"after epoch {self.epoch}: {difference(self.option, self.before, self.after)}"


@dataclass(frozen=True)
class Fingerprint(JsonFile):
    """The inputs that a run began with or was resumed with.

    Args:
        options: the config, without inline data.
        sources: the data of each source, by its option.
        parts: digest of the rows in each part of the data; empty if it has all of them.
        environment: versions, processor and threads, which affect the last bits of the weights.
        changes: in chronological order.
    """

    file_name: ClassVar[str] = file_names.FINGERPRINT

    options: Mapping[str, Any]
    sources: Mapping[str, SourceEntry]
    parts: Mapping[str, str]
    environment: Mapping[str, Any]
    changes: tuple[Change, ...] = ()

    def to_json(self) -> dict[str, Any]:
        sources = {
            name: vars(source) | {"files": {option: vars(file) for option, file in source.files.items()}}
            for name, source in self.sources.items()
        }
        return vars(self) | {"sources": sources, "changes": [vars(change) for change in self.changes]}

    @property
    def is_repeatable(self) -> bool:
        """Whether training the run's config again gives its weights."""
        return not any(change.has_effect for change in self.changes)

    @property
    def comment(self) -> str:
        """YAML comment lines about the changes, for the head of the config; empty if there are none."""
        if not self.changes:
            return ""
        times = counted(len(self.changes), "change")
        told = "" if self.is_repeatable else "; training this config again gives other weights"
        lines = [f"This run was resumed with {times}{told}:", *map(str, self.changes)]
        return "".join(f"# {line}\n" for line in lines)


def difference(option: str, before: Any, after: Any) -> str:
    """`training.epochs: 10, was 6`."""
    return f"{option}: {_shown(after)}, was {_shown(before)}"


def _shown(value: Any) -> str:
    """A value as printable JSON on one line, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value)
    if isinstance(value, list) and len(text) > _LONGEST:
        return f"a list of {len(value)}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
