"""Numerical recipes under NumPy's names: integrals, differences, interpolation, polynomials, covariances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnjit.errors import GraphError
from nnjit.numpy.diagonals import diagonal
from nnjit.numpy.elementwise import (
    add,
    clip,
    divide,
    greater_equal,
    less,
    less_equal,
    multiply,
    sqrt,
    subtract,
    where,
)
from nnjit.numpy.indexing import take
from nnjit.numpy.joining import concatenate, flip, stack
from nnjit.numpy.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype, filled, promote
from nnjit.numpy.reduction import mean, sum
from nnjit.numpy.shaping import (
    axis_last,
    expand_dims,
    length_of,
    moveaxis,
    normal_axes,
    ravel,
    shape,
    swapaxes,
)
from nnjit.numpy.sliding import convolve
from nnjit.numpy.statistics import diff


def trapezoid(y: Array, x: Array | None = None, dx: Array = 1.0, axis: int = -1) -> Any:
    """The integral of `y` along `axis` by the trapezoidal rule, at the places `x` or `dx` apart."""
    values = axis_last(y, axis)
    steps = dx if x is None else diff(x if as_array(x).ndim == 1 else axis_last(x, axis))
    return sum(multiply(steps, divide(add(values[..., 1:], values[..., :-1]), 2.0)), -1)


def gradient(f: Array, spacing: Array = 1.0, *, axis: Any = None) -> Any:
    """The slopes of `f` along each axis: central differences, at both ends those of neighbours.

    Args:
        spacing: the distance between neighbours, the same everywhere.
        axis: one alone, or some; a list of slopes is returned for more than one.

    Raises:
        GraphError: an axis is shorter than 2, or the spacing is not a number.
    """
    array = as_array(f) if as_array(f).dtype.kind == "f" else astype(f, "f64")
    if as_array(spacing).ndim:
        raise GraphError("gradient: expected one distance between neighbours, got an array of places")
    axes = normal_axes(tuple(range(array.ndim)) if axis is None else axis, array.ndim)
    slopes = [_slopes(array, spacing, a) for a in axes]
    return slopes[0] if len(slopes) == 1 else slopes


def _slopes(x: Any, spacing: Array, axis: int) -> Any:
    line = axis_last(x, axis)
    if length_of(line, -1) < 2:
        raise GraphError(f"gradient: axis {axis} has length {length_of(line, -1)}; at least 2 are needed")
    inner = divide(subtract(line[..., 2:], line[..., :-2]), 2.0)
    first, last = subtract(line[..., 1:2], line[..., :1]), subtract(line[..., -1:], line[..., -2:-1])
    return moveaxis(divide(concatenate([first, inner, last], -1), spacing), -1, axis)


def ediff1d(x: Array) -> Any:
    """The differences of neighbours in the row of all elements."""
    return diff(ravel(x))


def interp(x: Array, xp: Array, fp: Array, left: Array | None = None, right: Array | None = None) -> Any:
    """The broken line through the points (`xp`, `fp`) at `x`; `left` and `right` of it its ends, or these.

    Args:
        xp: ascending.
    """
    x, xp, fp = promote(x, xp, fp, dtype="f8")
    count = length_of(xp, 0)
    if count == 1:
        return add(filled(x, 0), fp[0])
    passed = sum(astype(less_equal(xp, expand_dims(x, -1)), "i64"), -1)
    k = clip(passed, 1, count - 1)
    x0, x1, y0, y1 = take(xp, k - 1), take(xp, k), take(fp, k - 1), take(fp, k)
    inside = add(y0, multiply(divide(subtract(y1, y0), subtract(x1, x0)), subtract(x, x0)))
    below = where(less(x, xp[0]), fp[0] if left is None else left, inside)
    return where(greater_equal(x, xp[-1]), _end(x, xp, fp, right), below)


def _end(x: Any, xp: Any, fp: Any, right: Array | None) -> Any:
    """The value at the last point and beyond it."""
    return fp[-1] if right is None else where(less_equal(x, xp[-1]), fp[-1], right)


def polyval(p: Array, x: Array) -> Any:
    """The polynomial of the coefficients `p`, that of the highest power first, at `x` (Horner's scheme)."""
    p, x = promote(p, x)
    total: Any = filled(x, 0)
    for coefficient in p:
        total = add(multiply(total, x), coefficient)
    return total


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Any:  # NumPy's name
    """The powers of a vector as columns, N of them, the highest first unless `increasing`."""
    array, count = as_array(x), length_of(x, 0) if N is None else N
    powers = [filled(array, 1)]
    for _ in range(count - 1):
        powers.append(multiply(powers[-1], array))
    return stack(powers[:count] if increasing else powers[:count][::-1], -1)


def correlate(a: Array, v: Array, mode: str = "valid") -> Any:
    """The products of `a` and `v`, moved along it, summed; which of them, `mode` says as for `convolve`."""
    if length_of(a, 0) < length_of(v, 0):
        return flip(correlate(v, a, mode))
    return convolve(a, flip(v), mode)


def cov(
    m: Array, y: Array | None = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None
) -> Any:
    """The covariances of variables.

    Args:
        m: a variable in each row, its observations in the columns; in each column unless `rowvar`.
        y: further variables.
        ddof: what is taken from the number of observations; 1 if None, 0 if `bias`.
    """
    rows = _variables(m, rowvar)
    rows = rows if y is None else concatenate([rows, _variables(y, rowvar)], 0)
    apart = subtract(rows, mean(rows, 1, keepdims=True))
    count = length_of(rows, 1) - ((0 if bias else 1) if ddof is None else ddof)
    out = divide(matmul(apart, swapaxes(apart, 0, 1)), count)
    return out[0, 0] if shape(out) == (1, 1) else out


def corrcoef(x: Array, y: Array | None = None, rowvar: bool = True) -> Any:
    """The coefficients of correlation of variables, as `cov` takes them."""
    out = cov(x, y, rowvar)
    if not shape(out):
        return divide(out, out)
    size = sqrt(diagonal(out))
    return clip(divide(divide(out, expand_dims(size, 1)), size), -1.0, 1.0)


def _variables(x: Array, rowvar: bool) -> Any:
    """Variables as the rows of a matrix of floats."""
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    if array.ndim < 2:
        return expand_dims(ravel(array), 0)
    return array if rowvar else swapaxes(array, 0, 1)


def select(condlist: Sequence[Array], choicelist: Sequence[Array], default: Array = 0) -> Any:
    """The first of `choicelist` whose condition holds, else `default`."""
    if len(condlist) != len(choicelist) or not condlist:
        raise GraphError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; one each is needed"
        )
    *choices, out = promote(*choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        out = where(condition, choice, out)
    return out


def vecdot(a: Array, b: Array, axis: int = -1) -> Any:
    """The sum of the products along `axis`; the other axes broadcast."""
    return sum(multiply(axis_last(a, axis), axis_last(b, axis)), -1)
