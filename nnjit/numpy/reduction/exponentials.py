"""Sums of exponentials that do not overflow: `logsumexp`, `softmax`, `log_softmax`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit.numpy.elementwise import (
    abs,
    divide,
    equal,
    exp,
    isfinite,
    log,
    minimum,
    multiply,
    sign,
    stop_gradient,
    subtract,
    where,
)
from nnjit.numpy.promotion import Array, as_array, broadcast_together, promote
from nnjit.numpy.reduction.extrema import max
from nnjit.numpy.reduction.options import Axis, axes_of
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import squeeze


def logsumexp(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    b: Array | None = None,
    return_sign: bool = False,
) -> Any:
    """Log Σ b exp(x), shifted by the largest element so that nothing overflows.

    Args:
        b: a factor for each exponential, broadcast with `x`; 1 if None. A negative sum gives NaN unless
            `return_sign`.
        return_sign: whether to return (log |Σ b exp(x)|, the sum's sign).
    """
    x, weights = (as_array(x), None) if b is None else broadcast_together(*promote(x, b, dtype="f2"))
    counted = x if weights is None else where(equal(weights, 0), -math.inf, x)
    top = stop_gradient(max(counted, axis, keepdims=True))
    top = where(isfinite(top), top, 0.0)
    total = sum(_terms(subtract(x, top), weights), axis, keepdims=True)
    out = log(abs(total) if return_sign else total) + top
    parts = (out, sign(total)) if return_sign else (out,)
    axes = tuple(axes_of(x, axis))
    parts = parts if keepdims else tuple(squeeze(part, axes) for part in parts)
    return parts if return_sign else parts[0]


def _terms(shifted: Any, weights: Any) -> Any:
    """The terms of the sum; those of weight 0 are 0, however large the exponential."""
    if weights is None:
        return exp(shifted)
    largest = math.log(np.finfo(shifted.dtype).max)
    return multiply(weights, exp(where(equal(weights, 0), minimum(shifted, largest), shifted)))


def softmax(x: Array, axis: Axis = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`: one, several, or all (None)."""
    e = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(e, sum(e, axis, keepdims=True))


def log_softmax(x: Array, axis: Axis = -1) -> Any:
    """Log softmax, x - log Σ exp(x), along `axis`: one, several, or all (None)."""
    shifted = subtract(x, stop_gradient(max(x, axis, keepdims=True)))
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))
