"""Schedules independent of the length of training."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy
from pydantic import Field, model_validator

from nnjit.optim.schedule import Schedule, schedules
from nnjit.registry import Count

Epoch = Annotated[float, Field(gt=0)]
Factor = Annotated[float, Field(gt=0, le=1)]


@schedules.register
class Constant(Schedule):
    equations = ("lr = peak",)

    type: Literal["constant"] = "constant"

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        return numpy.full(steps.shape, learning_rate)


@schedules.register
class Step(Schedule):
    """The learning rate drops after every `every` epochs.

    >>> lr = Step(every=2).lr(numpy.arange(4), learning_rate=1.0, steps_per_epoch=1, epochs=4)
    >>> lr.round(6).tolist()
    [1.0, 1.0, 0.1, 0.1]
    """

    equations = (
        "lr = peak factor^⌊s / (every E)⌋, for update s = 0, 1, … after the warm-up, "
        "with E updates per epoch; PyTorch's `StepLR`",
    )

    type: Literal["step"] = "step"
    every: Count = 10
    """Epochs between drops, >= 1."""
    factor: float = Field(0.1, gt=0, le=1)
    """The factor of the learning rate at each drop, 0 < factor <= 1."""

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        drops: numpy.ndarray = steps // (self.every * per_epoch)
        return learning_rate * self.factor**drops


@schedules.register
class Exponential(Schedule):
    """Keras's `ExponentialDecay` decays at every update unless `staircase=True`."""

    equations = (
        "lr = peak factor^⌊s / E⌋, for update s = 0, 1, … after the warm-up, "
        "with E updates per epoch; PyTorch's `ExponentialLR`",
    )

    type: Literal["exponential"] = "exponential"
    factor: float = Field(0.95, gt=0, le=1)
    """The factor of the learning rate after each epoch, 0 < factor <= 1."""

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        drops: numpy.ndarray = steps // per_epoch
        return learning_rate * self.factor**drops


@schedules.register
class InverseSqrt(Schedule):
    """With a warm-up and no `timescale`, n is the number of updates in the warm-up, as in the Transformer:
    Vaswani et al. 2017, arXiv:1706.03762.

    >>> InverseSqrt(timescale=1).lr(numpy.arange(4), learning_rate=1.0, steps_per_epoch=1, epochs=4)[3].item()
    0.5
    """

    equations = (
        "lr = peak √(n / (n + s)), for update s = 0, 1, … after the warm-up, with n = timescale E, "
        "and E updates per epoch",
    )

    type: Literal["inverse_sqrt"] = "inverse_sqrt"
    timescale: float | None = Field(None, gt=0)
    """Epochs until lr falls to 1/√2 of the peak, > 0; null means those of the warm-up, or 1."""

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        n = (self.timescale or self.warmup or 1.0) * per_epoch
        return learning_rate * numpy.sqrt(n / (n + steps))


@schedules.register
class Piecewise(Schedule):
    """PyTorch's `MultiStepLR`, whose factors accumulate, and Keras's `PiecewiseConstantDecay`, which takes
    rates.

    >>> table = Piecewise(factors=((2, 0.1), (3, 0.01)))
    >>> table.lr(numpy.arange(5), learning_rate=1.0, steps_per_epoch=1, epochs=5).tolist()
    [1.0, 1.0, 0.1, 0.01, 0.01]
    """

    equations = (
        "lr = peak f, for the factor f of the last pair [epoch, f] with round(epoch E) <= t, or 1 before "
        "all pairs, at update t = 0, 1, …, with E updates per epoch",
    )

    type: Literal["piecewise"] = "piecewise"
    factors: tuple[tuple[Epoch, Factor], ...] = Field(min_length=1)
    """Pairs of a number of epochs and the factor of the peak after them, such as [[30, 0.1], [60, 0.01]]: the
    factor 0.1 applies from the first update of the 31st epoch.

    Epochs > 0 in ascending order, counted from the start, with the warm-up; 0 < factor <= 1.
    """

    @model_validator(mode="after")
    def _check(self) -> Self:
        epochs = [epoch for epoch, _ in self.factors]
        for before, after in pairwise(epochs):
            if after <= before:
                raise ValueError(f"expected epochs in rising order, got {after:g} after {before:g}")
        if epochs[0] < self.warmup:
            change = f"the peak would end with epoch {epochs[0]:g}, before it starts"
            mend = "put the first factor later, or set a shorter warmup"
            raise ValueError(f"{change} after a warm-up of {self.warmup:g} epochs; {mend}")
        return self

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        rise = round(self.warmup * per_epoch)
        starts = [round(epoch * per_epoch) - rise for epoch, _ in self.factors]
        factors = numpy.array([1.0, *(factor for _, factor in self.factors)])
        return learning_rate * factors[numpy.searchsorted(starts, steps, side="right")]
