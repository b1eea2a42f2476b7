"""Shapes and the order of axes, under NumPy's names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import Dim, Shape, type_of
from nnjit.ir.types import static
from nnjit.numpy.promotion import Array, as_array


def shape(x: Array) -> Shape:
    """The shape of `x`; a traced value's may start with the batch axis."""
    return type_of(as_array(x)).shape


def ndim(x: Array) -> int:
    """The number of axes of `x`."""
    return len(shape(x))


def size(x: Array, axis: int | None = None) -> int:
    """The number of elements of `x`, or of one axis."""
    return math.prod(static(shape(x))) if axis is None else length_of(x, axis)


def length_of(x: Array, axis: int) -> int:
    """The length of an axis other than the batch axis."""
    dims = shape(x)
    length = dims[one_axis(axis, len(dims))]
    if not isinstance(length, int):
        raise GraphError(
            f"{type_of(as_array(x))}: the batch axis has no length yet: it can be neither cut nor repeated"
        )
    return length


def reshape(x: Array, shape: Sequence[Dim] | int, order: str = "C") -> Any:
    """`x` in another shape; one axis may be -1. The batch axis stays first.

    Args:
        order: whether the last index changes fastest ("C", here "A" too) or the first one ("F").
    """
    array = as_array(x)
    new: tuple[Dim, ...] = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if _is_fortran("reshape", order, "CFA"):
        return transpose(reshape(transpose(array), new[::-1]))
    if -1 in new:
        size = math.prod(d for d in type_of(array).shape if isinstance(d, int))
        known = math.prod(d for d in new if isinstance(d, int) and d != -1)
        new = tuple(size // max(known, 1) if d == -1 else d for d in new)
    return array if type_of(array).shape == new else p.reshape(array, shape=new)


def ravel(x: Array, order: str = "C") -> Any:
    """`x` flattened to one axis.

    Args:
        order: whether the last index changes fastest ("C", here "A" and "K" too) or the first one ("F").
    """
    if _is_fortran("ravel", order, "CFAK"):
        return ravel(transpose(x))
    return as_array(x) if len(shape(x)) == 1 else reshape(x, -1)


def _is_fortran(name: str, order: object, valid: str) -> bool:
    """Whether the first index changes fastest; the order in memory is neither known nor kept."""
    if order not in tuple(valid):
        raise GraphError(f"{name}: unknown order {order!r}; valid: {', '.join(valid)}")
    return order == "F"


def transpose(x: Array, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes permuted; reversed if no order is given."""
    array = as_array(x)
    perm = tuple(range(array.ndim))[::-1] if axes is None else normal_axes(axes, array.ndim)
    if len(perm) != array.ndim:
        raise GraphError(f"transpose: {len(perm)} axes for {type_of(array)}, which has {array.ndim}")
    return array if perm == tuple(range(array.ndim)) else p.transpose(array, perm=perm)


def transpose_method(x: Array, *axes: Any) -> Any:
    """`transpose` as a method: the axes one by one, or together."""
    return transpose(x, None if not axes else axes[0] if isinstance(axes[0], (tuple, list)) else axes)


def swapaxes(x: Array, axis1: int, axis2: int) -> Any:
    """`x` with two axes swapped."""
    axes = list(range(len(shape(x))))
    first, second = (one_axis(a, len(axes)) for a in (axis1, axis2))
    axes[first], axes[second] = second, first
    return transpose(x, axes)


def matrix_transpose(x: Array) -> Any:
    """`x` with its last two axes swapped."""
    if ndim(x) < 2:
        raise GraphError(
            f"matrix_transpose: {type_of(as_array(x))} has {ndim(x)} axes; at least 2 are needed"
        )
    return swapaxes(x, -1, -2)


def unstack(x: Array, axis: int = 0) -> tuple[Any, ...]:
    """The parts of `x` along `axis`, without that axis."""
    return tuple(moveaxis(x, one_axis(axis, ndim(x)), 0))


def moveaxis(x: Array, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """`x` with the axes `source` at the places `destination`, the others in order."""
    ndim = len(shape(x))
    moved, places = (normal_axes(a, ndim) for a in (source, destination))
    order = [a for a in range(ndim) if a not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


def axis_last(x: Array, axis: int) -> Any:
    """`x` with one axis last, the others in order."""
    return moveaxis(x, one_axis(axis, ndim(x)), -1)


def expand_dims(x: Array, axis: int | Sequence[int]) -> Any:
    """`x` with an axis of length 1 inserted at `axis`, or at each of several."""
    dims = list(shape(x))
    count = len(axis) if isinstance(axis, (tuple, list, range)) else 1
    for place in sorted(normal_axes(axis, len(dims) + count)):
        dims.insert(place, 1)
    return reshape(x, dims)


def squeeze(x: Array, axis: int | Sequence[int] | None = None) -> Any:
    """`x` without its axes `axis`, of length 1; if None, without all such axes."""
    dims = shape(x)
    chosen = [a for a, d in enumerate(dims) if d == 1] if axis is None else normal_axes(axis, len(dims))
    for a in chosen:
        if dims[a] != 1:
            raise GraphError(f"squeeze: axis {a} of {type_of(as_array(x))} does not have length 1")
    return reshape(x, [d for a, d in enumerate(dims) if a not in chosen])


def normal_axes(axis: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    """The axes counted from the front.

    Raises:
        GraphError: one is out of range for `ndim` axes, or occurs twice.
    """
    given = tuple(axis) if isinstance(axis, (tuple, list, range)) else (axis,)
    axes = tuple(one_axis(a, ndim) for a in given)
    if len(set(axes)) != len(axes):
        raise GraphError(f"axes {axis}: one of them occurs twice")
    return axes


def one_axis(axis: int, ndim: int) -> int:
    """The axis counted from the front.

    Raises:
        GraphError: it is not one whole number, or out of range for `ndim` axes.
    """
    if not isinstance(axis, (int, np.integer)):
        raise GraphError(f"axis {axis!r}: expected one whole number")
    if not -ndim <= axis < ndim:
        raise GraphError(f"axis {axis} is out of range for {ndim} axes")
    return int(axis) % ndim
