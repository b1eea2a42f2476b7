"""Differences, integrals and interpolation, under NumPy's names."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import (
    abs,
    add,
    clip,
    divide,
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    multiply,
    not_equal,
    remainder,
    stop_gradient,
    subtract,
    where,
)
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.indexing.sorting import argsort
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled, promote
from nnjit.numpy.reduction.running import cumsum
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
from nnjit.numpy.shaping.creation import full
from nnjit.numpy.shaping.joining import concatenate


def diff(
    x: Array, n: int = 1, axis: int = -1, prepend: Array | None = None, append: Array | None = None
) -> Any:
    """The `n`th differences of neighbours along `axis`, after adding `prepend` and `append` at its ends."""
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
    """Values to add at an end of `x`: none, an array, or a number for every line along `axis`."""
    if end is None:
        return []
    if as_array(end).ndim:
        return [end]
    return [broadcast_to(end, tuple(1 if a == axis else d for a, d in enumerate(shape(x))))]


def ediff1d(x: Array, to_end: Array | None = None, to_begin: Array | None = None) -> Any:
    """The differences of neighbours in the flattened array, between `to_begin` and `to_end`."""
    line = diff(ravel(x))
    ends = ([] if end is None else [astype(ravel(end), line.dtype)] for end in (to_begin, to_end))
    before, after = ends
    return concatenate([*before, line, *after]) if before or after else line


def unwrap(p: Array, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """`p` with whole periods added along `axis`, so that neighbours differ by at most half a period.

    The derivative is that of `p`: the periods added are piecewise constant.

    Args:
        discont: the smallest jump to correct, if more than half a period.
    """
    array = as_array(p)
    place = one_axis(axis, array.ndim)
    steps = diff(array, axis=place)
    whole = steps.dtype.kind != "f" and isinstance(period, (int, np.integer))
    steps = steps if whole or steps.dtype.kind == "f" else astype(steps, "f64")
    half, is_even = (period // 2, period % 2 == 0) if whole else (period / 2, True)
    near = add(remainder(add(steps, half), period), -half)
    if is_even:
        near = where(logical_and(equal(near, -half), greater(steps, 0)), half, near)
    small = less(abs(steps), half if discont is None else discont)
    jumps = where(small, 0, stop_gradient(subtract(near, steps)))
    line = astype(array, jumps.dtype)
    if length_of(line, place) == 0:
        return line
    first, rest = (line[(slice(None),) * place + (part,)] for part in (slice(1), slice(1, None)))
    return concatenate([first, add(rest, cumsum(jumps, place))], place)


def gradient(f: Array, *spacing: Array, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes of `f` along each axis: central differences, one-sided at both ends.

    Args:
        spacing: the distance of neighbours, or the places of the elements as a vector; one for all axes, or
            one for each.
        axis: one or several; several give a list of slopes.
        edge_order: 1 or 2, the order of accuracy at both ends.

    Raises:
        GraphError: an axis is too short, or a vector of places does not fit it.
    """
    array = as_array(f) if as_array(f).dtype.kind == "f" else astype(f, "f64")
    axes = normal_axes(tuple(range(array.ndim)) if axis is None else axis, array.ndim)
    if edge_order not in (1, 2):
        raise GraphError(f"gradient: edge_order must be 1 or 2, got {edge_order!r}")
    if len(spacing) not in (0, 1, len(axes)):
        raise GraphError(f"gradient: {len(spacing)} spacings for {len(axes)} axes; give one, or one for each")
    steps = spacing if len(spacing) == len(axes) else (spacing or (1.0,)) * len(axes)
    slopes = [_slopes(array, h, a, edge_order) for h, a in zip(steps, axes, strict=True)]
    return slopes[0] if len(slopes) == 1 else slopes


def _slopes(x: Any, spacing: Array, axis: int, edge_order: int) -> Any:
    line, least = axis_last(x, axis), edge_order + 1
    length = length_of(line, -1)
    if length < least:
        raise GraphError(f"gradient: axis {axis} has length {length}; at least {least} are needed")
    h = as_array(spacing)
    if h.ndim and shape(h) != (length,):
        raise GraphError(f"gradient: places {type_of(h)} for axis {axis} of {type_of(x)}")
    h = diff(h) if h.ndim else full(length - 1, h)
    change = divide(subtract(line[..., 1:], line[..., :-1]), astype(h, line.dtype))
    before, after = h[:-1], h[1:]
    part = astype(divide(after, add(before, after)), line.dtype)
    inner = add(multiply(part, change[..., :-1]), multiply(subtract(1.0, part), change[..., 1:]))
    first, last = change[..., :1], change[..., -1:]
    if edge_order == 2:  # a parabola's slopes at both ends of a chord have the chord's slope as their mean
        first = subtract(multiply(2.0, first), inner[..., :1])
        last = subtract(multiply(2.0, last), inner[..., -1:])
    return moveaxis(concatenate([first, inner, last], -1), -1, axis)


def trapezoid(y: Array, x: Array | None = None, dx: Array = 1.0, axis: int = -1) -> Any:
    """The integral of `y` along `axis` by the trapezoidal rule, at the places `x` or `dx` apart."""
    values = axis_last(y, axis)
    steps = dx if x is None else diff(x if as_array(x).ndim == 1 else axis_last(x, axis))
    return sum(multiply(steps, divide(add(values[..., 1:], values[..., :-1]), 2.0)), -1)


def interp(
    x: Array,
    xp: Array,
    fp: Array,
    left: Array | None = None,
    right: Array | None = None,
    period: float | None = None,
) -> Any:
    """Interpolate linearly between the points (`xp`, `fp`) at `x`; beyond them, `left` and `right`.

    Args:
        xp: ascending; in any order if there is a period.
        period: the distance after which the line repeats; it then has no ends.
    """
    if period is not None:
        return _periodic(x, xp, fp, builtins.abs(period))
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
    """The value at the last point and beyond."""
    return fp[-1] if right is None else where(less_equal(x, xp[-1]), fp[-1], right)


def _periodic(x: Array, xp: Array, fp: Array, period: float) -> Any:
    """`interp` within one period, with the outermost points repeated before and after it."""
    if period == 0:
        raise GraphError("interp: the period is 0")
    x, xp, fp = promote(x, xp, fp, dtype="f8")
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort(xp)
    xp, fp = take(xp, order), take(fp, order)
    xp = concatenate([subtract(xp[-1:], period), xp, add(xp[:1], period)])
    return interp(x, xp, concatenate([fp[-1:], fp, fp[:1]]))
