"""Reductions and what is made of them, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import B, Primitive, apply, array_type, type_of
from nnjit.numpy.elementwise import (
    divide,
    equal,
    exp,
    isfinite,
    log,
    logical_or,
    multiply,
    not_equal,
    stop_gradient,
    subtract,
    where,
)
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, least_i64, refuse_out, unary_float
from nnjit.numpy.shaping import normal_axes, one_axis, ravel, reshape, shape

Axis = int | tuple[int, ...] | None


def _reduce(primitive: Primitive, x: Array, axis: Axis, keepdims: bool) -> Any:
    array = as_array(x)
    axes = axes_of(array, axis)
    out = primitive(array, axes=axes) if axes else array
    return reshape(out, [1 if a in axes else d for a, d in enumerate(shape(array))]) if keepdims else out


def prepared(name: str, x: Array, keepdims: object, dtype: object, out: object) -> Any:
    """`x` in the dtype that is asked for, where all options of a reduction are such that it can be done.

    Raises:
        GraphError: `keepdims` is not a truth value. TypeError: the result should be written into an array.
    """
    refuse_out(name, out)
    if not isinstance(keepdims, (bool, np.bool_)):
        raise GraphError(
            f"{name}: keepdims is True or False, got {keepdims!r}; where NumPy has a dtype in third place, "
            "give it by name: dtype=…"
        )
    return as_array(x) if dtype is None else astype(x, dtype)


def axes_of(x: Any, axis: Axis) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else tuple(sorted(normal_axes(axis, x.ndim)))


def sum(
    x: Array, axis: Axis = None, keepdims: bool = False, *, dtype: object = None, out: None = None
) -> Any:
    """The sum over `axis` (all axes if None), in `dtype`, or that of `x` if None."""
    array = prepared("sum", x, keepdims, dtype, out)
    return _reduce(p.reduce_sum, least_i64(array) if dtype is None else array, axis, keepdims)


def max(x: Array, axis: Axis = None, keepdims: bool = False, *, out: None = None) -> Any:
    """The largest element over `axis`; the derivative is shared evenly between equal ones."""
    return _extremum(p.reduce_max, prepared("max", x, keepdims, None, out), axis, keepdims)


def min(x: Array, axis: Axis = None, keepdims: bool = False, *, out: None = None) -> Any:
    """The smallest element over `axis`; the derivative is shared evenly between equal ones."""
    return _extremum(p.reduce_min, prepared("min", x, keepdims, None, out), axis, keepdims)


def _extremum(primitive: Primitive, x: Any, axis: Axis, keepdims: bool) -> Any:
    axes = axes_of(x, axis)
    empty = [a for a, d in enumerate(shape(x)) if d == 0]
    if empty and set(empty) <= set(axes):
        raise GraphError(f"{primitive.name[7:]} of {type_of(x)}: there are no elements over axes {axes}")
    if x.dtype.kind == "b":
        return astype(_reduce(primitive, astype(x, "i32"), axis, keepdims), "b1")
    return _reduce(primitive, x, axis, keepdims)


def mean(
    x: Array, axis: Axis = None, keepdims: bool = False, *, dtype: object = None, out: None = None
) -> Any:
    """The mean over `axis`, computed in `dtype`; whole numbers become f64."""
    array = prepared("mean", x, keepdims, dtype, out)
    array = array if array.dtype.kind == "f" else astype(array, "f64")
    return divide(sum(array, axis, keepdims), count_of(array, axes_of(array, axis)))


def count_of(x: Any, axes: tuple[int, ...]) -> Any:
    """How many elements are reduced: a number, or a sum of ones if the batch axis is among them."""
    count = 1
    for a in axes:
        length = shape(x)[a]
        if not isinstance(length, int):
            ones = broadcast_to(apply(p.cast, p.full(array_type("i32"), 1, ()), dtype=x.dtype), (B,))
            return multiply(count_of(x, tuple(b for b in axes if b != a)), sum(ones))
        count *= length
    return count


amax, amin = max, min


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the largest element along `axis`, the first of equal ones or NaN; i32, no derivative.

    Args:
        axis: None looks among all elements, row by row.
    """
    return _place(max, x, axis, keepdims)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the smallest element along `axis`, the first of equal ones or NaN; i32, no derivative.

    Args:
        axis: None looks among all elements, row by row.
    """
    return _place(min, x, axis, keepdims)


def _place(extremum: Callable[..., Any], x: Array, axis: int | None, keepdims: bool) -> Any:
    if axis is None:
        found = _place(extremum, ravel(x), 0, False)
        return reshape(found, (1,) * as_array(x).ndim) if keepdims else found
    array = as_array(x)
    place = one_axis(axis, array.ndim)
    value = extremum(array, place, keepdims=True)
    length = shape(array)[place]
    if not isinstance(length, int):
        raise GraphError("argmax and argmin over the batch axis are not supported")
    line = [-1 if a == place else 1 for a in range(array.ndim)]
    is_there = logical_or(equal(array, value), not_equal(array, array))
    return min(where(is_there, reshape(np.arange(length, dtype=np.int32), line), length), place, keepdims)


def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Log Σ exp(x), shifted by the largest element so that nothing overflows."""
    top = stop_gradient(max(x, axis, keepdims=True))
    top = where(isfinite(top), top, 0.0)
    total = log(sum(exp(subtract(x, top)), axis, keepdims=True)) + top
    return total if keepdims else reshape(total, shape(max(x, axis)))


def softmax(x: Array, axis: int = -1) -> Any:
    """exp(x) / Σ exp(x) along `axis`."""
    e = exp(subtract(x, stop_gradient(max(x, axis, keepdims=True))))
    return divide(e, sum(e, axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Any:
    """X - log Σ exp(x) along `axis`."""
    shifted = subtract(x, stop_gradient(max(x, axis, keepdims=True)))
    return subtract(shifted, log(sum(exp(shifted), axis, keepdims=True)))


def norm(x: Array) -> Any:
    """The Euclidean norm of all elements."""
    return unary_float(p.sqrt, sum(multiply(x, x)))


def count_nonzero(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis` are not zero."""
    return sum(astype(x, "b1"), axis, keepdims)
