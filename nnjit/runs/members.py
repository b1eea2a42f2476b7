"""`members.safetensors`: the results of all members of a study, in one file.

The members' arrays are stacked along the first axis. After a crash either the old or the new file is intact,
and a resumed study continues from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from nnjit.runs.data import DataEntry
from nnjit.runs.decoding import build
from nnjit.runs.file_names import MEMBERS
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.reading import damaged
from nnjit.runs.study_kind import StudyKind
from nnjit.runs.weights import read_tensors, tensors_bytes
from nnjit.runs.writing import json_text

STATE, HISTORY = "state.", "history"  # name prefixes of arrays other than weights


@dataclass(frozen=True)
class MemberRecord:
    """A member that has begun.

    Args:
        number: from 1.
        facts: plain data of the state to resume from.
        metrics: None until it has ended.
        data: its data; None if shared by the study.
    """

    number: int
    seed: int
    facts: Mapping[str, Any]
    metrics: RunMetrics | None = None
    data: DataEntry | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as plain data."""
        content: dict[str, Any] = {"number": self.number, "seed": self.seed, "facts": self.facts}
        content |= {} if self.metrics is None else {"metrics": self.metrics.to_json()}
        return content | ({} if self.data is None else {"data": self.data.to_json()})


@dataclass(frozen=True, eq=False)
class MemberEntry:
    """A member with its arrays.

    Args:
        history: columns by name, (epochs,) each.
        weights: the weights that its metrics are for, by name.
        state: arrays of the state to resume from, by name.
    """

    record: MemberRecord
    history: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    state: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class _Content:
    """The metadata of the file."""

    ABSENT: ClassVar[Mapping[str, Any]] = {"members": ()}

    kind: StudyKind
    columns: tuple[str, ...]
    members: tuple[MemberRecord, ...]


def members_bytes(kind: StudyKind, entries: Sequence[MemberEntry]) -> bytes:
    """Encode the members, in order, as a file."""
    columns = list(dict.fromkeys(name for entry in entries for name in entry.history))
    lengths = [len(entry.history[columns[0]]) if columns else 0 for entry in entries]
    history, end = np.empty((sum(lengths), len(columns))), 0
    for entry, rows in zip(entries, lengths, strict=True):
        end += rows
        if columns:
            table = [entry.history.get(name, np.full(rows, np.nan)) for name in columns]
            np.stack(table, axis=1, out=history[end - rows : end])
    arrays: dict[str, np.ndarray] = {HISTORY: history, f"{HISTORY}.rows": np.array(lengths, np.int64)}
    for prefix, parts in (("", [e.weights for e in entries]), (STATE, [e.state for e in entries])):
        for name in parts[0] if parts else ():
            arrays[prefix + name] = np.stack([part[name] for part in parts])
    records = [entry.record.to_json() for entry in entries]
    content = {"kind": kind, "columns": columns, "members": records}
    return tensors_bytes(arrays, "members", json_text(content))


def has_members(folder: Path) -> bool:
    """Whether the members of a study are in one file."""
    return (folder / MEMBERS).is_file()


def read_members(folder: Path) -> tuple[StudyKind, tuple[MemberEntry, ...]]:
    """The members of a study, in order.

    Raises:
        RunError: the file is damaged.
    """
    path = folder / MEMBERS
    try:
        arrays, metadata = read_tensors(path)
        content = build(_Content, json.loads(metadata.get("members", "")))
        return content.kind, tuple(_entries(content, arrays))
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        raise damaged(path, f"not the members of a study ({error})") from None


def _entries(content: _Content, arrays: Mapping[str, np.ndarray]) -> Sequence[MemberEntry]:
    table, rows = arrays[HISTORY], arrays[f"{HISTORY}.rows"]
    if table.shape != (rows.sum(), len(content.columns)) or len(rows) != len(content.members):
        raise ValueError("its histories do not fit its members")
    others = {name: array for name, array in arrays.items() if not name.startswith(HISTORY)}
    if any(len(array) != len(rows) for array in others.values()):
        raise ValueError("an array does not fit its members")
    ends, made = np.cumsum(rows), []
    for k, record in enumerate(content.members):
        part = table[ends[k] - rows[k] : ends[k]]
        made.append(
            MemberEntry(
                record,
                {name: np.ascontiguousarray(part[:, j]) for j, name in enumerate(content.columns)},
                {name: array[k] for name, array in others.items() if not name.startswith(STATE)},
                {n.removeprefix(STATE): a[k] for n, a in others.items() if n.startswith(STATE)},
            )
        )
    return made
