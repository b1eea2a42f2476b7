"""Maxima and minima over axes, and their places, under NumPy's names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import Primitive, type_of
from nnjit.numpy.elementwise import equal, logical_or, maximum, minimum, not_equal, subtract, where
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to
from nnjit.numpy.reduction.options import Axis, axes_of, masked, prepared, reduced, start_of, with_ones
from nnjit.numpy.shaping.axes import one_axis, ravel, reshape, shape


def max(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The largest element over `axis`; the derivative is shared evenly between equal ones.

    Args:
        initial: the smallest possible result, also the result for no elements.
        where: the elements to include, as truth values that broadcast to `x`; needs `initial`.
    """
    array = prepared("max", x, keepdims, None, out)
    return _extremum(p.reduce_max, array, axis, keepdims, initial, where)


def min(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The smallest element over `axis`; the derivative is shared evenly between equal ones.

    Args:
        initial: the largest possible result, also the result for no elements.
        where: the elements to include, as truth values that broadcast to `x`; needs `initial`.
    """
    array = prepared("min", x, keepdims, None, out)
    return _extremum(p.reduce_min, array, axis, keepdims, initial, where)


def _extremum(
    primitive: Primitive, x: Any, axis: Axis, keepdims: bool, initial: Array | None, mask: Array | None
) -> Any:
    name = primitive.name[7:]
    if mask is not None and mask is not True and initial is None:
        raise GraphError(f"{name}: where= needs initial=, the result if no element is left")
    if x.dtype.kind == "b":
        return astype(_extremum(primitive, astype(x, "i32"), axis, keepdims, initial, mask), "b1")
    axes = axes_of(x, axis)
    kept = tuple(d for a, d in enumerate(shape(x)) if a not in axes)
    is_empty = 0 in [shape(x)[a] for a in axes] and 0 not in kept
    if is_empty and initial is None:
        raise GraphError(f"{name} of {type_of(x)}: there are no elements over axes {axes}; give initial=")
    if is_empty:
        return with_ones(broadcast_to(start_of(name, x, initial), kept), x, axes, keepdims)
    bound = maximum if primitive is p.reduce_max else minimum
    found = reduced(primitive, masked(name, x, mask, _worst(x, bound)), axis, keepdims)
    return found if initial is None else bound(found, start_of(name, x, initial))


def _worst(x: Any, bound: Callable[..., Any]) -> float:
    """The number that any other of the dtype replaces."""
    if x.dtype.kind == "f":
        return -math.inf if bound is maximum else math.inf
    info = np.iinfo(x.dtype)
    return int(info.min if bound is maximum else info.max)


amax, amin = max, min


def ptp(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest element over `axis`."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def argmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the largest element along `axis`, the first of equal ones or NaN; i32, no derivative.

    Args:
        axis: None searches the flattened array.
    """
    return _place(max, x, axis, keepdims)


def argmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the smallest element along `axis`, the first of equal ones or NaN; i32, no derivative.

    Args:
        axis: None searches the flattened array.
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
