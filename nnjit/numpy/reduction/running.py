"""Running sums and products under NumPy's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnjit.numpy.elementwise import add, multiply
from nnjit.numpy.promotion import Array, as_array, filled, least_i64
from nnjit.numpy.reduction.sums import prepared
from nnjit.numpy.shaping.axes import length_of, one_axis, ravel
from nnjit.numpy.shaping.joining import concatenate


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
