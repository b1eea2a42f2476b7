"""Differences, integrals and interpolation under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit.errors import GraphError
from nnjit.numpy.elementwise import (
    add,
    clip,
    divide,
    greater_equal,
    less,
    less_equal,
    multiply,
    not_equal,
    subtract,
    where,
)
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled, promote
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import (
    axis_last,
    expand_dims,
    length_of,
    moveaxis,
    normal_axes,
    one_axis,
    ravel,
    shape,
)
from nnjit.numpy.shaping.joining import concatenate


def diff(
    x: Array, n: int = 1, axis: int = -1, prepend: Array | None = None, append: Array | None = None
) -> Any:
    """The differences of neighbours along `axis`, `n` times over, with `prepend` and `append` at its ends."""
    array = as_array(x)
    place = one_axis(axis, array.ndim)
    if prepend is not None or append is not None:
        array = concatenate([*_end(array, prepend, place), array, *_end(array, append, place)], place)
    before, after = ((slice(None),) * place + (part,) for part in (slice(None, -1), slice(1, None)))
    minus = not_equal if array.dtype.kind == "b" else subtract
    for _ in range(n):
        array = minus(array[after], array[before])
    return array


def _end(x: Any, end: Array | None, axis: int) -> list[Any]:
    """What is set at an end of `x`: nothing, an array, or a number for every line along `axis`."""
    if end is None:
        return []
    if as_array(end).ndim:
        return [end]
    return [broadcast_to(end, tuple(1 if a == axis else d for a, d in enumerate(shape(x))))]


def ediff1d(x: Array) -> Any:
    """The differences of neighbours in the row of all elements."""
    return diff(ravel(x))


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


def trapezoid(y: Array, x: Array | None = None, dx: Array = 1.0, axis: int = -1) -> Any:
    """The integral of `y` along `axis` by the trapezoidal rule, at the places `x` or `dx` apart."""
    values = axis_last(y, axis)
    steps = dx if x is None else diff(x if as_array(x).ndim == 1 else axis_last(x, axis))
    return sum(multiply(steps, divide(add(values[..., 1:], values[..., :-1]), 2.0)), -1)


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
    return where(greater_equal(x, xp[-1]), _last_value(x, xp, fp, right), below)


def _last_value(x: Any, xp: Any, fp: Any, right: Array | None) -> Any:
    """The value at the last point and beyond it."""
    return fp[-1] if right is None else where(less_equal(x, xp[-1]), fp[-1], right)
