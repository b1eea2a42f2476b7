"""Sums of exponentials that do not overflow: `logsumexp`, `softmax`, `log_softmax`."""

from __future__ import annotations

from typing import Any

from nnjit.numpy.elementwise import divide, exp, isfinite, log, stop_gradient, subtract, where
from nnjit.numpy.promotion import Array
from nnjit.numpy.reduction.extrema import max
from nnjit.numpy.reduction.sums import Axis, sum
from nnjit.numpy.shaping.axes import reshape, shape


def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Log Σ exp(x), shifted by the largest element so that nothing overflows."""
    top = stop_gradient(max(x, axis, keepdims=True))
    top = where(isfinite(top), top, 0.0)
    total = log(sum(exp(subtract(x, top)), axis, keepdims=True)) + top
    return total if keepdims else reshape(total, shape(max(x, axis)))


def softmax(x: Array, axis: int = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`."""
    e = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(e, sum(e, axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Any:
    """X - log Σ exp(x) along `axis`."""
    shifted = subtract(x, stop_gradient(max(x, axis, keepdims=True)))
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))
