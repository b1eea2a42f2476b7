"""The base class of schedules: the learning rate of each update, known before training.

It has two names: `learning_rate` is the optimizer's option, the schedule's maximum (the peak in formulas);
`lr` is the rate of one update. In the warm-up, lr rises to `learning_rate` in equal steps: for update s of W,
counted from 0, it is learning_rate (s + 1) / (W + 1). The schedule starts after the warm-up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy
from pydantic import Field

from nnjit.errors import ConfigError
from nnjit.optim.stated import Stated
from nnjit.registry import Registry


class Schedule(Stated, ABC):
    """How the learning rate changes; the optimizer's `learning_rate` is its peak."""

    type: str
    warmup: float = Field(0.0, ge=0)
    """Epochs in which the learning rate rises to its peak, >= 0; fractions are allowed.

    lr = peak (s + 1) / (W + 1), for update s = 0, 1, … of the W = round(warmup E) in the warm-up, with E
    updates per epoch; so the first lr is not 0, and the first one after the warm-up is the peak.
    """

    def lr(
        self, steps: numpy.ndarray, *, learning_rate: float, steps_per_epoch: int, epochs: int
    ) -> numpy.ndarray:
        """The learning rate of each update, float64.

        Args:
            steps: whole numbers, the updates counted from 0 at the start of training.
            learning_rate: the peak, the optimizer's option.
            steps_per_epoch: updates per epoch, >= 1.
            epochs: the number of epochs of the run, >= 1.

        Raises:
            ConfigError: the options do not fit the learning rate.
        """
        self.check(learning_rate)
        rise = round(self.warmup * steps_per_epoch)
        after = numpy.maximum(numpy.asarray(steps) - rise, 0)
        total = max(epochs * steps_per_epoch - rise, 1)
        risen = learning_rate * numpy.minimum((numpy.asarray(steps) + 1) / (rise + 1), 1.0)
        lr = self._lr(after, learning_rate, per_epoch=steps_per_epoch, total=total)
        return numpy.where(numpy.asarray(steps) < rise, risen, lr)

    def check(self, learning_rate: float) -> None:
        """Raise a ConfigError if the options do not fit the optimizer's learning rate."""
        return

    def check_length(self, epochs: int) -> None:
        """Raise a ConfigError if the schedule needs more than this many epochs."""
        if self.warmup > epochs:
            raise ConfigError(
                f"a warm-up of {self.warmup:g} epochs is longer than the training, which has {epochs}; "
                "set it shorter, or more training.epochs",
                ("warmup",),
            )

    @abstractmethod
    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        """The lr of updates counted from the end of the warm-up, of `total` such updates."""


schedules: Registry[Schedule] = Registry("schedule")
