"""The error function's complement, also scaled, and the inverses of both; float32 is computed in float64.

With t = (x - 4) / (x + 4), (1 + 2x) exp(x²) erfc(x) is smooth on all of x >= 0, and so is erfcinv(q) / s as a
function of s = √-log(q), so one polynomial suffices for each. exp(x²) would magnify the rounding error of x²,
so the square is split into two parts, the first of them exact.

Reference: Shepherd & Laframboise 1981, Math. Comp. 36, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in
0 <= x < ∞"; Giles 2012, "Approximating the erfinv function".
"""

from __future__ import annotations

import numpy as np

from nnjit.codegen.maths import erf_f64, exp_f64, log_f64
from nnjit.codegen.maths.coefficients import ERFCINV_F64, ERFCX_F64, ERFINV_F64
from nnjit.codegen.maths.machine import copysign, elementary, polynomial

ZERO, HALF, ONE, TWO, CENTER = map(np.float64, (0, 0.5, 1, 2, 4))
SIXTH = np.float64(1 / 6)
LOW_F32, INF_F32 = np.float32(-9.382413), np.float32(np.inf)
INF, NAN = np.float64(np.inf), np.float64(np.nan)
GRID = np.float64(1.5 * 2**31)  # x + GRID - GRID is x to 21 places after the point
HIGH = np.float64(30)  # here exp(-x²) is 0
LOW = np.float64(-26.62873571375149)  # the last argument whose 2 exp(x²) does not overflow
TINY = np.float64(5e-324)


@elementary
def _exp_of_square(x: np.float64, sign: np.float64) -> np.float64:
    """Return exp(±x²) for 0 <= x <= 30."""
    h = (x + GRID) - GRID
    d = sign * (x - h) * (x + h)
    return np.float64(exp_f64(sign * (h * h)) * (ONE + d * (ONE + d * (HALF + d * SIXTH))))


@elementary
def _scaled(x: np.float64) -> np.float64:
    """Return exp(x²) erfc(x) for x >= 0."""
    t = ONE - TWO * CENTER / (x + CENTER)
    return polynomial(t, ERFCX_F64) / (ONE + TWO * x)


@elementary
def erfc_f64(x: np.float64) -> np.float64:
    """Return 1 - erf(x) without cancellation.

    Error < 7 ulp; 0 above 26.6, where the result is under 3.2e-308.
    """
    v = x if x > HALF else HALF
    v = HIGH if v > HIGH else v
    far = _exp_of_square(v, -ONE) * _scaled(v)
    return far if x > HALF else ONE - erf_f64(x)


@elementary
def erfcx_f64(x: np.float64) -> np.float64:
    """Return exp(x²) erfc(x).

    Error < 6 ulp; inf below -26.63.
    """
    v = abs(x)
    v = -LOW if v > -LOW else v
    near = INF if x < LOW else _exp_of_square(v, ONE) * (ONE - erf_f64(x))
    far = _scaled(x if x > HALF else HALF)
    return far if x > HALF else near


@elementary
def _inverse(q: np.float64, z: np.float64) -> np.float64:
    """Return x with erfc(|x|) = q and erf(x) = z, computed from the smaller of q and |z|."""
    s = np.sqrt(-log_f64(q if q > ZERO else TINY))
    tail = s * polynomial((s - CENTER) / (s + CENTER), ERFCINV_F64)
    tail = tail if q > ZERO else (INF if q == ZERO else NAN)
    middle = z * polynomial(z * z, ERFINV_F64)
    return middle if q >= HALF else copysign(tail, z)


@elementary
def erfinv_f64(x: np.float64) -> np.float64:
    """Return y with erf(y) = x.

    Error < 4 ulp; ±inf at ±1, nan beyond.
    """
    y = _inverse(ONE - abs(x), x)
    return y if x == x else x


@elementary
def erfcinv_f64(x: np.float64) -> np.float64:
    """Return y with erfc(y) = x.

    Error < 4 ulp, near 1 of erfinv(1 - x); inf at 0, -inf at 2, nan beyond.
    """
    q = TWO - x if x > ONE else x
    y = _inverse(q, ONE - x)
    return y if x == x else x


@elementary
def erfc_f32(x: np.float32) -> np.float32:
    """Return `erfc_f64`, rounded."""
    return np.float32(erfc_f64(np.float64(x)))


@elementary
def erfcx_f32(x: np.float32) -> np.float32:
    """Return `erfcx_f64`, rounded; inf below -9.38."""
    y = erfcx_f64(np.float64(LOW_F32 if x < LOW_F32 else x))
    return INF_F32 if x < LOW_F32 else np.float32(y)


@elementary
def erfinv_f32(x: np.float32) -> np.float32:
    """Return `erfinv_f64`, rounded."""
    return np.float32(erfinv_f64(np.float64(x)))


@elementary
def erfcinv_f32(x: np.float32) -> np.float32:
    """Return `erfcinv_f64`, rounded."""
    return np.float32(erfcinv_f64(np.float64(x)))
