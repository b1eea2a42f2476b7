"""`fingerprint.json`: what a training began with, and what has changed each time it was resumed."""

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
    """A file of the data, as it was.

    Args:
        changed: when its contents were last written, ISO 8601, UTC.
    """

    path: str
    size: int
    changed: str


@dataclass(frozen=True)
class SourceEntry:
    """The data of one source, before it was split and scaled.

    Args:
        names: the digest of the names of columns, classes and categories.
        inputs, targets, weights: the digests of their values; empty if they are not compared.
        files: that it was read from, by the option that names each.
    """

    rows: int
    names: str
    inputs: str
    targets: str
    weights: str
    files: Mapping[str, FileEntry]


@dataclass(frozen=True)
class Change:
    """A resumed training has gone on with something else.

    Args:
        epoch: the last one before the change.
        option: its path in the config; of the machine and its libraries, what it is.
        before, after: as they stand in JSON.
        has_effect: whether the config of the run, trained anew, can give other weights for it.
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
    """What a training began with or has gone on with.

    Args:
        options: the config, without data that stands in it.
        sources: the data of each source, by its option.
        parts: the digest of the rows that each part of the data has; empty if it has all of them.
        environment: versions, processor and threads, on which the last bits of the weights depend.
        changes: in the order in which they came.
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
        """Whether the config of the run, trained anew, gives its weights."""
        return not any(change.has_effect for change in self.changes)

    @property
    def comment(self) -> str:
        """Lines of YAML, for the head of the config, about what has changed; empty if nothing has."""
        if not self.changes:
            return ""
        times = counted(len(self.changes), "change")
        told = "" if self.is_repeatable else "; trained anew, this config gives other weights"
        lines = [f"This run was resumed with {times}{told}:", *map(str, self.changes)]
        return "".join(f"# {line}\n" for line in lines)


def difference(option: str, before: Any, after: Any) -> str:
    """`training.epochs: 10, and was 6`."""
    return f"{option}: {_shown(after)}, and was {_shown(before)}"


def _shown(value: Any) -> str:
    """A value as JSON on one line that is printable, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value)
    if isinstance(value, list) and len(text) > _LONGEST:
        return f"a list of {len(value)}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
