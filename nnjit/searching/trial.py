"""Train one trial of a search: its replicas one after the other, or the folds that its config asks for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnjit.config import Config
from nnjit.errors import Diverged, UserError
from nnjit.registry import SEEDS
from nnjit.runs.search import TrialStatus

Report = Callable[[int, float], bool]
"""Takes an epoch and the metric after it, and says whether to go on."""


@dataclass
class Progress:
    """What a trial has reached so far; its first training draws the curve and may be pruned."""

    metric: str
    report: Report
    curve: list[tuple[int, float]] = field(default_factory=list)
    is_pruned: bool = False


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
        replicas: trainings, with seeds that follow each other.
    """
    began = time.perf_counter()
    progress, values, epochs = Progress(metric, report), [], 0
    try:
        given = make()
        for index in range(replicas):
            value, lasted = _train(_replica(given, index), progress, is_first=index == 0)
            epochs = max(epochs, lasted)
            if progress.is_pruned:
                break
            values.append(value)
    except Diverged:
        status, value, message = TrialStatus.DIVERGED, math.nan, ""
    except UserError as error:
        status, value, message = TrialStatus.FAILED, math.nan, str(error)
    else:
        status = TrialStatus.PRUNED if progress.is_pruned else TrialStatus.COMPLETED
        value, message = math.nan if progress.is_pruned else math.fsum(values) / len(values), ""
    if status is TrialStatus.COMPLETED and not math.isfinite(value):
        status, value = TrialStatus.DIVERGED, math.nan
    seconds = time.perf_counter() - began
    return Outcome(status, value, epochs, seconds, tuple(progress.curve), message)


def _replica(given: Config, index: int) -> Config:
    """The config with another seed for all but the data and their split."""
    if index == 0:
        return given
    experiment = given.experiment
    split = experiment.data.split
    seeded = split.model_copy(update={"seed": experiment.seed if split.seed is None else split.seed})
    data = experiment.data.seeded(experiment.seed).model_copy(update={"split": seeded})
    update = {"data": data, "seed": (experiment.seed + index) % SEEDS}
    return Config(experiment.model_copy(update=update), given.document)


def _train(given: Config, progress: Progress, *, is_first: bool) -> tuple[float, int]:
    """The metric of the weights that a training keeps, and its epochs."""
    from nnjit import api

    def follow(epoch: Any) -> None:
        value = epoch.values.get(progress.metric, math.nan)
        if not math.isfinite(value):
            return
        progress.curve.append((epoch.number, value))
        if not progress.report(epoch.number, value):
            progress.is_pruned = True
            epoch.stop()

    run = api.run(given, output=False, on_epoch=follow if is_first else None)
    split, _, name = progress.metric.partition("_")
    return _value(run.metrics, split, name)


def _value(metrics: Mapping[str, Any], split: str, name: str) -> tuple[float, int]:
    """A metric of a run, or its mean over the members of a study; and the epochs."""
    if "runs" in metrics:
        mean = metrics["splits"][split][name]["mean"]
        return (math.nan if mean is None else mean), max(run["epochs"] for run in metrics["runs"])
    value = metrics["splits"][split][name]
    return (math.nan if value is None else value), metrics["epochs"]
