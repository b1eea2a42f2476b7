"""Schedules that anneal the learning rate over a finite time, once or in cycles."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy
from pydantic import Field, model_validator

from nnjit.errors import ConfigError
from nnjit.optim.schedule import Schedule, schedules
from nnjit.registry import Count


class Floored(Schedule):
    """A schedule that falls to a floor."""

    floor: float = Field(0.0, ge=0)
    """The learning rate at the end, 0 <= floor <= the optimizer's learning rate."""

    def check(self, learning_rate: float) -> None:
        if self.floor > learning_rate:
            raise ConfigError(
                f"expected at most the learning rate {learning_rate:g}, got {self.floor:g}", ("floor",)
            )

    def at(self, height: numpy.ndarray, learning_rate: float) -> numpy.ndarray:
        """The lr at a height from 0, the floor, to 1, the learning rate."""
        return self.floor + (learning_rate - self.floor) * height


class SingleDecay(Floored):
    """A schedule that decays to its floor once, by the end of training or of an earlier epoch."""

    end: float | None = Field(None, gt=0)
    """The epoch at whose end the fall ends, > warmup, counted from the start; null means the last."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end is not None and self.end <= self.warmup:
            ends = f"the schedule would end with epoch {self.end:g}, before it starts"
            raise ValueError(f"{ends} after a warm-up of {self.warmup:g} epochs; set end above warmup")
        return self

    def fraction(self, steps: numpy.ndarray, per_epoch: int, total: int) -> numpy.ndarray:
        """The fraction of the decay completed, at most 1."""
        if self.end is not None:
            total = max(round(self.end * per_epoch) - round(self.warmup * per_epoch), 1)
        return numpy.minimum(steps / total, 1.0)


@schedules.register
class Cosine(SingleDecay):
    """It falls at every update (PyTorch's `CosineAnnealingLR` at every call of `step`), and reaches the floor
    at the first update after the end. Reference: Loshchilov & Hutter 2017, arXiv:1608.03983, without
    restarts.
    """

    equations = (
        "lr = floor + (peak - floor) (1 + cos(π s / S)) / 2, for update s = 0, 1, … of the S from the "
        "warm-up to the end; floor afterwards",
    )

    type: Literal["cosine"] = "cosine"
    also_called: ClassVar[tuple[str, ...]] = ("cosine_annealing", "cosine_decay")

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        return self.at(_half_wave(self.fraction(steps, per_epoch, total)), learning_rate)


@schedules.register
class Polynomial(SingleDecay):
    """With `power: 1`, a straight line. PyTorch's `PolynomialLR`, which has no floor; Keras's
    `PolynomialDecay`.

    >>> Polynomial().lr(numpy.arange(4), learning_rate=1.0, steps_per_epoch=1, epochs=4).tolist()
    [1.0, 0.75, 0.5, 0.25]
    """

    equations = (
        "lr = floor + (peak - floor) (1 - s / S)^power, for update s = 0, 1, … of the S from the "
        "warm-up to the end; floor afterwards",
    )

    type: Literal["polynomial"] = "polynomial"
    also_called: ClassVar[tuple[str, ...]] = ("linear",)
    power: float = Field(1.0, gt=0)
    """The exponent, > 0; the larger it is, the steeper the fall at the beginning."""

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        return self.at((1 - self.fraction(steps, per_epoch, total)) ** self.power, learning_rate)


@schedules.register
class CosineRestarts(Floored):
    """PyTorch's `CosineAnnealingWarmRestarts`, stepped at every update, with `period` as T_0 and `growth` as
    T_mult. Reference: Loshchilov & Hutter 2017, arXiv:1608.03983.
    """

    equations = (
        "lr = floor + (peak - floor) (1 + cos(π r / L)) / 2, for update r = 0, 1, … of the L of a "
        "fall: period E in the first after the warm-up, with E updates per epoch, then growth times as many "
        "in each as in the one before",
    )

    type: Literal["cosine_restarts"] = "cosine_restarts"
    also_called: ClassVar[tuple[str, ...]] = ("sgdr", "cosine_annealing_warm_restarts")
    period: Count = 10
    """Epochs in the first fall, >= 1."""
    growth: int = Field(1, ge=1, le=1000)
    """The ratio of each fall's length to that of the one before, 1 to 1000."""

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        first = self.period * per_epoch
        if self.growth == 1:
            return self.at(_half_wave(steps % first / first), learning_rate)
        starts, lengths = [0], [first]
        while starts[-1] <= steps.max(initial=0):
            starts.append(starts[-1] + lengths[-1])
            lengths.append(lengths[-1] * self.growth)
        cycle = numpy.searchsorted(starts, steps, side="right") - 1
        return self.at(
            _half_wave((steps - numpy.array(starts)[cycle]) / numpy.array(lengths)[cycle]), learning_rate
        )


@schedules.register
class OneCycle(Schedule):
    """PyTorch's `OneCycleLR` with div_factor = 1 / start and final_div_factor = start / finish; but there the
    last update reaches the final lr, here the first one after training would. Momentum is not cycled.
    Reference: Smith & Topin 2018, arXiv:1708.07120.
    """

    equations = (
        "lr = peak (1 - (1 - start) (1 + cos(π s / R)) / 2) for s < R, then "
        "lr = peak (finish + (1 - finish) (1 + cos(π (s - R) / (S - R))) / 2), for update "
        "s = 0, 1, … of the S in training, with R = rise S",
    )

    type: Literal["one_cycle"] = "one_cycle"
    rise: float = Field(0.3, gt=0, lt=1)
    """The fraction of training in which the learning rate rises, 0 < rise < 1."""
    start: float = Field(0.04, gt=0, le=1)
    """The fraction of the peak at the beginning, 0 < start <= 1."""
    finish: float = Field(4e-6, gt=0, le=1)
    """The fraction of the peak at the end, 0 < finish <= 1."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.warmup:
            raise ValueError(
                f"one_cycle has its own rise, over the fraction rise, {self.rise:g}; remove warmup"
            )
        return self

    def _lr(self, steps: numpy.ndarray, learning_rate: float, *, per_epoch: int, total: int) -> numpy.ndarray:
        top = self.rise * total
        low = numpy.where(steps < top, self.start, self.finish)
        way = numpy.where(steps < top, 1 - steps / top, numpy.minimum((steps - top) / (total - top), 1.0))
        return numpy.asarray(learning_rate * (low + (1 - low) * _half_wave(way)))


def _half_wave(fraction: numpy.ndarray) -> numpy.ndarray:
    """Half a cosine, from 1 at a fraction of 0 to 0 at a fraction of 1."""
    return (1 + numpy.cos(numpy.pi * fraction)) / 2
