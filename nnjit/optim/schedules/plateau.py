"""Reduce the learning rate when training no longer improves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy
from pydantic import Field

from nnjit.optim.schedule import schedules
from nnjit.optim.schedules.finite import Floored
from nnjit.registry import Count


@dataclass(frozen=True)
class Plateau:
    """The course of the monitored value so far.

    Args:
        lowest: the lowest value; values are negated if higher is better.
        waited: epochs since that value, or since the last drop of the learning rate.
        drops: how often the learning rate was lowered.
    """

    lowest: float = math.inf
    waited: int = 0
    drops: int = 0


@schedules.register
class ReduceOnPlateau(Floored):
    """The count of epochs restarts after each drop. Keras's `ReduceLROnPlateau`; PyTorch's waits an epoch
    longer, and its `threshold` is relative unless `threshold_mode="abs"`.

    >>> schedule = ReduceOnPlateau(patience=2, factor=0.5)
    >>> plateau = Plateau()
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     plateau = schedule.after(plateau, loss)
    >>> schedule.lowered(plateau, 0.1)
    0.05
    """

    equations = (
        "lr = max(floor, peak factor^k), after a value failed k times to improve for `patience` epochs",
    )

    type: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    also_called: ClassVar[tuple[str, ...]] = ("plateau", "reduce_lr_on_plateau")
    monitor: str | None = None
    """The column of the history to follow, such as `validation_accuracy`, as for `early_stopping`; null means
    the validation loss, or without a validation part the training loss."""
    factor: float = Field(0.1, gt=0, lt=1)
    """The factor of the learning rate at each drop, 0 < factor < 1."""
    patience: Count = 10
    """Epochs without improvement after which the learning rate drops, >= 1."""
    min_delta: float = Field(0.0, ge=0)
    """The least improvement that counts, >= 0: a value must beat the best so far by more than this."""

    def after(self, plateau: Plateau, loss: float) -> Plateau:
        """The course after another epoch with this loss, or value, negated if higher is better."""
        if loss < plateau.lowest - self.min_delta:
            return Plateau(loss, 0, plateau.drops)
        waited = plateau.waited + 1
        if waited < self.patience:
            return Plateau(plateau.lowest, waited, plateau.drops)
        return Plateau(plateau.lowest, 0, plateau.drops + 1)

    def lowered(self, plateau: Plateau, learning_rate: float) -> float:
        """The learning rate of the next epoch, apart from the warm-up; `learning_rate` is the optimizer's."""
        return max(self.floor, learning_rate * self.factor**plateau.drops)

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        return numpy.full(steps.shape, learning_rate)
