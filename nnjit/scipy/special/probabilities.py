"""Functions of probabilities and logits, and the exponential integral E₁."""

from __future__ import annotations

import math
from typing import Any

import nnjit.numpy as np
from nnjit.numpy import Array
from nnjit.numpy.reduction.options import Axis
from nnjit.scipy.special.elementary import expi, rel_entr
from nnjit.scipy.special.promoted import in_f64


@in_f64
def logit(x: Array) -> Any:
    """log(x / (1 - x)), the inverse of `expit`; near ½ it is 2 artanh(2x - 1), without cancellation."""
    is_near = abs(x - 0.5) < 0.25
    near = 2 * np.arctanh(2 * np.where(is_near, x, 0.5) - 1)
    far = np.where(is_near, 0.1, x)
    return np.where(is_near, near, np.log(far) - np.log1p(-far))


@in_f64
def exp1(x: Array) -> Any:
    """The exponential integral ∫ exp(-t)/t dt from `x` to inf; inf at 0, NaN below."""
    return -expi(-x) * np.where(x < 0, math.nan, 1.0)  # a product, so the derivative is NaN there


@in_f64
def kl_div(x: Array, y: Array) -> Any:
    """`x` log(x / y) - x + y: 0 where both are equal, `y` where `x` is 0, inf where one is negative."""
    entropy = rel_entr(x, y)
    return np.where(np.equal(entropy, math.inf), entropy, entropy - x + y)


def logsumexp(
    a: Array, axis: Axis = None, b: Array | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """Log Σ b exp(a) over `axis`, shifted so that nothing overflows.

    Args:
        b: weights that broadcast with `a`; 1 if None.
        return_sign: whether to return (log |Σ|, the sum's sign); otherwise a negative sum gives NaN.
    """
    return np.logsumexp(a, axis, keepdims, b=b, return_sign=return_sign)


def softmax(x: Array, axis: Axis = None) -> Any:
    """exp(x) / Σ exp(x) over `axis`; over all elements if None."""
    return np.softmax(x, axis)


def log_softmax(x: Array, axis: Axis = None) -> Any:
    """The logarithm of `softmax`, x - log Σ exp(x), over `axis`; over all elements if None."""
    return np.log_softmax(x, axis)
