"""Sums, products and counts over axes, under NumPy's names."""

from __future__ import annotations

import math
from typing import Any

from nnjit import primitives as p
from nnjit.ir import B, apply, array_type
from nnjit.numpy.elementwise import add, divide, equal, greater, multiply, not_equal
from nnjit.numpy.promotion import (
    Array,
    astype,
    broadcast_to,
    filled,
    least_i64,
    unary_float,
)
from nnjit.numpy.reduction.options import (
    Axis,
    axes_of,
    mask_of,
    masked,
    prepared,
    reduced,
    start_of,
    with_ones,
)
from nnjit.numpy.shaping.axes import length_of, moveaxis, reshape, shape
from nnjit.numpy.shaping.joining import concatenate
from nnjit.numpy.special import isclose


def sum(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The sum over `axis` (all axes if None), in `dtype`, or the dtype of `x` if None.

    Args:
        initial: the starting value.
        where: the elements to add, as truth values that broadcast to `x`; all if None.
    """
    array = prepared("sum", x, keepdims, dtype, out)
    array = least_i64(array) if dtype is None else array
    total = reduced(p.reduce_sum, masked("sum", array, where, 0), axis, keepdims)
    return total if initial is None else add(total, start_of("sum", total, initial))


def mean(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    where: Array | None = None,
) -> Any:
    """The mean over `axis` of the elements where `where` holds, in `dtype`; whole numbers become f64."""
    array = prepared("mean", x, keepdims, dtype, out)
    array = array if array.dtype.kind == "f" else astype(array, "f64")
    total = sum(masked("mean", array, where, 0), axis, keepdims)
    return divide(total, count_of(array, axes_of(array, axis), where, keepdims))


def count_of(x: Any, axes: tuple[int, ...], mask: Array | None = None, keepdims: bool = False) -> Any:
    """How many elements are reduced: a number, or a sum of ones if it depends on the batch axis or a mask."""
    if mask is not None:
        return sum(broadcast_to(astype(mask_of("mean", x, mask), x.dtype), shape(x)), axes, keepdims)
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
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The product over `axis`, in `dtype`, or that of `x` if None; its derivative is right at zeros too.

    Pairs are multiplied, then pairs of these, until one product is left.

    Args:
        initial: the starting value.
        where: the elements to multiply, as truth values that broadcast to `x`; all if None.
    """
    array = prepared("prod", x, keepdims, dtype, out)
    array = masked("prod", least_i64(array) if dtype is None else array, where, 1)
    axes = axes_of(array, axis)
    size = math.prod(length_of(array, a) for a in axes)
    kept = [d for a, d in enumerate(shape(array)) if a not in axes]
    last = moveaxis(array, axes, tuple(range(-len(axes), 0))) if axes else array
    total = with_ones(reshape(_halved(reshape(last, (*kept, size))), kept), array, axes, keepdims)
    return total if initial is None else multiply(total, start_of("prod", total, initial))


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


def any(x: Array, axis: Axis = None, keepdims: bool = False, *, where: Array | None = None) -> Any:
    """Whether any element over `axis`, where `where` holds, is not zero."""
    return greater(sum(not_equal(x, 0), axis, keepdims, where=where), 0)


def all(x: Array, axis: Axis = None, keepdims: bool = False, *, where: Array | None = None) -> Any:
    """Whether every element over `axis`, where `where` holds, is not zero."""
    return equal(sum(equal(x, 0), axis, keepdims, where=where), 0)


def allclose(a: Array, b: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close, as by `isclose`."""
    return all(isclose(a, b, rtol, atol, equal_nan))
