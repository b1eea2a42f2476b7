"""Sort and partition, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.indexing.reading import take_along_axis
from nnjit.numpy.promotion import Array, as_array
from nnjit.numpy.shaping.axes import length_of, one_axis, ravel


def argsort(x: Array, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    """The indices that sort `x` along `axis`, flattened if None; equal elements keep their order.

    Args:
        kind, stable: accepted for compatibility and ignored: the order is always stable.
    """
    array, place = _line(x, axis)
    return p.argsort(array, axis=place)


def sort(x: Array, axis: int | None = -1, kind: str | None = None, *, stable: bool | None = None) -> Any:
    """`x` in ascending order along `axis`; the derivative goes back to where each element came from.

    Args:
        kind, stable: accepted for compatibility and ignored.
    """
    array, place = _line(x, axis)
    return take_along_axis(array, p.argsort(array, axis=place), place)


def argpartition(x: Array, kth: int | Sequence[int], axis: int | None = -1, kind: str | None = None) -> Any:
    """Indices that sort `x` along `axis`: element `kth` is in its place, and so are all others.

    Args:
        kth: one or several places, counted from the end if negative.
        kind: accepted for compatibility and ignored.
    """
    array, place = _line(x, axis)
    _check_places(kth, array, place)
    return p.argsort(array, axis=place)


def partition(x: Array, kth: int | Sequence[int], axis: int | None = -1, kind: str | None = None) -> Any:
    """`x` sorted along `axis`: element `kth` is in its place, and so are all others.

    Args:
        kth: one or several places, counted from the end if negative.
        kind: accepted for compatibility and ignored.
    """
    array, place = _line(x, axis)
    return take_along_axis(array, argpartition(array, kth, place), place)


def _check_places(kth: Any, x: Any, axis: int) -> None:
    places, length = np.asarray(kth), length_of(x, axis)
    if places.dtype.kind not in "iu" or ((places < -length) | (places >= length)).any():
        raise GraphError(f"partition: kth {kth!r} is not a place along axis {axis} of {type_of(x)}")


def _line(x: Array, axis: int | None) -> tuple[Any, int]:
    array = ravel(x) if axis is None else as_array(x)
    return array, one_axis(-1 if axis is None else axis, array.ndim)
