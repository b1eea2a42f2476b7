"""Variances, standard deviations and weighted means under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import divide, multiply, square, subtract
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, unary_float
from nnjit.numpy.reduction.sums import Axis, axes_of, count_of, mean, prepared, sum
from nnjit.numpy.shaping.axes import moveaxis, normal_axes, reshape, shape


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
