"""Choose the history columns that decide which epoch is best and whether the goal is reached."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from nnjit.errors import ConfigError, did_you_mean
from nnjit.experiment.options import Goal, TrainingOptions
from nnjit.nn import metrics
from nnjit.optim import Schedule
from nnjit.optim.schedules.plateau import ReduceOnPlateau
from nnjit.training.graphs.task import Task
from nnjit.training.setup.error_paths import within
from nnjit.training.setup.state import State

Mode = Literal["min", "max"]
Modes = Mapping[str, Mode]

KERAS = "val_"  # Keras's prefix of validation columns
MOST_LISTED = 30  # columns in a message
MODES: Mapping[str, Mode] = {"lower": "min", "higher": "max"}


@dataclass(frozen=True)
class Monitor:
    """The history column that decides which epoch is best.

    Args:
        mode: whether the lowest or the highest value is best.
        min_delta: by how much a value has to be better.
    """

    column: str
    mode: Mode
    min_delta: float = 0.0

    def __str__(self) -> str:
        return f"{'lowest' if self.mode == 'min' else 'highest'} {self.column}"

    def is_lowest(self, column: str) -> bool:
        """Whether the best epoch is the one with the lowest value of this column."""
        return (self.column, self.mode) == (column, "min")

    def as_loss(self, value: float) -> float:
        """The value, negated if higher is better."""
        return value if self.mode == "min" else -value

    def keep_best(self, state: State, value: float, theta: np.ndarray) -> State:
        """Return the state after an epoch with this value; if that is the best so far, it keeps `theta`."""
        loss = self.as_loss(value)
        margin = self.min_delta if math.isfinite(state.best_loss) else 0.0
        if not loss < state.best_loss - margin:  # nan is never better
            return state
        np.copyto(state.best_theta, theta)
        return replace(state, best_loss=loss, best_epoch=state.epoch)


@dataclass(frozen=True)
class Threshold:
    """The value of a column at which training stops."""

    column: str
    mode: Mode
    value: float

    def is_reached(self, value: float) -> bool:
        """Whether the value of an epoch is good enough; nan never is."""
        return value >= self.value if self.mode == "max" else value <= self.value


class Followed(NamedTuple):
    """The rules that follow columns of the history.

    Args:
        monitor: decides which epoch is best; None if none is kept.
        goal: ends training once it is reached; None without a goal.
        plateau: the column for `reduce_on_plateau`.
    """

    monitor: Monitor | None
    goal: Threshold | None
    plateau: Monitor

    @property
    def columns(self) -> set[str]:
        """The followed columns of the history."""
        return {f.column for f in self if f is not None}

    @property
    def needs_train(self) -> bool:
        """Whether training values decide which weights count, so they must be measured with these weights."""
        deciding = (self.monitor, self.goal)
        return any(f is not None and f.column.startswith("train_") for f in deciding)


def followed_by(
    training: TrainingOptions, schedule: Schedule, task: Task, *, has_validation: bool
) -> Followed:
    """The rules of a training with these options.

    Raises:
        ConfigError: there is no such column.
    """
    modes = modes_of(task, has_validation=has_validation)
    with within("training"):
        monitor, goal = monitor_of(training, modes), threshold_of(training.target, modes)
    with within("schedule"):
        return Followed(monitor, goal, plateau_of(schedule, modes))


def modes_of(task: Task, *, has_validation: bool) -> Modes:
    """The columns of the history that can judge an epoch, and whether lower or higher is better."""
    modes: dict[str, Mode] = {"loss": "min"}
    modes |= {m.column: MODES[m.better] for m in task.metrics}
    splits = ("train", "validation") if has_validation else ("train",)
    return {f"{split}_{name}": mode for split in splits for name, mode in modes.items()}


def monitor_of(training: TrainingOptions, modes: Modes) -> Monitor | None:
    """The monitor that decides which epoch is best; None if the last one counts.

    Raises:
        ConfigError: there is no such column.
    """
    default, early = _default(modes), training.early_stopping
    if early is None:
        is_kept = training.keep == "best" or default == "validation_loss"
        return Monitor(default, "min") if is_kept else None
    column = default if early.monitor is None else early.monitor
    best = _mode(column, modes, ("early_stopping", "monitor"))
    mode = best if early.mode == "auto" else early.mode
    return Monitor(column, mode, early.min_delta)


def threshold_of(goal: Goal | None, modes: Modes) -> Threshold | None:
    """The threshold that ends training; None without a goal.

    Raises:
        ConfigError: there is no such column.
    """
    if goal is None:
        return None
    return Threshold(goal.metric, _mode(goal.metric, modes, ("target", "metric")), goal.value)


def plateau_of(schedule: Schedule, modes: Modes) -> Monitor:
    """The monitor that `reduce_on_plateau` follows, or would follow with any other schedule.

    Raises:
        ConfigError: there is no such column.
    """
    chosen = schedule.monitor if isinstance(schedule, ReduceOnPlateau) else None
    column = _default(modes) if chosen is None else chosen
    return Monitor(column, _mode(column, modes, ("monitor",)))


def _default(modes: Modes) -> str:
    """The loss that decides unless the config names another column."""
    return "validation_loss" if "validation_loss" in modes else "train_loss"


def _mode(column: str, modes: Modes, path: tuple[str, ...]) -> Mode:
    if column in modes:
        return modes[column]
    meant = f"validation_{column.removeprefix(KERAS)}" if column.startswith(KERAS) else column
    if meant.startswith("validation_") and "validation_loss" not in modes:
        problem = f'"{column}" needs a validation part, and the data has none; set data.split.validation'
        raise ConfigError(f"{problem}, or use one of {_listed(modes)}", path)
    raise ConfigError(f'the history has no column "{column}"; {_mend(meant, column, modes)}', path)


def _mend(meant: str, column: str, modes: Modes) -> str:
    """Suggest what to write or add, and list the columns."""
    split, _, metric = meant.partition("_")
    if meant != column and meant in modes:
        return f'write "{meant}"'
    of_targets = [name for name in modes if name.startswith(f"{split}_") and name.endswith(f"_{metric}")]
    if of_targets and metric:
        return f"each target or output has its own: {', '.join(of_targets)}"
    named = next((name for name in metrics if metric == name or metric.startswith(f"{name}_")), None)
    if named is not None:
        return f"add {named} to the metrics, or use one of {_listed(modes)}"
    near = did_you_mean(meant, modes).removeprefix("; ")
    return f"{'' if near.startswith('valid: ') else f'{near} '}valid: {_listed(modes)}"


def _listed(modes: Modes) -> str:
    more = len(modes) - MOST_LISTED
    return ", ".join([*modes][:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
