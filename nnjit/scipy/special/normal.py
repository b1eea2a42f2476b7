"""The normal distribution: its cumulative function, the logarithm of it, and its inverse."""

from __future__ import annotations

import math
from typing import Any

import nnjit.numpy as np
from nnjit.numpy import Array
from nnjit.scipy.special.elementary import erfc, erfcinv, erfcx
from nnjit.scipy.special.promoted import in_f64

ROOT_HALF = math.sqrt(0.5)


@in_f64
def ndtr(x: Array) -> Any:
    """The probability that a standard normal number is below `x`: erfc(-x / √2) / 2."""
    return 0.5 * erfc(-ROOT_HALF * x)


@in_f64
def log_ndtr(x: Array) -> Any:
    """The logarithm of `ndtr`, accurate in both tails: log(erfcx(-x / √2) / 2) - x² / 2 below -1."""
    is_low = x < -1
    low, high = np.where(is_low, x, -1.0), np.where(is_low, 0.0, x)
    below = np.log(0.5 * erfcx(-ROOT_HALF * low)) - 0.5 * low * low
    return np.where(is_low, below, np.log1p(-0.5 * erfc(ROOT_HALF * high)))


@in_f64
def ndtri(p: Array) -> Any:
    """The inverse of `ndtr`: -inf at 0, inf at 1, NaN beyond."""
    is_low = p < 0.5
    tail = math.sqrt(2) * erfcinv(2 * np.where(is_low, p, 1 - p))
    return np.where(is_low, -tail, tail)
