"""Train a trial of a search in memory: its replicas or folds, one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnjit.cluster.engine import Tell
from nnjit.config import dump
from nnjit.data import Readings
from nnjit.errors import Diverged, UserError
from nnjit.experiment import Experiment
from nnjit.progress.follower import Audience, Course, Follower
from nnjit.progress.values import Columns
from nnjit.runs.search import TrialStatus
from nnjit.searching.space import Options, Space
from nnjit.training import members_of, train_in_memory

TELL_SECONDS = 0.5  # between checks whether to continue, if there is nothing to report


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, with the fields of `runs.search.Trial`."""

    status: TrialStatus
    value: float
    epochs: int
    seconds: float
    curve: tuple[tuple[int, float], ...]
    message: str = ""

    @classmethod
    def failed(cls, message: str, seconds: float) -> Outcome:
        """The outcome of a trial whose training is lost."""
        return cls(TrialStatus.FAILED, math.nan, 0, seconds, (), message)


@dataclass(frozen=True)
class Job:
    """The shared part of a search's trials. It is pickled with all data read so far.

    Args:
        metric: the column of the history to compare.
        replicas: the number of trainings, with consecutive seeds; folds are trained once each.
        is_pruned: whether to report each value of the metric.
        folder: where relative paths in the config start.
    """

    space: Space
    metric: str
    replicas: int
    is_pruned: bool
    folder: Path

    def __reduce__(self) -> tuple[Callable[..., Job], tuple[Any, ...]]:
        kept, given = self.space.readings.kept, self.space.given.experiment.data.data_from_python
        return _unpickled, (self.space, given, kept, self.metric, self.replicas, self.is_pruned, self.folder)


def _unpickled(space: Space, given: Any, kept: dict[str, Any], *rest: Any) -> Job:
    """Restore a job with its data; configs are pickled without."""
    config = space.given if given is None else space.given.with_data(given)
    return Job(replace(space, given=config, readings=Readings(kept)), *rest)


def run_trial(job: Job, options: Options, tell: Tell) -> Outcome:
    """Train a trial to its end, or until it is pruned.

    Args:
        options: the trial's options, which may not fit together.
        tell: takes an epoch of the first training and the metric after it.
    """
    began, follower = time.perf_counter(), _Curve(job, tell)
    values: list[float] = []
    epochs, message = 0, ""
    try:
        for member in _members(job.space.config(options).experiment, job.replicas):
            value, lasted = _train(member, job, follower)
            epochs = max(epochs, lasted)
            if follower.stops:
                break
            values.append(value)
        status = TrialStatus.PRUNED if follower.stops else TrialStatus.COMPLETED
    except Diverged:
        status = TrialStatus.DIVERGED
    except UserError as error:
        status, message = TrialStatus.FAILED, str(error)
    mean = math.fsum(values) / len(values) if status is TrialStatus.COMPLETED else math.nan
    if status is TrialStatus.COMPLETED and not math.isfinite(mean):
        status = TrialStatus.DIVERGED
    return Outcome(status, mean, epochs, time.perf_counter() - began, tuple(follower.curve), message)


def _members(experiment: Experiment, replicas: int) -> tuple[Experiment, ...]:
    """The trainings of a trial."""
    if replicas > 1 and experiment.training.folds is None:
        training = experiment.training.model_copy(update={"replicas": replicas})
        experiment = experiment.model_copy(update={"training": training})
    members = members_of(experiment)
    return (experiment,) if members is None else members.experiments


def _train(experiment: Experiment, job: Job, follower: Follower) -> tuple[float, int]:
    """Train once; return the metric of the kept weights, and the number of epochs."""
    audience = Audience(make=lambda: (follower,))
    run = train_in_memory(experiment, dump, folder=job.folder, audience=audience)
    split, _, name = job.metric.partition("_")
    metrics: Mapping[str, Any] = run.metrics
    value = metrics["splits"][split][name]
    return (math.nan if value is None else value), metrics["epochs"]


class _Curve(Follower):
    """Follows the trainings of a trial, records the curve of the first, and stops them if told to."""

    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._trainings, self._told = 0, time.monotonic()
        self.curve: list[tuple[int, float]] = []

    def begin(self, course: Course) -> None:
        self._trainings += 1

    def follow(self, columns: Columns) -> None:
        values = columns[self._job.metric]
        rows = zip(columns["epoch"].tolist(), values.tolist(), strict=True)
        new = [(int(epoch), value) for epoch, value in rows if math.isfinite(value)]
        last = new[-1] if new and self._trainings == 1 else None
        if self._trainings == 1:
            self.curve += new
        if (last is not None and self._job.is_pruned) or time.monotonic() - self._told > TELL_SECONDS:
            self.stops = not self._tell(last)
            self._told = time.monotonic()
