"""The elementary functions in float32; `f64.py` is the same but for constants and the reduction of sines.

Errors are in units in the last place of the correctly rounded result, the largest found in the sweep of
tests/codegen/test_maths.py. All are branch-free: both sides of a choice are computed.
"""

from __future__ import annotations

import numpy as np

from nnjit.codegen.maths.coefficients import ERF_F32, EXP_F32, LOG_F32, SIN_F32
from nnjit.codegen.maths.machine import copysign, elementary, polynomial, power_of_two, split

ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
INF, NAN = np.float32(np.inf), np.float32(np.nan)

EXP_WHOLE = np.float32(1.5 * 2**23 + 126)  # x + EXP_WHOLE - EXP_WHOLE rounds x to the nearest integer
LOG_WHOLE = np.float32(1.5 * 2**23 + 127)
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)  # few enough bits that its product with an exponent is exact
LN2_LOW = np.float32(-2.1219444005469057e-4)

EXP_LOW = np.float32(-87.3)  # between the last result that is kept, 2^-125.5, and 2^-126.5
EXP_HIGH = np.float32(88.72283)  # the last argument that does not overflow
EXPM1_LOW = np.float32(-20)
EXPM1_TINY = np.float32(2**-25)

LOG_TINY, LOG_SCALE, LOG_SHIFT = np.float32(2**-126), np.float32(2**24), np.float32(24)
LOG1P_LARGE = np.float32(2**30)
ROOT_2_MINUS_1 = np.float32(0.41421356)
LN2 = np.float32(0.6931471805599453)

TANH_HIGH = np.float32(10)
ERF_HIGH = np.float32(4)

SIN_HIGH = np.float32(2**21)  # up to here the parts of π keep every bit that matters
SIN_WHOLE, SIN_HALF = np.float64(1.5 * 2**52), np.float64(0.5)
ONE_OVER_PI = np.float64(0.3183098861837907)
PI_HIGH, PI_LOW = np.float64(3.1415926534682512), np.float64(1.2154201013012384e-10)


@elementary
def _reduce(x: np.float32) -> tuple[np.float32, np.float32]:
    """Return r and 2ᵏ⁻¹ with x = k ln 2 + r, |r| <= ln(2)/2 (Cody & Waite); 2ᵏ itself might overflow."""
    t = x * LOG2_E + EXP_WHOLE
    k = t - EXP_WHOLE
    return (x - k * LN2_HIGH) - k * LN2_LOW, power_of_two(t)


@elementary
def exp_f32(x: np.float32) -> np.float32:
    """Return e to the power of `x`: a polynomial on the reduced argument, scaled by a power of two.

    Error < 1.1 ulp; inf above 88.72, 0 below -86.99 (where the result is under 1.7e-38).
    """
    v = EXP_HIGH if x > EXP_HIGH else x
    v = EXP_LOW if v < EXP_LOW else v
    r, scale = _reduce(v)
    y = scale * (TWO * (ONE + (r + r * r * polynomial(r, EXP_F32))))
    return INF if x > EXP_HIGH else y


@elementary
def expm1_f32(x: np.float32) -> np.float32:
    """Return exp(x) - 1 without cancellation: 2ᵏ(exp(r) - 1) + (2ᵏ - 1).

    Error < 2 ulp; inf above 88.72, -1 towards -inf.
    """
    v = EXP_HIGH if x > EXP_HIGH else x
    v = EXPM1_LOW if v < EXPM1_LOW else v
    r, scale = _reduce(v)
    y = TWO * (scale * (r + r * r * polynomial(r, EXP_F32)) + (scale - HALF))
    y = x if abs(x) < EXPM1_TINY else y
    return INF if x > EXP_HIGH else y


@elementary
def _log_series(f: np.float32) -> np.float32:
    """Return log(1 + f) for √½ <= 1 + f <= √2: the series of 2 atanh(s), s = f / (2 + f)."""
    s = f / (TWO + f)
    z = s * s
    return f - s * (f - z * polynomial(z, LOG_F32))


@elementary
def log_f32(x: np.float32) -> np.float32:
    """Return the natural logarithm of `x`: e ln 2 + log(m) with x = m 2ᵉ, √½ <= m < √2.

    Error < 1.1 ulp; -inf at ±0, nan below.
    """
    v = x if x > ZERO else ONE
    m, e = split(v * LOG_SCALE if x < LOG_TINY else v)
    e = e - LOG_SHIFT if x < LOG_TINY else e
    y = e * LN2_HIGH + (_log_series(m - ONE) + e * LN2_LOW)
    y = y if x > ZERO else (-INF if x == ZERO else NAN)
    return y if x < INF else x


@elementary
def log1p_f32(x: np.float32) -> np.float32:
    """Return log(1 + x) without cancellation: as log, with m - 1 = x 2⁻ᵉ + (2⁻ᵉ - 1).

    Error < 1.7 ulp; -inf at -1, nan below.
    """
    v = x if x > -ONE else ZERO
    m, e = split(ONE + v)
    scale = power_of_two(LOG_WHOLE - e)
    f = m - ONE if v > LOG1P_LARGE else v * scale + (scale - ONE)
    y = e * LN2_HIGH + (_log_series(f) + e * LN2_LOW)
    y = copysign(y, x) if x > -ONE else (-INF if x == -ONE else NAN)
    return y if x < INF else x


@elementary
def tanh_f32(x: np.float32) -> np.float32:
    """Return the hyperbolic tangent of `x`: -t / (2 + t), t = exp(-2|x|) - 1.

    Error < 3 ulp.
    """
    v = abs(x)
    v = TANH_HIGH if v > TANH_HIGH else v
    t = expm1_f32(-TWO * v)
    return copysign(t / (TWO + t), x)


@elementary
def sigmoid_f32(x: np.float32) -> np.float32:
    """Return 1 / (1 + exp(-x)).

    Error < 2.7 ulp; 0 below -88.72, 1 towards inf.
    """
    return ONE / (ONE + exp_f32(-x))


@elementary
def softplus_f32(x: np.float32) -> np.float32:
    """Return log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).

    Error < 2 ulp; 0 below -86.99.
    """
    e = exp_f32(-abs(x))
    f = HALF * e - HALF if e > ROOT_2_MINUS_1 else e
    y = _log_series(f) + (LN2 if e > ROOT_2_MINUS_1 else ZERO)
    return (x if x > ZERO else ZERO) + y


@elementary
def erf_f32(x: np.float32) -> np.float32:
    """Return the error function of `x`: 1 - exp(-g), where g(|x|) = -log(1 - erf|x|) is a polynomial.

    Error < 2.2 ulp; ±1 from |x| = 4 on.
    """
    v = abs(x)
    v = ERF_HIGH if v > ERF_HIGH else v
    return copysign(expm1_f32(-(v + v * polynomial(v, ERF_F32))), x)


@elementary
def _sin_series(r: np.float32, turns: np.float64) -> np.float32:
    """Return sin(r + turns π) for |r| <= π/2 and a whole number of half turns."""
    half = (turns * SIN_HALF + SIN_WHOLE) - SIN_WHOLE
    signed = r if turns == half + half else -r
    z = r * r
    return signed + signed * (z * polynomial(z, SIN_F32))


@elementary
def sin_f32(x: np.float32) -> np.float32:
    """Return the sine of `x`, in radians: a polynomial on x - k π, reduced in float64.

    Error < 3 ulp; nan from |x| = 2²¹ on.
    """
    v = np.float64(x if abs(x) < SIN_HIGH else NAN)
    k = (v * ONE_OVER_PI + SIN_WHOLE) - SIN_WHOLE
    y = _sin_series(np.float32((v - k * PI_HIGH) - k * PI_LOW), k)
    return x if x == ZERO else y


@elementary
def cos_f32(x: np.float32) -> np.float32:
    """Return the cosine of `x`, in radians: cos(x) = (-1)ᵏ sin(x - (k - ½) π).

    Error < 3 ulp; nan from |x| = 2²¹ on.
    """
    v = np.float64(x if abs(x) < SIN_HIGH else NAN)
    k = ((v * ONE_OVER_PI + SIN_HALF) + SIN_WHOLE) - SIN_WHOLE
    h = k - SIN_HALF
    return _sin_series(np.float32((v - h * PI_HIGH) - h * PI_LOW), k)
