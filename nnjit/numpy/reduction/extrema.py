"""The largest and the smallest elements over axes, and their places, under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import Primitive, type_of
from nnjit.numpy.elementwise import equal, logical_or, not_equal, subtract, where
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction.sums import Axis, axes_of, prepared, reduced
from nnjit.numpy.shaping.axes import one_axis, ravel, reshape, shape


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
        return astype(reduced(primitive, astype(x, "i32"), axis, keepdims), "b1")
    return reduced(primitive, x, axis, keepdims)


amax, amin = max, min


def ptp(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest element over `axis`."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


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
