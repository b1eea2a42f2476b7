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
    """The variance over `axis`: the mean of squares of what differs from the mean.

    Args:
        ddof: what is taken from the count that the sum is divided by; 1 for an estimate from a sample.
        where: the elements that count, as truth values that broadcast to `x`; all if None.
        mean: the mean, if it is known already, with axes of length 1 where it was computed over.
        correction: another name of `ddof`.
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
    """What is taken from a count; a GraphError if both names of it are used."""
    if correction is not None and ddof:
        raise GraphError(f"ddof={ddof} and correction={correction} are one option; give one of them")
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
    """The standard deviation over `axis`, with the options of `var`; where it is 0, its derivative is 0."""
    free = free_of(ddof, correction)
    return root(var(x, axis, free, keepdims, dtype=dtype, out=out, where=where, mean=mean))


def root(x: Array) -> Any:
    """The square root of a sum of squares; where all are 0, its derivative is 0, and NaN the next one."""
    return unary_float(p.root, x)


def average(
    x: Array,
    axis: Axis = None,
    weights: Array | None = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean over `axis`, with `weights` of each element, or of each place along `axis` alone.

    Args:
        returned: whether the sum of the weights is returned beside the mean.
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
