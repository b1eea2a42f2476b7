"""Train the members of a study on the workers of a cluster, and keep their results in the table here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.cluster.engine import Engine, Lost, Tell
from nnjit.data import Readings
from nnjit.errors import RunError
from nnjit.experiment import Experiment
from nnjit.runs.aggregate import Result
from nnjit.runs.members import MemberEntry
from nnjit.training.loop.callbacks import Callbacks
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import set_up
from nnjit.training.setup.threads import one_blas_thread
from nnjit.training.study.members import Members, members_of
from nnjit.training.study.table import MembersTable
from nnjit.training.study.trainers import TableTrainer

TELL_SECONDS = 0.5  # between reports of a member


@dataclass(frozen=True, eq=False)
class StudyJob:
    """The shared part of a study's members. It is pickled with all data read so far.

    Args:
        experiment: the study's experiment, which keeps its data in `readings`.
        folder: where relative paths in it start.
    """

    experiment: Experiment
    readings: Readings
    folder: Path
    lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def trainer(self) -> TableTrainer:
        """The trainer of the members in this process, which sets them up one at a time."""
        members = members_of(self.experiment)
        assert members is not None  # it is a study
        first = set_up(members.experiments[0], self.folder)
        return TableTrainer(members, first, self.folder, None, MembersTable(members.kind))

    def __reduce__(self) -> tuple[Callable[..., StudyJob], tuple[Any, ...]]:
        given = self.experiment.data.data_from_python
        return _unpickled, (self.experiment, given, self.readings.kept, self.folder)


def _unpickled(experiment: Experiment, given: Any, kept: dict[str, Any], folder: Path) -> StudyJob:
    """Restore a job with its data; experiments are pickled without."""
    readings = Readings(kept)
    if given is not None:
        experiment = experiment.model_copy(update={"data": experiment.data.with_data(given)})
    return StudyJob(experiment.keeping(readings), readings, folder)


def train_member(job: StudyJob, index: int, entry: MemberEntry | None, tell: Tell) -> MemberEntry:
    """Train a member to its end, or until `tell` returns False.

    Args:
        entry: its results so far; None if it was never started.
        tell: takes the number of finished epochs and the values of the latest.
    """
    with job.lock:
        trainer = job.trainer
    is_stopped, told = False, time.monotonic()

    def show(epochs: int, columns: Columns) -> None:
        nonlocal is_stopped, told
        if time.monotonic() - told > TELL_SECONDS:
            is_stopped = not tell((epochs, {name: float(values[-1]) for name, values in columns.items()}))
            told = time.monotonic()

    trainer.table.entries.pop(index + 1, None)  # of a study with the same data, trained here before
    if entry is not None:
        trainer.table.entries[index + 1] = entry
    with one_blas_thread():
        trainer.train(index, Callbacks(lambda: is_stopped, show, member=index + 1))
    return trainer.table.entries.pop(index + 1)


@dataclass(frozen=True)
class ClusterTrainer(TableTrainer):
    """Lets an engine train the members.

    Args:
        engine: the study's engine.
    """

    engine: Engine[StudyJob]

    def train(self, index: int, callbacks: Callbacks) -> Result | None:
        if callbacks.is_stopped():
            return None

        def tell(progress: tuple[int, Mapping[str, float]] | None) -> bool:
            if progress is not None:
                epochs, values = progress
                callbacks.show(epochs, {name: np.array([value]) for name, value in values.items()})
            return not callbacks.is_stopped()

        try:
            entry = self.engine.call(train_member, index, self.table.entries.get(index + 1), tell=tell)
        except Lost as lost:
            if callbacks.is_stopped():
                return None
            raise RunError(f"member {index + 1} could not be trained: {lost}") from None
        self.table.put(entry, is_last=True)
        assert entry.record.metrics is not None  # it ended or was interrupted
        return Result(index + 1, entry.record.seed, entry.record.metrics)


def check_elsewhere(members: Members, *, is_table: bool) -> None:
    """Raise a RunError if members need files other than the table, which a cluster cannot write."""
    if not is_table:
        raise RunError(
            f"a cluster only trains {members.kind} that fit one table; those with checkpoints, trackers, "
            "a diagnosis, a searched learning rate or members: folders run on this machine; omit engine"
        )
