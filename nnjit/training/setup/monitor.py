"""The figures of the history that decide: which epoch is the best, and whether the aim is reached."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit.errors import ConfigError, did_you_mean
from nnjit.experiment.options import EarlyStopping, Goal
from nnjit.nn import metrics
from nnjit.optim import Schedule
from nnjit.optim.schedules import ReduceOnPlateau
from nnjit.training.graphs.step import Task
from nnjit.training.setup.state import State

Mode = Literal["min", "max"]
Modes = Mapping[str, Mode]

KERAS = "val_"  # how a figure of the validation part begins there
MODES: Mapping[str, Mode] = {"lower": "min", "higher": "max"}


@dataclass(frozen=True)
class Monitor:
    """The column of the history that says which epoch is the best.

    Args:
        mode: whether its lowest or its highest figure is the best.
        min_delta: what a figure must be better by.
        is_native: whether native code decides; else Python does, after each epoch.
    """

    column: str
    mode: Mode
    min_delta: float = 0.0
    is_native: bool = True

    def __str__(self) -> str:
        return f"{'lowest' if self.mode == 'min' else 'highest'} {self.column}"

    def height(self, figure: float) -> float:
        """A figure of which less is better."""
        return figure if self.mode == "min" else -figure

    def judge(self, state: State, figure: float, weights: np.ndarray) -> State:
        """The state after an epoch with this figure, which keeps `weights` where it is the best so far."""
        height = self.height(figure)
        margin = self.min_delta if math.isfinite(state.best_loss) else 0.0
        if not height < state.best_loss - margin:  # nan is never better
            return state
        np.copyto(state.best_theta, weights)
        return replace(state, best_loss=height, best_epoch=state.epoch)


@dataclass(frozen=True)
class Aim:
    """A figure with which a training has reached its aim."""

    column: str
    mode: Mode
    value: float

    def is_reached(self, figure: float) -> bool:
        """Whether the figure of an epoch is enough; nan never is."""
        return figure >= self.value if self.mode == "max" else figure <= self.value


def modes_of(task: Task, *, is_evaluated: bool) -> Modes:
    """The columns of the history that say how good an epoch was, and which end of them is the good one.

    Args:
        is_evaluated: whether there is a validation part.
    """
    modes: dict[str, Mode] = {"loss": "min"}
    modes |= {m.column: MODES[m.better] for m in task.metrics}
    splits = ("train", "validation") if is_evaluated else ("train",)
    return {f"{split}_{name}": mode for split in splits for name, mode in modes.items()}


def monitor_of(early: EarlyStopping | None, modes: Modes) -> Monitor:
    """What decides which epoch is the best.

    Raises:
        ConfigError: there is no such column.
    """
    usual = _usual(modes)
    if early is None:
        return Monitor(usual, "min")
    column = early.monitor or usual
    known = _mode(column, modes, ("early_stopping", "monitor"))
    mode = known if early.mode == "auto" else early.mode
    return Monitor(column, mode, early.min_delta, is_native=(column, mode) == (usual, "min"))


def aim_of(target: Goal | None, modes: Modes) -> Aim | None:
    """What ends a training because it is reached.

    Raises:
        ConfigError: there is no such column.
    """
    if target is None:
        return None
    return Aim(target.metric, _mode(target.metric, modes, ("target", "metric")), target.value)


def plateau_of(schedule: Schedule, modes: Modes) -> Monitor:
    """What a schedule follows which falls on a plateau; of any other schedule, what it would.

    Raises:
        ConfigError: there is no such column.
    """
    given = schedule.monitor if isinstance(schedule, ReduceOnPlateau) else None
    column = given or _usual(modes)
    return Monitor(column, _mode(column, modes, ("monitor",)))


def _usual(modes: Modes) -> str:
    """The loss that decides unless something else is asked for."""
    return "validation_loss" if "validation_loss" in modes else "train_loss"


def _mode(column: str, modes: Modes, path: tuple[str, ...]) -> Mode:
    if column in modes:
        return modes[column]
    if column.startswith(KERAS):
        meant = f"validation_{column.removeprefix(KERAS)}"
        raise ConfigError(f'after an epoch there is no figure "{column}"; write "{meant}"', path)
    if column.startswith("validation_") and "validation_loss" not in modes:
        needs = "needs a validation part, and the data has none"
        raise ConfigError(
            f'"{column}" {needs}; set data.split.validation, or take one of {", ".join(modes)}', path
        )
    metric = column.partition("_")[2]
    mend = f"; add {metric} to the metrics" if metric in tuple(metrics) else did_you_mean(column, modes)
    raise ConfigError(f'after an epoch there is no figure "{column}"{mend}', path)
