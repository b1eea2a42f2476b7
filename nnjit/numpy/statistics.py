"""Reductions that are composed of others, and running sums and products, under NumPy's names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import add, divide, equal, greater, multiply, not_equal, square, subtract
from nnjit.numpy.joining import concatenate
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled, least_i64, unary_float
from nnjit.numpy.reduction import Axis, axes_of, count_of, max, mean, min, prepared, sum
from nnjit.numpy.shaping import length_of, moveaxis, normal_axes, one_axis, ravel, reshape, shape
from nnjit.numpy.special import isclose


def var(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
) -> Any:
    """The variance over `axis`: the mean of squares of what differs from the mean.

    Args:
        ddof: what is taken from the count that the sum is divided by; 1 for an estimate from a sample.
    """
    array = prepared("var", x, keepdims, dtype, out)
    array = array if array.dtype.kind == "f" else astype(array, "f64")
    squares = square(subtract(array, mean(array, axis, keepdims=True)))
    count = count_of(array, axes_of(array, axis))
    return divide(sum(squares, axis, keepdims), count - ddof)  # a number is weak: f32 stays f32


def std(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
) -> Any:
    """The standard deviation over `axis`; where all elements are equal, its derivative is 0."""
    return root(var(x, axis, ddof, keepdims, dtype=dtype, out=out))


def root(x: Array) -> Any:
    """The square root of a sum of squares; where all are 0, its derivative is 0, and NaN the next one."""
    return unary_float(p.root, x)


def ptp(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest minus the smallest element over `axis`."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def average(x: Array, axis: Axis = None, weights: Array | None = None, *, keepdims: bool = False) -> Any:
    """The mean over `axis`, with `weights` of each element, or of each place along `axis` alone."""
    if weights is None:
        return mean(x, axis, keepdims)
    array, w = as_array(x), as_array(weights)
    axes = axes_of(array, axis)
    if shape(w) != shape(array) and axis is not None:
        if shape(w) != tuple(shape(array)[a] for a in normal_axes(axis, array.ndim)):
            raise GraphError(
                f"average: weights {type_of(w)} fit neither {type_of(array)} nor its axes {axes}"
            )
        order = [axes.index(a) for a in normal_axes(axis, array.ndim)]
        w = moveaxis(w, range(w.ndim), order)
        w = reshape(w, [d if a in axes else 1 for a, d in enumerate(shape(array))])
    w = broadcast_to(w, shape(array))
    return divide(sum(multiply(array, w), axis, keepdims), sum(w, axis, keepdims))


def any(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether some element over `axis` is not zero."""
    return greater(sum(not_equal(x, 0), axis, keepdims), 0)


def all(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether every element over `axis` is not zero."""
    return equal(sum(equal(x, 0), axis, keepdims), 0)


def allclose(x: Array, y: Array, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close, as `isclose` has it."""
    return all(isclose(x, y, rtol, atol, equal_nan))


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


def cumsum(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The sums of the first 1, 2, … elements along `axis`, of all elements if None."""
    array = prepared("cumsum", x, False, dtype, out)
    return _running(add, 0, least_i64(array) if dtype is None else array, axis)


def cumprod(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The products of the first 1, 2, … elements along `axis`; the derivative is right at zeros too."""
    array = prepared("cumprod", x, False, dtype, out)
    return _running(multiply, 1, least_i64(array) if dtype is None else array, axis)


def _running(combine: Callable[..., Any], neutral: int, x: Array, axis: int | None) -> Any:
    """Combine each element with that 1, 2, 4, … before it (Hillis & Steele 1986, CACM)."""
    array = ravel(x) if axis is None else as_array(x)
    place = one_axis(0 if axis is None else axis, array.ndim)
    length, step = length_of(array, place), 1
    while step < length:
        early, late = (
            array[(slice(None),) * place + (part,)] for part in (slice(step), slice(length - step))
        )
        array = combine(array, concatenate([filled(early, neutral), late], place))
        step *= 2
    return array


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
