"""Schedules: the learning rate of every update, known before the training begins.

Each begins after the warm-up, in which the rate rises from 0 to the peak in equal steps: update s of W
warm-up updates, counted from 0, has the rate peak (s + 1) / (W + 1), and the one after them the peak.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import numpy
from pydantic import Field

from nnjit.errors import ConfigError
from nnjit.registry import Options, Registry


class Schedule(Options, ABC):
    """How the learning rate changes; the optimizer's `learning_rate` is its peak."""

    type: str
    warmup: float = Field(0.0, ge=0)
    """How many epochs the rate rises to its peak, >= 0; parts of an epoch are allowed."""

    def rates(self, steps: numpy.ndarray, *, peak: float, steps_per_epoch: int, epochs: int) -> numpy.ndarray:
        """The learning rate of each update, float64.

        Args:
            steps: whole numbers, the updates counted from 0 at the start of the training.
            peak: the optimizer's learning rate.
            steps_per_epoch: updates in an epoch, >= 1.
            epochs: epochs of the whole training, >= 1.

        Raises:
            ConfigError: the options do not fit the peak.
        """
        rise = round(self.warmup * steps_per_epoch)
        after = numpy.maximum(numpy.asarray(steps) - rise, 0)
        total = max(epochs * steps_per_epoch - rise, 1)
        risen = numpy.minimum((numpy.asarray(steps) + 1) / (rise + 1), 1.0)
        rate = self._rate(after, peak=peak, per_epoch=steps_per_epoch, total=total)
        return numpy.asarray(risen * rate)

    @abstractmethod
    def _rate(self, steps: numpy.ndarray, *, peak: float, per_epoch: int, total: int) -> numpy.ndarray:
        """The rate of updates counted from the end of the warm-up, of `total` such updates."""


schedules: Registry[Schedule] = Registry("schedule")


@schedules.register
class Constant(Schedule):
    """The peak, always."""

    type: Literal["constant"] = "constant"

    def _rate(self, steps: numpy.ndarray, *, peak: float, per_epoch: int, total: int) -> numpy.ndarray:
        return numpy.full(steps.shape, peak)


@schedules.register
class Step(Schedule):
    """peak * factor^⌊epoch / every⌋, epochs counted from the end of the warm-up; PyTorch's `StepLR`.

    >>> rates = Step(every=2).rates(numpy.arange(4), peak=1.0, steps_per_epoch=1, epochs=4)
    >>> rates.round(6).tolist()
    [1.0, 1.0, 0.1, 0.1]
    """

    type: Literal["step"] = "step"
    every: int = Field(10, ge=1)
    """Epochs between two drops, >= 1."""
    factor: float = Field(0.1, gt=0, le=1)
    """What a drop multiplies the rate by, 0 < factor <= 1."""

    def _rate(self, steps: numpy.ndarray, *, peak: float, per_epoch: int, total: int) -> numpy.ndarray:
        drops: numpy.ndarray = steps // (self.every * per_epoch)
        return peak * self.factor**drops


@schedules.register
class Exponential(Schedule):
    """peak * factor^⌊epoch⌋, epochs counted from the end of the warm-up; PyTorch's `ExponentialLR`.

    Keras's `ExponentialDecay` falls with every update unless `staircase=True`.
    """

    type: Literal["exponential"] = "exponential"
    factor: float = Field(0.95, gt=0, le=1)
    """What an epoch multiplies the rate by, 0 < factor <= 1."""

    def _rate(self, steps: numpy.ndarray, *, peak: float, per_epoch: int, total: int) -> numpy.ndarray:
        drops: numpy.ndarray = steps // per_epoch
        return peak * self.factor**drops


@schedules.register
class Cosine(Schedule):
    """floor + (peak - floor) (1 + cos(π s / S)) / 2, for update s of the S after the warm-up.

    It falls with every update (PyTorch's `CosineAnnealingLR` with every call of its `step`), and would reach
    the floor with the first update after the training. Reference: Loshchilov & Hutter 2017, arXiv:1608.03983,
    without restarts.
    """

    type: Literal["cosine"] = "cosine"
    floor: float = Field(0.0, ge=0)
    """The learning rate at the end, 0 <= floor <= the optimizer's learning rate."""

    def _rate(self, steps: numpy.ndarray, *, peak: float, per_epoch: int, total: int) -> numpy.ndarray:
        if self.floor > peak:
            raise ConfigError(f"expected at most the learning rate {peak:g}, got {self.floor:g}", ("floor",))
        share = numpy.minimum(steps / total, 1.0)
        return self.floor + (peak - self.floor) * (1 + numpy.cos(numpy.pi * share)) / 2
