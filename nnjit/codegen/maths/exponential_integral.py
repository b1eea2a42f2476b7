"""The exponential integral Ei, from one smooth function for each part of the axis; float32 in float64.

Reference: Abramowitz & Stegun 1964, 5.1.10 and 5.1.11, for the series at 0; Cody & Thacher 1968 and 1969,
Math. Comp. 22 and 23, for the parts.
"""

from __future__ import annotations

import math

import numpy as np

from nnjit.codegen.maths import exp_f64, log_f64
from nnjit.codegen.maths.coefficients import E1_F64, EI_6_F64, EI_12_F64, EI_24_F64, EI_START_F64
from nnjit.codegen.maths.machine import elementary, f64, polynomial

ZERO, HALF, ONE, TWO, THREE = map(np.float64, (0, 0.5, 1, 2, 3))
SIX, TWELVE, TWENTY_FOUR, FORTY_EIGHT = map(np.float64, (6, 12, 24, 48))
INF = np.float64(np.inf)
EULER = np.float64(0.5772156649015329)
SERIES = f64(*((-1) ** (k + 1) / (k * math.factorial(k)) for k in range(1, 19)))
FAR = np.float64(1e4)  # from here on the result is 0 or inf


@elementary
def _above(x: np.float64) -> np.float64:
    """Return E₁(x) for x > 0."""
    near = x * polynomial(x if x < ONE else ONE, SERIES) - (EULER + log_f64(x))
    far = exp_f64(-x) * polynomial((x - TWO) / (x + TWO), E1_F64) / (x + ONE)
    return np.float64(near if x < ONE else far)


@elementary
def _principal(x: np.float64) -> np.float64:
    """Return Ei(x) for x > 0."""
    half = exp_f64(HALF * x)  # the whole power may overflow where the result does not
    v = SIX if x < SIX else x
    lower = polynomial(TWENTY_FOUR / v - THREE, EI_6_F64)
    middle = polynomial(FORTY_EIGHT / v - THREE, EI_12_F64)
    upper = polynomial(FORTY_EIGHT / v - ONE, EI_24_F64)
    scaled = lower if x < TWELVE else (middle if x < TWENTY_FOUR else upper)
    start = polynomial((x if x < SIX else SIX) / THREE - ONE, EI_START_F64)
    near = EULER + log_f64(x) + x * half * half * start
    return np.float64(near if x < SIX else half / x * scaled * half)


@elementary
def expi_f64(x: np.float64) -> np.float64:
    """Return the principal value of ∫ eᵗ/t dt from -inf to `x`.

    Error < 8 ulp, near the zero at 0.37 of 1; -inf at 0, inf above 716.3, 0 below -701.
    """
    v = abs(x)
    v = FAR if v > FAR else v
    v = v if v != ZERO else ONE
    y = -_above(v) if x < ZERO else _principal(v)
    return y if x != ZERO else -INF


@elementary
def expi_f32(x: np.float32) -> np.float32:
    """Return `expi_f64`, rounded."""
    return np.float32(expi_f64(np.float64(x)))
