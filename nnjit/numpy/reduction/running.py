"""Running sums and products under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import add, multiply
from nnjit.numpy.promotion import Array, as_array, filled, filled_block, least_i64
from nnjit.numpy.reduction.options import prepared
from nnjit.numpy.shaping.axes import length_of, one_axis, ravel, shape
from nnjit.numpy.shaping.joining import concatenate


def cumsum(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The sums of the first 1, 2, … elements along `axis`, flattened if None."""
    array = prepared("cumsum", x, False, dtype, out)
    return _running(add, 0, least_i64(array) if dtype is None else array, axis)


def cumprod(x: Array, axis: int | None = None, dtype: object = None, out: None = None) -> Any:
    """The products of the first 1, 2, … elements along `axis`; the derivative is right at zeros too."""
    array = prepared("cumprod", x, False, dtype, out)
    return _running(multiply, 1, least_i64(array) if dtype is None else array, axis)


def cumulative_sum(
    x: Array,
    *,
    axis: int | None = None,
    dtype: object = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """As `cumsum`, after a 0 if `include_initial`; a vector needs no `axis`."""
    return _cumulative(cumsum, 0, x, axis, dtype, out, include_initial)


def cumulative_prod(
    x: Array,
    *,
    axis: int | None = None,
    dtype: object = None,
    out: None = None,
    include_initial: bool = False,
) -> Any:
    """As `cumprod`, after a 1 if `include_initial`; a vector needs no `axis`."""
    return _cumulative(cumprod, 1, x, axis, dtype, out, include_initial)


def _cumulative(
    function: Callable[..., Any],
    neutral: int,
    x: Array,
    axis: int | None,
    dtype: object,
    out: None,
    include_initial: bool,
) -> Any:
    array = as_array(x)
    array = ravel(array) if array.ndim == 0 else array
    if axis is None and array.ndim > 1:
        name = function.__name__.replace("cum", "cumulative_")
        raise GraphError(f"{name} of {type_of(array)}: expected an axis, or an array of one")
    place = one_axis(0 if axis is None else axis, array.ndim)
    running = function(array, place, dtype, out)
    if not include_initial:
        return running
    dims = shape(running)
    first = filled_block(running, neutral, (*dims[:place], 1, *dims[place + 1 :]))
    return concatenate([first, running], place)


def _running(combine: Callable[..., Any], neutral: int, x: Array, axis: int | None) -> Any:
    """Combine each element with the one 1, 2, 4, … before it (Hillis & Steele 1986, CACM)."""
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
