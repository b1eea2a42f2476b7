"""Variances, standard deviations and weighted means under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import divide, maximum, multiply, square, subtract
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, unary_float
from nnjit.numpy.reduction.options import Axis, axes_of, masked, prepared
from nnjit.numpy.reduction.sums import count_of, mean, sum
from nnjit.numpy.shaping.axes import moveaxis, normal_axes, reshape, shape


def var(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    where: Array | None = None,
    mean: Array | None = None,
    correction: float | None = None,
) -> Any:
    """The variance over `axis`: the mean squared difference from the mean.

    Args:
        ddof: subtracted from the count that divides the sum; 1 for an estimate from a sample.
        where: the elements to include, as truth values that broadcast to `x`; all if None.
        mean: the mean if already known, with length 1 along the reduced axes.
        correction: another name for `ddof`.
    """
    array = prepared("var", x, keepdims, dtype, out)
    array = masked("var", array if array.dtype.kind == "f" else astype(array, "f64"), where, 0)
    center = _center(array, axis, where) if mean is None else astype(mean, array.dtype)
    total = sum(square(subtract(array, center)), axis, keepdims, where=where)
    free = count_of(array, axes_of(array, axis), where, keepdims) - free_of(ddof, correction)
    # A number is weak: f32 stays f32.
    return divide(total, max(free, 0) if isinstance(free, (int, float)) else maximum(free, 0))


def _center(x: Any, axis: Axis, mask: Array | None) -> Any:
    return mean(x, axis, keepdims=True, where=mask)


def free_of(ddof: float, correction: float | None) -> float:
    """The number to subtract from the count; a GraphError if both its names are used."""
    if correction is not None and ddof:
        raise GraphError(f"ddof={ddof} and correction={correction} are the same option; give one of them")
    return ddof if correction is None else correction


def std(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    where: Array | None = None,
    mean: Array | None = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation over `axis`, with the options of `var`; its derivative is 0 where it is 0."""
    free = free_of(ddof, correction)
    return root(var(x, axis, free, keepdims, dtype=dtype, out=out, where=where, mean=mean))


def root(x: Array) -> Any:
    """The square root of a sum of squares; at 0 the derivative is 0, and the next one NaN."""
    return unary_float(p.root, x)


def average(
    x: Array,
    axis: Axis = None,
    weights: Array | None = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean over `axis`, with `weights` for each element, or for each place along `axis`.

    Args:
        returned: whether to return the sum of the weights with the mean.
    """
    array = as_array(x)
    axes = axes_of(array, axis)
    if weights is None:
        center = mean(x, axis, keepdims)
        count = astype(count_of(array, axes), center.dtype)
        return (center, broadcast_to(count, shape(center))) if returned else center
    w = as_array(weights)
    if shape(w) != shape(array) and axis is not None:
        if shape(w) != tuple(shape(array)[a] for a in normal_axes(axis, array.ndim)):
            raise GraphError(
                f"average: weights {type_of(w)} fit neither {type_of(array)} nor its axes {axes}"
            )
        order = [axes.index(a) for a in normal_axes(axis, array.ndim)]
        w = moveaxis(w, range(w.ndim), order)
        w = reshape(w, [d if a in axes else 1 for a, d in enumerate(shape(array))])
    w = broadcast_to(w, shape(array))
    total = sum(w, axis, keepdims)
    center = divide(sum(multiply(array, w), axis, keepdims), total)
    return (center, astype(total, center.dtype)) if returned else center
