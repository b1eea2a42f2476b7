"""Sums, products and what is counted over axes, under NumPy's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import B, Primitive, apply, array_type
from nnjit.numpy.elementwise import divide, equal, greater, multiply, not_equal
from nnjit.numpy.promotion import (
    Array,
    as_array,
    astype,
    broadcast_to,
    filled,
    least_i64,
    refuse_out,
    unary_float,
)
from nnjit.numpy.shaping.axes import length_of, moveaxis, normal_axes, reshape, shape
from nnjit.numpy.shaping.joining import concatenate
from nnjit.numpy.special import isclose

Axis = int | tuple[int, ...] | None


def reduced(primitive: Primitive, x: Array, axis: Axis, keepdims: bool) -> Any:
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
    return reduced(p.reduce_sum, least_i64(array) if dtype is None else array, axis, keepdims)


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


def norm(x: Array) -> Any:
    """The Euclidean norm of all elements."""
    return unary_float(p.sqrt, sum(multiply(x, x)))


def count_nonzero(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis` are not zero."""
    return sum(astype(x, "b1"), axis, keepdims)


def prod(
    x: Array, axis: Axis = None, keepdims: bool = False, *, dtype: object = None, out: None = None
) -> Any:
    """The product over `axis`, in `dtype`, or that of `x` if None; its derivative is right at zeros too.

    Pairs are multiplied, and pairs of these, until one product is left.
    """
    array = prepared("prod", x, keepdims, dtype, out)
    array = least_i64(array) if dtype is None else array
    axes = axes_of(array, axis)
    size = math.prod(length_of(array, a) for a in axes)
    kept = [d for a, d in enumerate(shape(array)) if a not in axes]
    last = moveaxis(array, axes, tuple(range(-len(axes), 0))) if axes else array
    out = reshape(_halved(reshape(last, (*kept, size))), kept)
    return reshape(out, [1 if a in axes else d for a, d in enumerate(shape(array))]) if keepdims else out


def _halved(x: Any) -> Any:
    """The products along the last axis, of length 1."""
    length = length_of(x, -1)
    if length == 0:
        return filled(concatenate([x, filled(sum(x, -1, keepdims=True), 1)], -1), 1)
    while length > 1:
        half = length // 2
        pairs = multiply(x[..., :half], x[..., half : 2 * half])
        x = pairs if length % 2 == 0 else concatenate([pairs, x[..., 2 * half :]], -1)
        length = length_of(x, -1)
    return x


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether some element over `axis` is not zero."""
    return greater(sum(not_equal(x, 0), axis, keepdims), 0)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether every element over `axis` is not zero."""
    return equal(sum(equal(x, 0), axis, keepdims), 0)


def allclose(x: Array, y: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close, as `isclose` has it."""
    return all(isclose(x, y, rtol, atol, equal_nan))
