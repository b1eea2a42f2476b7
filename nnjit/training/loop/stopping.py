"""Decide after each epoch, from the history so far, whether to stop or to lower the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nnjit.optim.schedules.plateau import Plateau, ReduceOnPlateau
from nnjit.runs.status import Status
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State


class Outcome(NamedTuple):
    """How the epochs ended.

    Args:
        message: why, if there is more to say.
        lacking: why results could not be written; empty if all were.
    """

    state: State
    status: Status
    message: str = ""
    lacking: str = ""


class Stopping:
    """Decides from the history of a training alone, so a resumed run decides the same.

    Args:
        history: the columns of the epochs so far.
    """

    def __init__(self, setup: Setup, history: Mapping[str, np.ndarray]) -> None:
        self._setup, self._plateau, self._is_reached = setup, Plateau(), False
        if len(history["epoch"]):
            self.follow(history)

    @property
    def learning_rate(self) -> float:
        """The highest learning rate of the schedule, lowered on plateaus."""
        schedule = self._setup.experiment.schedule
        if isinstance(schedule, ReduceOnPlateau):
            return schedule.lowered(self._plateau, self._setup.learning_rate)
        return self._setup.learning_rate

    def follow(self, columns: Mapping[str, np.ndarray]) -> None:
        """Take one or more epochs into account."""
        goal, schedule = self._setup.goal, self._setup.experiment.schedule
        if goal is not None:
            self._is_reached = goal.is_reached(float(columns[goal.column][-1]))
        if isinstance(schedule, ReduceOnPlateau):
            followed = self._setup.followed.plateau
            for value in columns[followed.column]:
                self._plateau = schedule.after(self._plateau, followed.as_loss(float(value)))

    def status(self, state: State) -> Status | None:
        """The status of a training that must stop now; None if it continues."""
        early = self._setup.experiment.training.early_stopping
        if self._is_reached:
            return Status.TARGET_REACHED
        if early is not None and state.epoch - state.best_epoch >= early.patience:
            return Status.EARLY_STOPPED
        return None
