"""Elementwise functions under NumPy's names, for arrays and traced values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import Node, Primitive, type_of
from nnjit.numpy.promotion import (
    Array,
    as_array,
    astype,
    binary,
    broadcast_together,
    filled,
    promote,
    refuse_out,
    unary_float,
)

Function = Callable[..., Any]


def _unary(primitive: Primitive, of_whole: bool = False) -> Function:
    """A function from a primitive of floats.

    Args:
        of_whole: whether whole numbers and truth values are returned unchanged, not converted to floats.
    """

    def function(x: Array, out: None = None) -> Any:
        refuse_out(primitive.name, out)
        array = as_array(x)
        return array if of_whole and array.dtype.kind != "f" else unary_float(primitive, array)

    return _named(function, primitive)


def _number(primitive: Primitive) -> Function:
    def function(x: Array, out: None = None) -> Any:
        refuse_out(primitive.name, out)
        array = as_array(x)
        return array if primitive is p.abs_ and array.dtype.kind == "b" else primitive(array)

    return _named(function, primitive)


def _binary(primitive: Primitive, least: object = None, of_truth: Primitive | None = None) -> Function:
    """A function from a primitive of two arguments.

    Args:
        least: the smallest dtype they are promoted to.
        of_truth: the primitive for truth values, if any.
    """

    def function(x: Array, y: Array, out: None = None) -> Any:
        refuse_out(primitive.name, out)
        if of_truth is None or (isinstance(x, Node) and x.dtype.kind != "b"):
            return binary(primitive, x, y, dtype=least)
        x, y = promote(x, y, dtype=least)
        return binary(of_truth if x.dtype.kind == "b" else primitive, x, y)

    return _named(function, primitive)


def _logical(primitive: Primitive) -> Function:
    def function(*xs: Array, out: None = None) -> Any:
        refuse_out(primitive.name, out)
        return primitive(*broadcast_together(*(astype(x, "b1") for x in xs)))

    return _named(function, primitive)


def _named(function: Function, primitive: Primitive) -> Function:
    function.__name__ = function.__qualname__ = primitive.name
    function.__doc__ = f"`{primitive.name}` of each element; the arguments broadcast."
    return function


# fmt: off
exp, expm1, log, log1p = _unary(p.exp), _unary(p.expm1), _unary(p.log), _unary(p.log1p)
sqrt, sin, cos         = _unary(p.sqrt), _unary(p.sin), _unary(p.cos)
tanh, sigmoid          = _unary(p.tanh), _unary(p.sigmoid)
tan, arcsin, arccos    = _unary(p.tan), _unary(p.arcsin), _unary(p.arccos)
arctan, sinh, cosh     = _unary(p.arctan), _unary(p.sinh), _unary(p.cosh)
arcsinh, arccosh       = _unary(p.arcsinh), _unary(p.arccosh)
arctanh, exp2, log2    = _unary(p.arctanh), _unary(p.exp2), _unary(p.log2)
log10, cbrt, gammaln   = _unary(p.log10), _unary(p.cbrt), _unary(p.gammaln)
floor, ceil            = _unary(p.floor, of_whole=True), _unary(p.ceil, of_whole=True)
trunc, rint            = _unary(p.trunc, of_whole=True), _unary(p.rint)
arctan2                = _binary(p.arctan2, "f2")
hypot                  = _binary(p.hypot, "f2")
logaddexp              = _binary(p.logaddexp, "f2")
softplus, erf, relu    = _unary(p.softplus), _unary(p.erf), _unary(p.relu)
isfinite               = _unary(p.isfinite)
negative, abs, sign    = _number(p.neg), _number(p.abs_), _number(p.sign)
stop_gradient          = _number(p.stop_gradient)
subtract               = _binary(p.sub)
add, multiply          = _binary(p.add, None, p.logical_or), _binary(p.mul, None, p.logical_and)
maximum, minimum       = _binary(p.maximum, None, p.logical_or), _binary(p.minimum, None, p.logical_and)
less, less_equal       = _binary(p.less), _binary(p.less_equal)
equal, not_equal       = _binary(p.equal), _binary(p.not_equal)
logical_and            = _logical(p.logical_and)
logical_or             = _logical(p.logical_or)
logical_not            = _logical(p.logical_not)
# fmt: on


def _bits(primitive: Primitive, of_truth: Primitive) -> Function:
    """A function from primitives for the bits of whole numbers and for truth values."""

    def function(x: Array, y: Array, out: None = None) -> Any:
        refuse_out(primitive.name, out)
        x, y = promote(x, y)
        if x.dtype.kind == "f":
            raise GraphError(
                f"{primitive.name}: {type_of(x)} and {type_of(y)} are not whole numbers or truth values"
            )
        return binary(of_truth if x.dtype.kind == "b" else primitive, x, y)

    return _named(function, primitive)


bitwise_and = _bits(p.bitwise_and, p.logical_and)
bitwise_or = _bits(p.bitwise_or, p.logical_or)
bitwise_xor = _bits(p.bitwise_xor, p.not_equal)


def invert(x: Array, out: None = None) -> Any:
    """Negate each truth value, or each bit of whole numbers."""
    refuse_out("invert", out)
    array = as_array(x)
    return logical_not(array) if array.dtype.kind == "b" else bitwise_xor(array, -1)


def divide(x: Array, y: Array) -> Any:
    """`x / y`; whole numbers become f64 first."""
    x, y = promote(x, y)
    if x.dtype.kind != "f":
        x, y = astype(x, "f64"), astype(y, "f64")
    return binary(p.div, x, y)


def floor_divide(x: Array, y: Array) -> Any:
    """`x / y` rounded down; the derivative is 0."""
    x, y = promote(x, y, dtype=np.int32) if _are_truth(x, y) else promote(x, y)
    if x.dtype.kind != "f":
        return binary(p.floor_divide, x, y)
    x, y = stop_gradient(x), stop_gradient(y)
    rest = fmod(x, y)  # exact, unlike a rounded x / y; same steps as NumPy's npy_divmod
    times = divide(subtract(x, rest), y)
    is_over = logical_and(not_equal(rest, 0), not_equal(less(rest, 0), less(y, 0)))
    times = where(is_over, subtract(times, 1), times)
    whole = floor(times)
    whole = where(less(0.5, subtract(times, whole)), add(whole, 1), whole)
    return where(equal(y, 0), divide(x, y), whole)


def remainder(x: Array, y: Array, out: None = None) -> Any:
    """The remainder of `floor_divide`, with the sign of `y`."""
    refuse_out("remainder", out)
    x, y = promote(x, y, dtype=np.int32) if _are_truth(x, y) else promote(x, y)
    if x.dtype.kind == "f":
        return binary(p.remainder, x, y)
    left = subtract(x, multiply(y, binary(p.floor_divide, x, y)))
    return where(equal(y, 0), 0, left)


def fmod(x: Array, y: Array, out: None = None) -> Any:
    """The remainder of `x / y` rounded towards 0, with the sign of `x`."""
    refuse_out("fmod", out)
    x, y = promote(x, y, dtype=np.int32) if _are_truth(x, y) else promote(x, y)
    if x.dtype.kind == "f":
        return binary(p.fmod, x, y)
    left = remainder(x, y)
    is_over = logical_and(not_equal(left, 0), not_equal(less(x, 0), less(y, 0)))
    return where(is_over, subtract(left, y), left)


def _are_truth(x: Array, y: Array) -> bool:
    """Whether both are truth values, which NumPy converts to its smallest integers."""
    return all(as_array(v).dtype.kind == "b" for v in (x, y))


absolute, true_divide, mod = abs, divide, remainder  # NumPy's other names


def greater(x: Array, y: Array) -> Any:
    """`x > y`, for each element."""
    return less(y, x)


def greater_equal(x: Array, y: Array) -> Any:
    """`x >= y`, for each element."""
    return less_equal(y, x)


def power(x: Array, y: Array) -> Any:
    """`x ** y`; small whole exponents become products, 0.5 a square root."""
    if isinstance(y, (int, float)) and not isinstance(y, bool):
        x = astype(x, "i64") if as_array(x).dtype.kind == "b" else x
        if y == 0.5:
            return sqrt(x)
        if (
            float(y).is_integer()
            and 1 <= y <= 64
            and not (isinstance(y, float) and as_array(x).dtype.kind != "f")
        ):
            return _whole_power(as_array(x), int(y))
        if y == -1:
            return divide(1.0, x)
        if y == 0:
            return filled(promote(x, y)[0], 1)
    x, y = promote(x, y, dtype=np.int32) if _are_truth(x, y) else promote(x, y)
    return binary(p.pow_, x, y) if x.dtype.kind == "f" else _power_of_whole(x, y)


def _power_of_whole(x: Any, y: Any) -> Any:
    """`x ** y` of whole numbers, for exponents from 0 to 63, by repeated squaring.

    Raises:
        GraphError: a known exponent is negative.
    """
    if isinstance(y, np.ndarray) and (y < 0).any():
        raise GraphError("whole numbers to a negative power are not whole; convert them to floats first")
    x, y = astype(x, "i64") if x.dtype.kind == "b" else x, astype(y, "i64") if y.dtype.kind == "b" else y
    out: Any = 1
    for _ in range(6):
        out = multiply(out, where(equal(remainder(y, 2), 1), x, 1))
        x, y = multiply(x, x), floor_divide(y, 2)
    return out


def _whole_power(x: Any, n: int) -> Any:
    if n == 1:
        return x
    half = _whole_power(x, n // 2)
    return multiply(multiply(half, half), x) if n % 2 else multiply(half, half)


def square(x: Array) -> Any:
    """`x * x`."""
    array = as_array(x)
    array = astype(array, "i32") if array.dtype.kind == "b" else array
    return multiply(array, array)


def where(condition: Array, x: Array | None = None, y: Array | None = None) -> Any:
    """`x` where `condition` holds, else `y`; the derivative flows only into the chosen one.

    Without `x` and `y`, the places where a known condition holds, as in NumPy.
    """
    if x is None or y is None:
        return nonzero(condition)
    chosen, other = promote(x, y)
    return p.select(*broadcast_together(astype(condition, "b1"), chosen, other))


def nonzero(x: Array) -> tuple[Any, ...]:
    """The places of the nonzero elements, an array for each axis.

    Raises:
        GraphError: `x` is traced, so their number is not known yet.
    """
    array = as_array(x)
    if not isinstance(array, np.ndarray):
        raise GraphError(
            f"a traced value {array.type} does not say yet how many elements hold, and so not where; use "
            "nnjit.numpy.where with three arguments, count_nonzero, or argmax for the first place"
        )
    return np.nonzero(array)


def clip(
    x: Array,
    a_min: Array | None = None,
    a_max: Array | None = None,
    *,
    min: Array | None = None,
    max: Array | None = None,
    out: None = None,
) -> Any:
    """`x` bounded by `a_min` and `a_max`, also called `min` and `max`; None means no bound.

    At a bound the derivative is ½.
    """
    refuse_out("clip", out)
    low, high = (_one_of(*pair) for pair in (("a_min", a_min, "min", min), ("a_max", a_max, "max", max)))
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def _one_of(name: str, value: Any, other: str, alias: Any) -> Any:
    if value is not None and alias is not None:
        raise GraphError(f"clip: both {name} and {other} are given, but are the same bound; give one of them")
    return alias if value is None else value
