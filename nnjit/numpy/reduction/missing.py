"""Reductions that ignore NaN, under NumPy's names: nothing flows back to a NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nnjit.numpy.elementwise import greater, logical_and, logical_not, where
from nnjit.numpy.promotion import Array, as_array
from nnjit.numpy.reduction.extrema import argmax, argmin, max, min
from nnjit.numpy.reduction.moments import free_of, root, var
from nnjit.numpy.reduction.options import Axis, axes_of, mask_of, prepared
from nnjit.numpy.reduction.running import cumprod, cumsum
from nnjit.numpy.reduction.sums import all, count_of, mean, prod, sum
from nnjit.numpy.special import isnan


def nansum(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The sum over `axis` of the elements that are not NaN, with the options of `sum`."""
    return sum(_filled(x, 0.0), axis, keepdims, dtype=dtype, out=out, initial=initial, where=where)


def nanprod(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    out: None = None,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The product over `axis` of the elements that are not NaN, with the options of `prod`."""
    return prod(_filled(x, 1.0), axis, keepdims, dtype=dtype, out=out, initial=initial, where=where)


def nancumsum(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The sums of the first 1, 2, … elements along `axis`, with 0 instead of NaN."""
    return cumsum(_filled(x, 0.0), axis, dtype, out)


def nancumprod(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The products of the first 1, 2, … elements along `axis`, with 1 instead of NaN."""
    return cumprod(_filled(x, 1.0), axis, dtype, out)


def nanmax(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The largest element over `axis` that is not NaN, with the options of `max`; NaN if all are."""
    return _extremum(max, x, -math.inf, axis, keepdims, initial, where)


def nanmin(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    initial: Array | None = None,
    where: Array | None = None,
) -> Any:
    """The smallest element over `axis` that is not NaN, with the options of `min`; NaN if all are."""
    return _extremum(min, x, math.inf, axis, keepdims, initial, where)


def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """As `argmax`, ignoring NaN."""
    return argmax(_filled(x, -math.inf), axis, keepdims)


def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """As `argmin`, ignoring NaN."""
    return argmin(_filled(x, math.inf), axis, keepdims)


def nanmean(
    x: Array,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: object = None,
    where: Array | None = None,
) -> Any:
    """As `mean`, over the elements that are not NaN; NaN if all are."""
    array = prepared("nanmean", x, keepdims, dtype, None)
    return mean(_filled(array, 0.0), axis, keepdims, where=_known("nanmean", array, where))


def nanvar(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    where: Array | None = None,
    mean: Array | None = None,
    correction: float | None = None,
) -> Any:
    """The variance over `axis` of the elements that are not NaN, with the options of `var`.

    It is NaN if there are too few elements for `ddof`.
    """
    array = prepared("nanvar", x, keepdims, dtype, None)
    mask, free = _known("nanvar", array, where), free_of(ddof, correction)
    whole = _filled(array, 0.0)
    out = var(whole, axis, free, keepdims, where=mask, mean=mean)
    if array.dtype.kind != "f":
        return out
    count = count_of(whole, axes_of(whole, axis), mask, keepdims)
    return _if_more(count, free, out)


def _if_more(count: Any, least: float, x: Any) -> Any:
    return where(greater(count, least), x, math.nan)


def nanstd(
    x: Array,
    axis: Axis = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    dtype: object = None,
    where: Array | None = None,
    mean: Array | None = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation over `axis` of the elements that are not NaN; its derivative is 0 at 0."""
    free = free_of(ddof, correction)
    return root(nanvar(x, axis, free, keepdims, dtype=dtype, where=where, mean=mean))


def _filled(x: Array, value: float) -> Any:
    """`x` with `value` instead of NaN."""
    array = as_array(x)
    return where(isnan(array), value, array) if array.dtype.kind == "f" else array


def _known(name: str, x: Any, mask: Array | None) -> Any:
    """A mask of the elements to include: those not NaN, within a mask; None masks nothing."""
    if x.dtype.kind != "f":
        return mask
    is_known = logical_not(isnan(x))
    return is_known if mask is None else logical_and(is_known, mask_of(name, x, mask))


def _extremum(
    extremum: Callable[..., Any],
    x: Array,
    worst: float,
    axis: Axis,
    keepdims: bool,
    initial: Array | None,
    mask: Array | None,
) -> Any:
    array = as_array(x)
    found = extremum(_filled(array, worst), axis, keepdims, initial=initial, where=mask)
    if array.dtype.kind != "f" or initial is not None:
        return found
    return where(all(isnan(array), axis, keepdims), math.nan, found)
