"""Read the files of a study once, for its pictures and page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nnjit.report.files import RunFiles, as_run_files, read_run
from nnjit.report.formatting import is_loss
from nnjit.runs import file_names
from nnjit.runs.aggregate import Result, aggregate
from nnjit.runs.data import DataEntry
from nnjit.runs.environment import Environment
from nnjit.runs.lock import is_locked
from nnjit.runs.members import has_members, read_members
from nnjit.runs.metrics import SPLITS
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, read_text
from nnjit.runs.status import Status
from nnjit.runs.study import Aggregate, StudyMetrics
from nnjit.runs.study_kind import StudyKind, member_word


@dataclass(frozen=True)
class Member:
    """One run of a study, with its number and seed."""

    number: int
    seed: int
    run: RunFiles

    @property
    def is_finished(self) -> bool:
        """Whether it ended on its own with finite values."""
        return self.run.metrics.status.is_finished


@dataclass(frozen=True)
class StudyFiles:
    """All files of a study's folder.

    Args:
        members: those that were started, in order.
        is_running: whether a process is training in the folder now.
    """

    folder: Path
    config: str
    environment: Environment
    metrics: StudyMetrics
    members: tuple[Member, ...]
    is_running: bool = False

    @property
    def word(self) -> str:
        """The word for one member."""
        return member_word(self.metrics.kind)

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.members[0].run.name if self.members else self.folder.resolve().name

    @property
    def splits(self) -> Mapping[str, Mapping[str, Aggregate]]:
        """The aggregate of each value, by part of the data and name."""
        return self.metrics.splits

    @cached_property
    def finished(self) -> tuple[Member, ...]:
        """The members that the aggregates include."""
        return tuple(member for member in self.members if member.is_finished)

    @property
    def diverged(self) -> tuple[Member, ...]:
        """The members with a value that is not finite."""
        return tuple(m for m in self.members if m.run.metrics.status is Status.DIVERGED)

    @property
    def headline_split(self) -> str:
        """The part of the data that says most about new data; for folds, the part that each held out."""
        if self.metrics.kind == "folds" and "validation" in self.splits:
            return "validation"
        return next((s for s in reversed(SPLITS) if s in self.splits), "train")

    @property
    def headline_column(self) -> str:
        """The headline value of the report: the first metric that is not an output's loss, else the loss."""
        columns = self.splits.get(self.headline_split, {})
        return next((column for column in columns if not is_loss(column)), "loss")

    def values(self, split: str, column: str) -> np.ndarray:
        """A final value of each finished member, in order."""
        found = [m.run.metrics.splits[split] for m in self.finished]
        return np.array([v.loss if column == "loss" else v.metrics[column] for v in found])


def read_study(folder: Path) -> StudyFiles:
    """Read the files of a study; RunError if one is missing or malformed.

    If the study was killed, its members are those that have a folder.
    """
    config, environment = read_text(folder / file_names.CONFIG), Environment.read(folder)
    metrics = StudyMetrics.read(folder)
    if has_members(folder):
        return _of_table(folder, config, environment, metrics)
    members = [_member(folder, metrics.kind, m.number, m.seed) for m in metrics.members]
    _check_means(folder, metrics, members)
    known = {m.number for m in metrics.members}
    begun = [k for k in range(1, metrics.count + 1) if k not in known and _is_begun(folder, metrics.kind, k)]
    if begun:
        members += [_member(folder, metrics.kind, k) for k in begun]
        members.sort(key=lambda member: member.number)
        results = [Result(m.number, m.seed, m.run.metrics) for m in members]
        metrics = aggregate(metrics.kind, metrics.count, results)
    return StudyFiles(folder, config, environment, metrics, tuple(members), is_locked(folder))


def _of_table(folder: Path, config: str, environment: Environment, metrics: StudyMetrics) -> StudyFiles:
    """Read a study whose members are in one table; if it was killed, those that the table has."""
    data, model = DataEntry.read(folder), ModelEntry.read(folder)
    members = []
    for entry in read_members(folder)[1]:
        record = entry.record
        run = as_run_files(
            folder, config, environment, entry.history, record.metrics, model, record.data or data
        )
        members.append(Member(record.number, record.seed, run))
    _check_means(folder, metrics, members)
    if {m.number for m in metrics.members} != {m.number for m in members}:
        results = [Result(m.number, m.seed, m.run.metrics) for m in members]
        metrics = aggregate(metrics.kind, metrics.count, results)
    return StudyFiles(folder, config, environment, metrics, tuple(members), is_locked(folder))


def _check_means(folder: Path, metrics: StudyMetrics, members: Sequence[Member]) -> None:
    """Raise a RunError if a study's means are for other values than its members have."""
    means = {split: values.keys() - {"loss"} for split, values in metrics.splits.items()}
    for member in members:
        found = {split: values.metrics.keys() for split, values in member.run.metrics.splits.items()}
        if member.is_finished and (found != means or any("loss" not in v for v in metrics.splits.values())):
            problem = f"its means are not for the values of {member.run.folder}"
            raise damaged(folder / file_names.METRICS, problem)


def _is_begun(folder: Path, kind: StudyKind, number: int) -> bool:
    return (folder / kind / file_names.member(number) / file_names.CONFIG).is_file()


def _member(folder: Path, kind: StudyKind, number: int, seed: int | None = None) -> Member:
    """Read a member; without a given seed, its config has the seed."""
    run = read_run(folder / kind / file_names.member(number))
    found = re.search(r"^seed: *(\d+)", run.config, re.MULTILINE)
    return Member(number, int(found[1]) if seed is None and found else seed or 0, run)
