"""What follows from the figures of the epochs done: whether to stop, and the peak of the learning rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnjit.optim.schedules import Plateau, ReduceOnPlateau
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State


class Stopping:
    """Follows the history of a training; all that it knows is a function of the history.

    Args:
        history: the columns of the epochs done so far.
    """

    def __init__(self, setup: Setup, history: Mapping[str, np.ndarray]) -> None:
        self._setup, self._plateau, self._is_reached = setup, Plateau(), False
        if len(history["epoch"]):
            self.follow(history)

    @property
    def peak(self) -> float:
        """The peak of the learning rate in the next epoch."""
        schedule = self._setup.experiment.schedule
        if isinstance(schedule, ReduceOnPlateau):
            return schedule.lowered(self._plateau, self._setup.peak)
        return self._setup.peak

    def follow(self, columns: Mapping[str, np.ndarray]) -> None:
        """Take notice of one or more epochs."""
        aim, schedule = self._setup.aim, self._setup.experiment.schedule
        if aim is not None:
            self._is_reached = aim.is_reached(float(columns[aim.column][-1]))
        if isinstance(schedule, ReduceOnPlateau):
            followed = self._setup.plateau
            for figure in columns[followed.column]:
                self._plateau = schedule.after(self._plateau, followed.height(float(figure)))

    def reason(self, state: State) -> str:
        """The status of a training that is to stop now; empty where it goes on."""
        early = self._setup.experiment.training.early_stopping
        if self._is_reached:
            return "target_reached"
        if early is not None and state.epoch - state.best_epoch >= early.patience:
            return "early_stopped"
        return ""
