"""The gamma function and its logarithm, which are the C library's and do not vectorise."""

from __future__ import annotations

import math

import numpy as np

from nnjit.codegen.maths.machine import copysign, elementary

ONE, INF, NAN = np.float64(1), np.float64(np.inf), np.float64(np.nan)
GAMMA_HIGH = np.float64(171.6243769563027)  # the last argument that does not overflow
GAMMA_LOW = np.float64(-200)  # from here on, below, the result is 0
GAMMA_TINY, GAMMA_LEAST = np.float64(1e-300), np.float64(5.562684646268004e-309)  # Γ(x) = 1 / x; and is inf


@elementary
def gammaln_f64(x: np.float64) -> np.float64:
    """Return log |Γ(x)|.

    Error < 3 ulp for x > 0, near 1 and 2, its zeros, of 1.
    """
    is_pole = x <= 0 and x == np.floor(x)  # where math.lgamma raises an error
    return INF if is_pole else np.float64(math.lgamma(x))


@elementary
def gammaln_f32(x: np.float32) -> np.float32:
    """Return log |Γ(x)|, computed in float64.

    Error < 1 ulp.
    """
    return np.float32(gammaln_f64(np.float64(x)))


@elementary
def gamma_f64(x: np.float64) -> np.float64:
    """Return Γ(x).

    Error < 11 ulp; nan at negative whole numbers and -inf, inf with the sign of `x` at 0 and above 171.62.
    """
    if x != x or (x < 0 and x == np.floor(x)):  # where, as below, math.gamma may raise an error
        return NAN
    if x > GAMMA_HIGH or abs(x) < GAMMA_LEAST:
        return copysign(INF, x)
    if abs(x) < GAMMA_TINY:
        return ONE / x
    return np.float64(math.gamma(GAMMA_LOW + np.float64(0.5) if x < GAMMA_LOW else x))


@elementary
def gamma_f32(x: np.float32) -> np.float32:
    """Return Γ(x), computed in float64."""
    return np.float32(gamma_f64(np.float64(x)))
