"""Sorting and what is made of it, under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit import primitives as p
from nnjit.numpy.indexing.reading import take_along_axis
from nnjit.numpy.promotion import Array, as_array
from nnjit.numpy.shaping.axes import one_axis, ravel


def argsort(x: Array, axis: int | None = -1) -> Any:
    """The indices that sort `x` along `axis`, all in a row if None; equal elements keep their order."""
    array, place = _line(x, axis)
    return p.argsort(array, axis=place)


def sort(x: Array, axis: int | None = -1) -> Any:
    """`x` in ascending order along `axis`; the derivative goes to where each element came from."""
    array, place = _line(x, axis)
    return take_along_axis(array, p.argsort(array, axis=place), place)


def _line(x: Array, axis: int | None) -> tuple[Any, int]:
    array = ravel(x) if axis is None else as_array(x)
    return array, one_axis(-1 if axis is None else axis, array.ndim)
