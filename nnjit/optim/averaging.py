"""Average the params over updates, which often generalises better than the last params.

The optimizer does not see the average: after every update θ̄ ← (1 - s) θ̄ + s θ, with a fraction s known before
training, like the learning rate. For s = 1 the average is θ itself, for s = 0 it stays unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy
from pydantic import Field

from nnjit.errors import ConfigError
from nnjit.optim.array import Array
from nnjit.optim.stated import Stated
from nnjit.registry import Count, Number, Registry


class Averaging(Stated, ABC):
    """Which params an average includes."""

    type: str
    averages_state: ClassVar[bool] = True
    """Whether the state of layers is averaged likewise; else it is measured for the averaged params, over the
    training part."""

    @abstractmethod
    def fractions(self, steps: numpy.ndarray, *, steps_per_epoch: int) -> numpy.ndarray:
        """The fraction of the new params in the average after each update, float64, in [0, 1].

        Args:
            steps: whole numbers, the updates counted from 0 at the start of training.
            steps_per_epoch: updates per epoch, >= 1.
        """

    def has_begun(self, epoch: int) -> bool:
        """Whether the average after this many epochs includes more than the last params."""
        return epoch > 0

    def check(self, epochs: int) -> None:
        """Raise a ConfigError if the options do not fit a run of this many epochs."""
        return


averagings: Registry[Averaging] = Registry("averaging")


def blend(average: Array, theta: Array, fraction: Array) -> Array:
    """The next average of a vector; exactly `theta` for a fraction of 1."""
    return (1 - fraction) * average + fraction * theta


@averagings.register
class EMA(Averaging):
    """It averages about the last tenth of the updates until `decay` allows more: with a fixed decay, the
    initial params would dominate a short run. TensorFlow's `ExponentialMovingAverage` with `num_updates`, but
    there d = 1/10 for the first update. Without the warm-up, d = 0 for the first update and then d = decay,
    as in PyTorch's `AveragedModel` with `get_ema_multi_avg_fn(decay)`. Reference: Polyak & Juditsky 1992,
    doi:10.1137/0330046.

    >>> EMA(decay=0.75).fractions(numpy.arange(3), steps_per_epoch=1).round(2).tolist()
    [1.0, 0.82, 0.75]
    >>> EMA(decay=0.75, warmup=False).fractions(numpy.arange(3), steps_per_epoch=1).tolist()
    [1.0, 0.25, 0.25]
    """

    equations = (
        "θ̄ ← d θ̄ + (1 - d) θ after every update, with d = 0 for the first, and "
        "d = min(decay, (1 + s) / (10 + s)) for s = 1, 2, … after it",
    )

    type: Literal["ema"] = "ema"
    also_called: ClassVar[tuple[str, ...]] = ("polyak", "exponential_moving_average")
    decay: Number = Field(0.999, ge=0, lt=1)
    """The fraction of the average that an update keeps, 0 <= decay < 1; it averages about 1 / (1 - decay)
    updates."""
    warmup: bool = True
    """Whether updates keep less at the beginning, while there is little to average."""

    def fractions(self, steps: numpy.ndarray, *, steps_per_epoch: int) -> numpy.ndarray:
        s = numpy.asarray(steps)
        fraction = numpy.maximum(1 - self.decay, 9 / (10 + s)) if self.warmup else 1 - self.decay
        return numpy.where(s == 0, 1.0, fraction)


@averagings.register
class SWA(Averaging):
    """PyTorch's `AveragedModel`, updated at the end of these epochs. The learning rate is the schedule's. As
    with PyTorch's `update_bn`, the running statistics of batch norms are measured for the averaged params:
    their means over the batches of the training part, weighted by the batches' weights (in PyTorch all
    batches count equally). Reference: Izmailov et al. 2018, arXiv:1803.05407.

    >>> SWA(start=2).fractions(numpy.arange(8), steps_per_epoch=2).round(2).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.5, 0.0, 0.33]
    """

    equations = (
        "θ̄ = θ up to the end of epoch `start`, then θ̄ ← θ̄ + (θ - θ̄) / k at the end of each epoch, with "
        "k = epoch - start + 1",
    )

    type: Literal["swa"] = "swa"
    averages_state: ClassVar[bool] = False
    start: Count
    """The first epoch whose params enter the mean, from 1."""

    def has_begun(self, epoch: int) -> bool:
        return epoch > self.start

    def fractions(self, steps: numpy.ndarray, *, steps_per_epoch: int) -> numpy.ndarray:
        whole, rest = numpy.divmod(numpy.asarray(steps) + 1, steps_per_epoch)
        count = whole - self.start + 1  # the number of epochs in the mean, at updates that end one
        mean = numpy.where(rest == 0, 1 / numpy.maximum(count, 1), 0.0)
        return numpy.where(whole + (rest > 0) <= self.start, 1.0, mean)

    def check(self, epochs: int) -> None:
        if self.start > epochs:
            raise ConfigError(
                f"the mean would begin with epoch {self.start}, after the {epochs} of the training; "
                "start it earlier, or raise training.epochs",
                ("start",),
            )
