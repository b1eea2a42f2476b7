"""`batch_norm`: each channel gets mean 0 and variance 1 over a batch, and then a trained scale and shift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Constant, Zeros
from nnjit.nn.layers.shared.base import Context, Param, layers
from nnjit.nn.layers.shared.normalisation import Normalisation
from nnjit.registry import Number

LEAST_COUNT = 1.001  # the smallest count that gives a variance; a rounded 1 is below it


@layers.register
class BatchNorm(Normalisation):
    """(x - mean) / √(variance + epsilon) · scale + shift, for each channel of the last axis.

    x is (B, …, C), scale and shift are (C,). In training, the batch gives mean m = Σ wₖ xₖ / Σ wₖ and
    variance v = Σ wₖ (xₖ - m)² / Σ wₖ, over all axes but the last, with wₖ the weight of row k: a row of
    weight 0 does not matter. Elsewhere the running ones are used; each step moves them by running ← (1 -
    momentum) · running + momentum · (m, or v n / (n - 1)), with n = (Σ wₖ)² / Σ wₖ², for equal weights the
    number of values. So, as in PyTorch, momentum is the fraction of the new batch (in Keras, of the old
    value) and the running variance the unbiased estimate (in Keras, v). A batch of a single value says
    nothing about the variance and leaves the running one unchanged; its output is the shift, so nothing
    before the layer learns from it. Training with such batches only is refused.

    Reference: Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    type: Literal["batch_norm"] = "batch_norm"
    also_called: ClassVar[tuple[str, ...]] = ("bn", "batch_normalization")
    momentum: Number = Field(0.1, gt=0, le=1)
    """The fraction of each batch's mean and variance in the running ones, > 0 and <= 1."""

    def state(self, *inputs: Shape) -> tuple[Param, ...]:
        (x,) = inputs
        mean = Param("running_mean", x[-1:], Zeros(), penalized=False)
        variance = Param("running_variance", x[-1:], Constant(value=1.0), penalized=False)
        return mean, variance

    def least_batch(self, *inputs: Shape) -> int:
        return 2 if math.prod(inputs[0][:-1]) == 1 else 1

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        mean, variance = context.state["running_mean"], context.state["running_variance"]
        if context.training:
            mean, variance, _ = _statistics(x, context.weights)
        factor = (params["scale"] if self.scale else 1.0) / np.sqrt(variance + self.epsilon)
        y = (x - mean) * factor
        return y + params["shift"] if self.shift else y

    def next_state(self, *inputs: Array, context: Context) -> Mapping[str, Array]:
        (x,) = inputs
        mean, variance, count = _statistics(x, context.weights)
        is_known, unbiased = count > LEAST_COUNT, variance * _ratio(count, count - 1)
        return {
            "running_mean": self._moved(context.state["running_mean"], mean, count > 0),
            "running_variance": self._moved(context.state["running_variance"], unbiased, is_known),
        }

    def without_memory(self) -> Self:
        return self.model_copy(update={"momentum": 1.0})

    def _moved(self, running: Array, new: Array, is_known: Array) -> Array:
        return running + np.where(is_known, self.momentum * (new - running), 0.0)


def _statistics(x: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Mean and variance (C,) over all axes but the last, and the number of values.

    It squares differences from the mean, since the difference of two large means has no digits left. The
    derivative takes this mean for a constant c: as v = Σ w (x - c)² / Σ w - (m - c)² for any c, all orders
    are right, and the backward pass avoids another pass over the rows for a term that is always 0.
    """
    axes, positions = tuple(range(x.ndim - 1)), math.prod(x.shape[1:-1])
    w = np.ones_like(x[(slice(None), *[0] * (x.ndim - 1))]) if weights is None else weights
    column = np.reshape(w, (w.shape[0], *[1] * (x.ndim - 1)))
    total = np.sum(w)
    mean = _ratio(np.sum(x * column, axis=axes), total * positions)
    centre = np.stop_gradient(mean)
    squares = _ratio(np.sum(np.square(x - centre) * column, axis=axes), total * positions)
    variance = squares - np.square(mean - centre)
    return mean, variance, _ratio(np.square(total), np.sum(np.square(w))) * positions


def _ratio(a: Array, b: Array) -> Array:
    """The quotient a / b; a if b is 0, as when all rows have weight 0 or there is a single value."""
    return a / np.where(b > 0, b, 1.0)
