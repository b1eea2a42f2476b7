"""Train one trial of a search, in memory: its replicas or folds one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nnjit.config import Config, dump
from nnjit.errors import Diverged, UserError
from nnjit.experiment import Experiment
from nnjit.progress.follower import Audience, Follower
from nnjit.progress.values import Columns
from nnjit.runs.search import TrialStatus
from nnjit.training import members_of, train_in_memory

Report = Callable[[int, float], bool]
"""Takes an epoch and the metric after it, and says whether to go on."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended; its fields are those of `runs.search.Trial`."""

    status: TrialStatus
    value: float
    epochs: int
    seconds: float
    curve: tuple[tuple[int, float], ...]
    message: str = ""


def run_trial(make: Callable[[], Config], *, metric: str, replicas: int, report: Report) -> Outcome:
    """Train a trial to its end, or until it is pruned.

    Args:
        make: makes the config of the trial, whose options may not fit together.
        metric: the column of the history whose value counts.
        replicas: trainings, with seeds that follow each other; of folds, each is trained once.
        report: of the first training, which draws the curve and may be pruned.
    """
    began, follower = time.perf_counter(), _Curve(metric, report)
    values: list[float] = []
    epochs, message = 0, ""
    try:
        for index, member in enumerate(_members(make().experiment, replicas)):
            value, lasted = _train(member, metric, follower if index == 0 else Follower())
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


def _train(experiment: Experiment, metric: str, follower: Follower) -> tuple[float, int]:
    """The metric of the weights that a training keeps, and how many epochs it took."""
    run = train_in_memory(experiment, dump, audience=Audience(make=lambda: (follower,)))
    split, _, name = metric.partition("_")
    metrics: Mapping[str, Any] = run.metrics
    value = metrics["splits"][split][name]
    return (math.nan if value is None else value), metrics["epochs"]


class _Curve(Follower):
    """Follows the metric of a training, and stops it if it is not to go on."""

    def __init__(self, metric: str, report: Report) -> None:
        self._metric, self._report = metric, report
        self.curve: list[tuple[int, float]] = []

    def follow(self, columns: Columns) -> None:
        values = columns[self._metric]
        rows = zip(columns["epoch"].tolist(), values.tolist(), strict=True)
        new = [(int(epoch), value) for epoch, value in rows if math.isfinite(value)]
        self.curve += new
        self.stops = not all(self._report(*point) for point in new[-1:])
