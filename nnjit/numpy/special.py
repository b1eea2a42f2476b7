"""Elementwise functions composed from others, under the names of NumPy and of SciPy's `special`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.ir import Primitive
from nnjit.numpy.elementwise import (
    abs,
    absolute,
    add,
    arctanh,
    divide,
    equal,
    exp,
    floor_divide,
    greater,
    less,
    less_equal,
    log1p,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    remainder,
    rint,
    sign,
    sin,
    subtract,
    trunc,
    where,
)
from nnjit.numpy.promotion import (
    Array,
    as_array,
    astype,
    binary,
    broadcast_together,
    filled,
    promote,
    unary_float,
)

LN_2 = math.log(2.0)
# For sin(t)/t = Σ (-t²)ᵏ / (2k+1)!: for |t| < 1 the next term is below 1e-19, also in derivatives.
SINC = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(11))
BESSEL_FROM = 20.0  # where the second sum of `i0` starts; its remaining terms are below 1e-17 of the value
BESSEL_NEAR = tuple(1 / math.factorial(k) ** 2 for k in range(40))
BESSEL_FAR = tuple(math.prod(range(1, 2 * k, 2)) ** 2 / (math.factorial(k) * 8**k) for k in range(27))


def sinc(x: Array) -> Any:
    """Return sin(πx) / (πx), 1 at 0; every derivative is right at 0 too."""
    t = multiply(math.pi, x)
    is_small = less(abs(t), 1.0)
    square = multiply(t, t)
    near = _horner(SINC, where(is_small, square, 0.0))
    far = where(is_small, 1.0, t)
    return where(is_small, near, divide(sin(far), far))


def i0(x: Array) -> Any:
    """The modified Bessel function of the first kind, of order 0; every derivative is right at 0 too.

    Up to 20 it is Σ (x²/4)ᵏ / k!², beyond it exp|x| / √(2π|x|) Σ ((2k-1)!!)² / (k! (8|x|)ᵏ), both to an ulp.
    """
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    magnitude = multiply(array, sign(array))  # with curvature 0 at 0: with `abs` it would be NaN times 0
    is_small = less_equal(magnitude, BESSEL_FROM)
    near = _horner(BESSEL_NEAR, where(is_small, multiply(0.25, multiply(array, array)), 0.0))
    size = where(is_small, BESSEL_FROM, magnitude)
    front = divide(exp(size), unary_float(p.sqrt, multiply(2 * math.pi, size)))
    return where(is_small, near, multiply(front, _horner(BESSEL_FAR, divide(1.0, size))))


def _horner(coefficients: Sequence[float], x: Any) -> Any:
    """Σ cₖ xᵏ."""
    total: Any = filled(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = add(multiply(total, x), coefficient)
    return total


def digamma(x: Array) -> Any:
    """ψ(x), the derivative of `gammaln`."""
    array = as_array(x)
    return p.digamma(array if array.dtype.kind == "f" else astype(array, "f64"))


def logaddexp2(x: Array, y: Array) -> Any:
    """log₂(2ˣ + 2ʸ)."""
    x, y = promote(x, y, dtype="f2")
    return divide(logaddexp(multiply(x, LN_2), multiply(y, LN_2)), LN_2)


def xlogy(x: Array, y: Array) -> Any:
    """`x` log(y), 0 where `x` is 0; there its derivative is log(y)."""
    return binary(p.xlogy, x, y, dtype="f2")


def logit(x: Array) -> Any:
    """log(x / (1 - x)), the inverse of `sigmoid`; near ½ it is 2 artanh(2x - 1), without cancellation."""
    is_near = less(absolute(subtract(x, 0.5)), 0.25)
    near = multiply(2.0, arctanh(subtract(multiply(2.0, where(is_near, x, 0.5)), 1.0)))
    far = where(is_near, 0.1, x)
    return where(is_near, near, unary_float(p.log, far) - log1p(negative(far)))


def log_sigmoid(x: Array) -> Any:
    """Log of the sigmoid, without overflow."""
    return negative(unary_float(p.softplus, negative(x)))


def reciprocal(x: Array) -> Any:
    """`1 / x`; for whole numbers rounded towards 0, and the least one at 0."""
    array = as_array(x)
    if array.dtype.kind == "f":
        return divide(1.0, array)
    array = astype(array, "i32") if array.dtype.kind == "b" else array
    one = where(logical_or(equal(array, 1), equal(array, -1)), array, 0)
    return where(equal(array, 0), int(np.iinfo(array.dtype).min), one)


def float_power(x: Array, y: Array) -> Any:
    """`x ** y`, in f64."""
    return power(astype(x, "f64"), y if isinstance(y, (int, float)) else astype(y, "f64"))


def fmax(x: Array, y: Array) -> Any:
    """The larger element, or the other one if one is NaN; equals share the derivative evenly."""
    return _besides_nan(p.maximum, x, y)


def fmin(x: Array, y: Array) -> Any:
    """The smaller element, or the other one if one is NaN; equals share the derivative evenly."""
    return _besides_nan(p.minimum, x, y)


def _besides_nan(primitive: Primitive, x: Array, y: Array) -> Any:
    bound = maximum if primitive is p.maximum else minimum
    x, y = promote(x, y)
    return where(isnan(y), x, where(isnan(x), y, bound(x, y)))


def isnan(x: Array) -> Any:
    """Whether each element is NaN."""
    return not_equal(x, x)


def isinf(x: Array) -> Any:
    """Whether each element is infinite."""
    return equal(abs(x), math.inf)


def isclose(a: Array, b: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |a - b| <= atol + rtol |b|; two NaN are close if `equal_nan`."""
    near = p.less_equal(*_pair(abs(a - as_array(b)), atol + rtol * abs(b)))
    out = logical_or(equal(a, b), logical_and(near, logical_not(isinf(b))))
    return logical_or(out, logical_and(isnan(a), isnan(b))) if equal_nan else out


def _pair(x: Array, y: Array) -> list[Any]:
    """Both, in the same dtype and shape."""
    return broadcast_together(*promote(x, y))


def logical_xor(x: Array, y: Array) -> Any:
    """Whether exactly one of the two holds."""
    return not_equal(astype(x, "b1"), astype(y, "b1"))


def around(x: Array, decimals: int = 0) -> Any:
    """`x` rounded to `decimals` places, halves to even; the derivative is 0."""
    array = as_array(x)
    if array.dtype.kind != "f":
        return array
    if decimals >= 0:
        return divide(rint(multiply(array, 10.0**decimals)), 10.0**decimals)
    return multiply(rint(divide(array, 10.0**-decimals)), 10.0**-decimals)


def nan_to_num(
    x: Array,
    copy: bool = True,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Any:
    """`x` with NaN and infinities replaced, infinities by the largest numbers by default.

    Args:
        copy: accepted for compatibility and ignored.
    """
    array = as_array(x)
    if array.dtype.kind != "f":
        return array
    info = np.finfo(array.dtype)
    array = where(isnan(array), nan, array)
    array = where(equal(array, math.inf), float(info.max) if posinf is None else posinf, array)
    return where(equal(array, -math.inf), float(info.min) if neginf is None else neginf, array)


def copysign(x: Array, y: Array) -> Any:
    """|x| with the sign of `y`, even of a zero."""
    x, y = promote(x, y, dtype="f2")
    size = abs(x)
    return where(signbit(y), negative(size), size)


def signbit(x: Array) -> Any:
    """Whether each element has a minus sign, as -0 has."""
    array = as_array(x)
    if isinstance(array, np.ndarray):
        return np.signbit(array)
    return less(where(equal(array, 0), divide(1.0, array), array), 0)


def modf(x: Array) -> tuple[Any, Any]:
    """The fractional and the whole part of `x`, both with its sign."""
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    whole = trunc(array)
    return where(isinf(array), copysign(0.0, array), array - whole), whole


def real(x: Array) -> Any:
    """`x` itself: complex numbers are not supported."""
    return as_array(x)


def imag(x: Array) -> Any:
    """Zeros: complex numbers are not supported."""
    return filled(x, 0)


def heaviside(x: Array, y: Array) -> Any:
    """0 below 0, 1 above, `y` at 0."""
    x, y = promote(x, y, dtype="f2")
    step = astype(greater(x, 0), x.dtype)
    return where(equal(x, 0), y, where(isnan(x), x, step))


def deg2rad(x: Array) -> Any:
    """Degrees as radians."""
    return multiply(x, math.pi / 180)


def rad2deg(x: Array) -> Any:
    """Radians as degrees."""
    return multiply(x, 180 / math.pi)


def fabs(x: Array) -> Any:
    """The absolute value; whole numbers become f64."""
    return unary_float(p.abs_, x)


def positive(x: Array) -> Any:
    """`x` itself."""
    return as_array(x)


def divmod(x: Array, y: Array) -> tuple[Any, Any]:
    """`x // y` and `x % y`."""
    return floor_divide(x, y), remainder(x, y)


conj = conjugate = positive
round, fix, degrees, radians = around, trunc, rad2deg, deg2rad  # NumPy's other names
