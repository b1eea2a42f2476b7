"""Quantiles under NumPy's names, by sorting: `jit` can compile them wherever it can sort."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Node, type_of
from nnjit.numpy.elementwise import (
    add,
    ceil,
    clip,
    equal,
    floor,
    floor_divide,
    logical_and,
    logical_not,
    multiply,
    remainder,
    rint,
    subtract,
    where,
)
from nnjit.numpy.indexing.reading import take, take_along_axis
from nnjit.numpy.indexing.sorting import sort
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled_block, result_type, weak
from nnjit.numpy.reduction.options import Axis, axes_of
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import expand_dims, length_of, moveaxis, reshape, shape
from nnjit.numpy.special import isnan


def quantile(x: Array, q: Array, axis: Axis = None, keepdims: bool = False, *, method: str = "linear") -> Any:
    """The value below which a fraction `q` of the elements over `axis` lies; NaN if any is.

    Args:
        q: from 0 to 1; several give a new first axis.
        method: how to interpolate between sorted elements, under NumPy's names: "linear", "lower", "higher",
            "nearest", "midpoint", "inverted_cdf" and the others of Hyndman & Fan. A value at an element is
            that element, even next to an infinite one, where NumPy gives NaN.

    Raises:
        GraphError: a known fraction is outside 0 to 1, or the method is unknown.

    Reference: Hyndman & Fan 1996, "Sample quantiles in statistical packages", The American Statistician 50.
    """
    lines, axes = _sorted_lines(x, axis, q)
    q = as_array(_fractions("quantile", q, 1))
    _check_elements("quantile", x, lines)
    place = _places(length_of(lines, -1), q, method)
    below = astype(floor(place), "i64")
    above = clip(add(below, 1), None, length_of(lines, -1) - 1)
    out = _between(take(lines, below, -1), take(lines, above, -1), subtract(place, below))
    last = reshape(lines[..., -1], (*shape(lines)[:-1], *(1 for _ in shape(q))))
    out = where(isnan(last), last, out)
    return _arranged(
        moveaxis(out, range(-q.ndim, 0), range(q.ndim)) if q.ndim else out, q.ndim, axes, keepdims
    )


def percentile(
    x: Array, q: Array, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Any:
    """As `quantile`, with `q` from 0 to 100."""
    return quantile(x, _fractions("percentile", q, 100), axis, keepdims, method=method)


def nanquantile(
    x: Array, q: Array, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Any:
    """As `quantile`, ignoring NaN; NaN if all elements are."""
    lines, axes = _sorted_lines(x, axis, q)
    q = as_array(_fractions("nanquantile", q, 1))
    _check_elements("nanquantile", x, lines)
    count = _count(lines)
    place = _places(count, reshape(q, (-1, *(1 for _ in shape(count)))), method)
    below = astype(floor(place), "i64")
    above = clip(add(below, 1), None, clip(subtract(count, 1), 0, None))
    low, high = (moveaxis(take_along_axis(lines, moveaxis(k, 0, -1), -1), -1, 0) for k in (below, above))
    out = _between(low, high, subtract(place, below))
    return _arranged(reshape(out, (*shape(q), *shape(count))), q.ndim, axes, keepdims)


def nanpercentile(
    x: Array, q: Array, axis: Axis = None, keepdims: bool = False, *, method: str = "linear"
) -> Any:
    """As `nanquantile`, with `q` from 0 to 100."""
    return nanquantile(x, _fractions("nanpercentile", q, 100), axis, keepdims, method=method)


def median(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle of the sorted elements over `axis`, or the mean of the middle two; NaN if any is NaN."""
    lines, axes = _sorted_lines(x, axis, 0.5)
    length = length_of(lines, -1)
    if length == 0:
        return _arranged(filled_block(lines, math.nan, shape(lines)[:-1]), 0, axes, keepdims)
    low, high, last = lines[..., (length - 1) // 2], lines[..., length // 2], lines[..., -1]
    middle = low if length % 2 else multiply(add(low, high), 0.5)
    return _arranged(where(isnan(last), last, middle), 0, axes, keepdims)


def nanmedian(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """As `median`, ignoring NaN; NaN if all elements are."""
    lines, axes = _sorted_lines(x, axis, 0.5)
    if length_of(lines, -1) == 0:
        return _arranged(filled_block(lines, math.nan, shape(lines)[:-1]), 0, axes, keepdims)
    count = expand_dims(_count(lines), -1)
    places = (clip(floor_divide(subtract(count, 1), 2), 0, None), clip(floor_divide(count, 2), None, count))
    low, high = (take_along_axis(lines, place, -1)[..., 0] for place in places)
    return _arranged(multiply(add(low, high), 0.5), 0, axes, keepdims)


def _fractions(name: str, q: Array, whole: int) -> Any:
    """Convert parts of `whole` to fractions from 0 to 1."""
    if isinstance(q, Node):
        return q if whole == 1 else multiply(q, 1.0 / whole)
    array = np.asarray(q, float)
    if not ((array >= 0) & (array <= whole)).all():
        raise GraphError(f"{name}: expected fractions from 0 to {whole}, got {q!r}")
    return q / whole if isinstance(q, (int, float)) else array / whole


def _sorted_lines(x: Array, axis: Axis, q: Array) -> tuple[Any, tuple[int, ...]]:
    """The elements over `axis` in ascending order, NaN last, as the last axis; and the axes it replaces.

    They are promoted with `q`; whole numbers become f64.
    """
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    array = astype(array, result_type(array, q if weak(q) else as_array(q), np.float32))
    axes = axes_of(array, axis)
    rest = [d for a, d in enumerate(shape(array)) if a not in axes]
    length = math.prod(length_of(array, a) for a in axes)
    return sort(reshape(moveaxis(array, axes, range(-len(axes), 0)), (*rest, length)), -1), axes


def _check_elements(name: str, x: Array, lines: Any) -> None:
    if length_of(lines, -1) == 0:
        raise GraphError(f"{name} of {type_of(as_array(x))}: there are no elements over the axes")


def _count(lines: Any) -> Any:
    """The number of elements of each line that are not NaN."""
    return sum(astype(logical_not(isnan(lines)), "i64"), -1)


def _places(count: Any, q: Any, method: str) -> Any:
    """Positions of quantiles among `count` sorted elements, between 0 and `count` - 1."""
    if method not in METHODS:
        raise GraphError(f"quantile: unknown method {method!r}; valid: {', '.join(METHODS)}")
    return clip(clip(METHODS[method](count, q), None, subtract(count, 1)), 0, None)


def _between(low: Any, high: Any, part: Any) -> Any:
    part = broadcast_to(astype(part, low.dtype), shape(low))
    return where(equal(part, 0), low, add(low, multiply(subtract(high, low), part)))


def _arranged(out: Any, lead: int, axes: tuple[int, ...], keepdims: bool) -> Any:
    """`out`; if `keepdims`, with length 1 for reduced axes, after the `lead` axes of fractions."""
    return expand_dims(out, [a + lead for a in axes]) if keepdims else out


def _continuous(alpha: float, beta: float) -> Callable[[Any, Any], Any]:
    return lambda n, q: add(multiply(n, q), add(multiply(q, 1 - alpha - beta), alpha - 1))


def _averaged(n: Any, q: Any) -> Any:
    """The next element; if a fraction ends with an element, halfway from it to the next."""
    place = subtract(multiply(n, q), 1)
    return add(floor(place), where(equal(place, floor(place)), 0.5, 1.0))


def _closest(n: Any, q: Any) -> Any:
    """The nearest element; of two equally near, the one at an even place, counted from 1."""
    place = subtract(multiply(n, q), 1.5)
    is_tie = logical_and(equal(place, floor(place)), equal(remainder(floor(place), 2), 1))
    return add(floor(place), where(is_tie, 0.0, 1.0))


def _scaled(n: Any, q: Any) -> Any:
    return multiply(subtract(n, 1), q)


# fmt: off
METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "inverted_cdf":              lambda n, q: ceil(subtract(multiply(n, q), 1)),
    "averaged_inverted_cdf":     _averaged,
    "closest_observation":       _closest,
    "interpolated_inverted_cdf": _continuous(0, 1),
    "hazen":                     _continuous(0.5, 0.5),
    "weibull":                   _continuous(0, 0),
    "linear":                    _scaled,
    "median_unbiased":           _continuous(1 / 3, 1 / 3),
    "normal_unbiased":           _continuous(3 / 8, 3 / 8),
    "lower":                     lambda n, q: floor(_scaled(n, q)),
    "higher":                    lambda n, q: ceil(_scaled(n, q)),
    "midpoint":                  lambda n, q: multiply(add(floor(_scaled(n, q)), ceil(_scaled(n, q))), 0.5),
    "nearest":                   lambda n, q: rint(_scaled(n, q)),
}
# fmt: on
