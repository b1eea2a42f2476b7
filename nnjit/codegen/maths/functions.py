"""The elementary functions, written once for float32 and float64.

As it stands, this file has the functions of float64. Those of float32 are the same text with the parameters
imported from `f32.py` instead of `f64.py`: `source_of` in `__init__.py` changes the import.

Errors are in units in the last place of the correctly rounded result, the largest found in the sweep of
tests/codegen/test_maths.py. All are branch-free: both sides of a choice are computed. The last three are the
C library's: here they keep their own flags, with which LLVM makes no function of them that nothing provides.
"""

from __future__ import annotations

import numpy as np

from nnjit.codegen.maths.f64 import (
    ENTR_HIGH,
    ERF,
    ERF_HIGH,
    EXP,
    EXP_HIGH,
    EXP_LOW,
    EXP_REST,
    EXP_WHOLE,
    EXPM1_LOW,
    EXPM1_TINY,
    HALF,
    INF,
    LN2,
    LN2_HIGH,
    LN2_LOW,
    LOG,
    LOG1P_LARGE,
    LOG2_E,
    LOG_SCALE,
    LOG_SHIFT,
    LOG_TINY,
    LOG_WHOLE,
    NAN,
    ONE,
    ROOT_2_MINUS_1,
    SIN,
    SIN_HIGH,
    TANH_HIGH,
    TWO,
    ZERO,
    Float,
    subtract_turns,
)
from nnjit.codegen.maths.machine import copysign, elementary, polynomial, power_of_two, split

SIN_WHOLE = np.float64(1.5 * 2**52)  # x + SIN_WHOLE - SIN_WHOLE rounds x to the nearest integer
SIN_HALF, ONE_OVER_PI = np.float64(0.5), np.float64(0.3183098861837907)


@elementary
def _reduce(x: Float) -> tuple[Float, Float]:
    """Return r and 2ᵏ⁻¹ with x = k ln 2 + r, |r| <= ln(2)/2 (Cody & Waite); 2ᵏ itself might overflow."""
    t = x * LOG2_E + EXP_WHOLE
    k = t - EXP_WHOLE
    return (x - k * LN2_HIGH) - k * LN2_LOW, power_of_two(t)


@elementary
def exp(x: Float) -> Float:
    """Return e to the power of `x`: a polynomial on the reduced argument, scaled by a power of two.

    Error < 1.1 ulp (f32), 1.2 ulp (f64); inf above 88.72 (f32), 709.78 (f64); 0 below -86.99 (f32),
    -708.05 (f64), where the result is under 1.7e-38 (f32), 3.2e-308 (f64).
    """
    v = EXP_HIGH if x > EXP_HIGH else x
    v = EXP_LOW if v < EXP_LOW else v
    r, scale = _reduce(v)
    y = scale * (TWO * (ONE + (r + r * r * polynomial(r, EXP))))
    return INF if x > EXP_HIGH else y


@elementary
def expm1(x: Float) -> Float:
    """Return exp(x) - 1 without cancellation: 2ᵏ(exp(r) - 1) + (2ᵏ - 1).

    Error < 2 ulp (f32), 2.5 ulp (f64); inf above 88.72 (f32), 709.78 (f64), -1 towards -inf.
    """
    v = EXP_HIGH if x > EXP_HIGH else x
    v = EXPM1_LOW if v < EXPM1_LOW else v
    r, scale = _reduce(v)
    y = TWO * (scale * (r + r * r * polynomial(r, EXP)) + (scale - HALF))
    y = x if abs(x) < EXPM1_TINY else y
    return INF if x > EXP_HIGH else y


@elementary
def expm1mx(x: Float) -> Float:
    """Return exp(x) - 1 - x without cancellation: its series for |x| < ½.

    Error < 4.5 ulp (f32), 5 ulp (f64); inf above 88.72 (f32), 709.78 (f64).
    """
    is_near = abs(x) < HALF
    v = x if is_near else ZERO
    near = v * v * polynomial(v, EXP_REST)
    far = expm1(x) - x if x < INF else x
    return near if is_near else far


@elementary
def _log_series(f: Float) -> Float:
    """Return log(1 + f) for √½ <= 1 + f <= √2: the series of 2 atanh(s), s = f / (2 + f)."""
    s = f / (TWO + f)
    z = s * s
    return f - s * (f - z * polynomial(z, LOG))


@elementary
def log(x: Float) -> Float:
    """Return the natural logarithm of `x`: e ln 2 + ln m with x = m 2ᵉ, √½ <= m < √2.

    Error < 1.1 ulp (f32), 1.3 ulp (f64); -inf at ±0, nan below.
    """
    v = x if x > ZERO else ONE
    m, e = split(v * LOG_SCALE if x < LOG_TINY else v)
    e = e - LOG_SHIFT if x < LOG_TINY else e
    y = e * LN2_HIGH + (_log_series(m - ONE) + e * LN2_LOW)
    y = y if x > ZERO else (-INF if x == ZERO else NAN)
    return y if x < INF else x


@elementary
def log1p(x: Float) -> Float:
    """Return log(1 + x) without cancellation: as log, with m - 1 = x 2⁻ᵉ + (2⁻ᵉ - 1).

    Error < 1.7 ulp (f32), 1.3 ulp (f64); -inf at -1, nan below.
    """
    v = x if x > -ONE else ZERO
    m, e = split(ONE + v)
    scale = power_of_two(LOG_WHOLE - e)
    f = m - ONE if v > LOG1P_LARGE else v * scale + (scale - ONE)
    y = e * LN2_HIGH + (_log_series(f) + e * LN2_LOW)
    y = copysign(y, x) if x > -ONE else (-INF if x == -ONE else NAN)
    return y if x < INF else x


@elementary
def tanh(x: Float) -> Float:
    """Return the hyperbolic tangent of `x`: -t / (2 + t), t = exp(-2|x|) - 1.

    Error < 3 ulp.
    """
    v = abs(x)
    v = TANH_HIGH if v > TANH_HIGH else v
    t = expm1(-TWO * v)
    return copysign(t / (TWO + t), x)


@elementary
def sigmoid(x: Float) -> Float:
    """Return 1 / (1 + exp(-x)).

    Error < 2.7 ulp (f32), 2.3 ulp (f64); 0 below -88.72 (f32), -709.78 (f64), 1 towards inf.
    """
    return ONE / (ONE + exp(-x))


@elementary
def softplus(x: Float) -> Float:
    """Return log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).

    Error < 2 ulp (f32), 2.3 ulp (f64); 0 below -86.99 (f32), -708.05 (f64).
    """
    e = exp(-abs(x))
    f = HALF * e - HALF if e > ROOT_2_MINUS_1 else e
    y = _log_series(f) + (LN2 if e > ROOT_2_MINUS_1 else ZERO)
    return (x if x > ZERO else ZERO) + y


@elementary
def erf(x: Float) -> Float:
    """Return the error function of `x`: 1 - exp(-g), where g(|x|) = -log(1 - erf|x|) is a polynomial.

    Error < 2.2 ulp; ±1 from |x| = 4 (f32), 6 (f64) on.
    """
    v = abs(x)
    v = ERF_HIGH if v > ERF_HIGH else v
    return copysign(expm1(-(v + v * polynomial(v, ERF))), x)


@elementary
def _sin_series(r: Float, turns: np.float64) -> Float:
    """Return sin(r + turns π) for |r| <= π/2 and a whole number of half turns."""
    half = (turns * SIN_HALF + SIN_WHOLE) - SIN_WHOLE
    signed = r if turns == half + half else -r
    z = r * r
    return signed + signed * (z * polynomial(z, SIN))


@elementary
def sin(x: Float) -> Float:
    """Return the sine of `x`, in radians: a polynomial on x - k π, where k is a float64.

    Error < 3 ulp (f32), 2.5 ulp (f64); nan from |x| = 2²¹ on.
    """
    v = np.float64(x if abs(x) < SIN_HIGH else NAN)
    k = (v * ONE_OVER_PI + SIN_WHOLE) - SIN_WHOLE
    y = _sin_series(subtract_turns(v, k), k)
    return x if x == ZERO else y


@elementary
def cos(x: Float) -> Float:
    """Return the cosine of `x`, in radians: (-1)ᵏ sin(x - (k - ½) π).

    Error < 3 ulp (f32), 2.5 ulp (f64); nan from |x| = 2²¹ on.
    """
    v = np.float64(x if abs(x) < SIN_HIGH else NAN)
    k = ((v * ONE_OVER_PI + SIN_HALF) + SIN_WHOLE) - SIN_WHOLE
    return _sin_series(subtract_turns(v, k - SIN_HALF), k)


@elementary
def entr(x: Float) -> Float:
    """Return -x log(x): 0 at 0, -inf below."""
    v = x if x > ZERO else ONE
    v = ENTR_HIGH if v > ENTR_HIGH else v
    y = -INF if x > ENTR_HIGH else -v * log(v)
    return y if x > ZERO else (ZERO if x == ZERO else (-INF if x < ZERO else x))


@elementary
def rel_entr(x: Float, y: Float) -> Float:
    """Return x log(x / y), 0 where x is 0 and y is not negative; else inf unless both are positive.

    Where both are near, it is x log1p((x - y) / y), without cancellation.
    """
    ratio = x / y
    is_near = HALF < ratio < TWO
    near = log1p((x - y) / y if is_near else ZERO)
    is_kept = ZERO < ratio < INF
    far = log(ratio) if is_kept else log(x) - log(y)
    out = x * (near if is_near else far)
    out = out if x > ZERO and y > ZERO else (ZERO if x == ZERO and y >= ZERO else INF)
    return out if x == x and y == y else x + y


@elementary
def exp2(x: Float) -> Float:
    """Return 2 to the power of `x`, as the C library does."""
    return Float(np.exp2(x))


@elementary
def log2(x: Float) -> Float:
    """Return the logarithm of `x` to the base 2, as the C library does."""
    return Float(np.log2(x))


@elementary
def pow(x: Float, y: Float) -> Float:
    """Return `x` to the power of `y`, as the C library does.

    Under the flags of a kernel, LLVM would call `__powidf2` for a power of a whole number.
    """
    return x**y
