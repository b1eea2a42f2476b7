"""Reductions that leave NaN out, under NumPy's names: nothing flows back to a NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnjit.numpy.elementwise import divide, equal, logical_not, square, subtract, where
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction.extrema import argmax, argmin, max, min
from nnjit.numpy.reduction.moments import root, var
from nnjit.numpy.reduction.running import cumprod, cumsum
from nnjit.numpy.reduction.sums import Axis, mean, prod, sum
from nnjit.numpy.special import isnan


def nansum(
    x: Array, axis: Axis = None, keepdims: bool = False, *, dtype: object = None, out: None = None
) -> Any:
    """The sum over `axis` of the elements that are not NaN."""
    return sum(_filled(x, 0.0), axis, keepdims, dtype=dtype, out=out)


def nanprod(
    x: Array, axis: Axis = None, keepdims: bool = False, *, dtype: object = None, out: None = None
) -> Any:
    """The product over `axis` of the elements that are not NaN."""
    return prod(_filled(x, 1.0), axis, keepdims, dtype=dtype, out=out)


def nancumsum(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The sums of the first 1, 2, … elements along `axis`, NaN being 0."""
    return cumsum(_filled(x, 0.0), axis, dtype, out)


def nancumprod(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The products of the first 1, 2, … elements along `axis`, NaN being 1."""
    return cumprod(_filled(x, 1.0), axis, dtype, out)


def nanmax(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis` that is not NaN; NaN where all are NaN."""
    return _extremum(max, x, -math.inf, axis, keepdims)


def nanmin(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis` that is not NaN; NaN where all are NaN."""
    return _extremum(min, x, math.inf, axis, keepdims)


def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """As `argmax`, of the elements that are not NaN."""
    return argmax(_filled(x, -math.inf), axis, keepdims)


def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """As `argmin`, of the elements that are not NaN."""
    return argmin(_filled(x, math.inf), axis, keepdims)


def nanmean(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis` of the elements that are not NaN; NaN where all are NaN."""
    array = as_array(x)
    if array.dtype.kind != "f":
        return mean(array, axis, keepdims)
    return divide(nansum(array, axis, keepdims), _count(array, axis, keepdims))


def nanvar(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance over `axis` of the elements that are not NaN; NaN where there are too few for `ddof`."""
    array = as_array(x)
    if array.dtype.kind != "f":
        return var(array, axis, ddof, keepdims)
    apart = subtract(array, nanmean(array, axis, keepdims=True))
    count = _count(array, axis, keepdims)
    free = subtract(count, ddof)
    return divide(nansum(square(_filled(apart, 0.0)), axis, keepdims), where(free > 0, free, math.nan))


def nanstd(x: Array, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation over `axis` of the elements that are not NaN; its derivative is 0 at 0."""
    return root(nanvar(x, axis, ddof, keepdims))


def _filled(x: Array, value: float) -> Any:
    """`x` with `value` instead of NaN."""
    array = as_array(x)
    return where(isnan(array), value, array) if array.dtype.kind == "f" else array


def _count(x: Any, axis: Axis, keepdims: bool) -> Any:
    return sum(astype(logical_not(isnan(x)), x.dtype), axis, keepdims)


def _extremum(extremum: Callable[..., Any], x: Array, worst: float, axis: Axis, keepdims: bool) -> Any:
    array = as_array(x)
    if array.dtype.kind != "f":
        return extremum(array, axis, keepdims)
    found = extremum(_filled(array, worst), axis, keepdims)
    return where(equal(_count(array, axis, keepdims), 0), math.nan, found)
