"""The options that reductions share: `axis`, `keepdims`, `dtype`, `where` and `initial`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Primitive, type_of
from nnjit.numpy.elementwise import where
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_shapes, refuse_out
from nnjit.numpy.shaping.axes import normal_axes, reshape, shape

Axis = int | tuple[int, ...] | None


def axes_of(x: Any, axis: Axis) -> tuple[int, ...]:
    """The axes in ascending order; all if None."""
    return tuple(range(x.ndim)) if axis is None else tuple(sorted(normal_axes(axis, x.ndim)))


def reduced(primitive: Primitive, x: Array, axis: Axis, keepdims: bool) -> Any:
    """Reduce `x` over `axis` by a primitive."""
    array = as_array(x)
    axes = axes_of(array, axis)
    return with_ones(primitive(array, axes=axes) if axes else array, array, axes, keepdims)


def with_ones(out: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """A result of reducing `x` over `axes`; if `keepdims`, with axes of length 1 there."""
    return reshape(out, [1 if a in axes else d for a, d in enumerate(shape(x))]) if keepdims else out


def prepared(name: str, x: Array, keepdims: object, dtype: object, out: object) -> Any:
    """`x` in the requested dtype, after checking a reduction's options.

    Raises:
        GraphError: `keepdims` is not a truth value. TypeError: `out` is given.
    """
    refuse_out(name, out)
    if not isinstance(keepdims, (bool, np.bool_)):
        raise GraphError(
            f"{name}: keepdims must be True or False, got {keepdims!r}; give the third argument of "
            "NumPy's function, a dtype, by name: dtype=…"
        )
    return as_array(x) if dtype is None else astype(x, dtype)


def masked(name: str, x: Any, mask: Array | None, value: Array) -> Any:
    """`x` with `value` for the elements that `where=` leaves out.

    Raises:
        GraphError: the mask is not of truth values, or does not broadcast to `x`.
    """
    return x if mask is None else where(mask_of(name, x, mask), x, value)


def mask_of(name: str, x: Any, mask: Array) -> Any:
    """The mask as an array that broadcasts to `x`."""
    array = as_array(mask)
    if array.dtype.kind != "b":
        raise GraphError(f"{name}: where= takes truth values, got {type_of(array)}, as x > 0 gives")
    if broadcast_shapes(shape(array), shape(x)) != shape(x):
        raise GraphError(f"{name}: where= of {type_of(array)} does not broadcast to {type_of(x)}")
    return array


def start_of(name: str, x: Any, initial: Array) -> Any:
    """`initial=` in the dtype of `x`: the number a reduction starts from.

    Raises:
        GraphError: it is not one number.
    """
    number = as_array(initial)
    if number.ndim:
        raise GraphError(f"{name}: initial= must be one number, got {type_of(number)}")
    return astype(number, x.dtype)
