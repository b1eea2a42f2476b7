"""Repeat, roll, flip and rotate arrays, under NumPy's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.numpy.promotion import Array, as_array, broadcast_to
from nnjit.numpy.shaping.axes import (
    expand_dims,
    length_of,
    normal_axes,
    one_axis,
    ravel,
    reshape,
    shape,
    swapaxes,
)
from nnjit.numpy.shaping.joining import concatenate, part_of


def tile(x: Array, reps: int | Sequence[int]) -> Any:
    """All of `x` repeated `reps` times along each axis."""
    times = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = max(len(times), as_array(x).ndim)
    times = (1,) * (ndim - len(times)) + times
    dims = (1,) * (ndim - as_array(x).ndim) + shape(x)
    if all(r == 1 for r in times):
        return reshape(x, dims)
    spread = [(1, d) if r != 1 else (d,) for r, d in zip(times, dims, strict=True)]
    whole = [(r, d) if r != 1 else (d,) for r, d in zip(times, dims, strict=True)]
    out = broadcast_to(reshape(x, [d for pair in spread for d in pair]), tuple(d for w in whole for d in w))
    return reshape(out, [d if r == 1 else r * d for r, d in zip(times, dims, strict=True)])


def repeat(x: Array, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """`x` with each element repeated `repeats` times along `axis`; flattened if None."""
    array = ravel(x) if axis is None else as_array(x)
    place = one_axis(0 if axis is None else axis, array.ndim)
    if not isinstance(repeats, int):
        counts = np.broadcast_to(np.asarray(repeats, int), (length_of(array, place),)).tolist()
        parts = [
            repeated(part_of(array, place, slice(i, i + 1)), place, n) for i, n in enumerate(counts) if n
        ]
        return concatenate(parts or [part_of(array, place, slice(0, 0))], place)
    dims = shape(array)
    wide = broadcast_to(expand_dims(array, place + 1), (*dims[: place + 1], repeats, *dims[place + 1 :]))
    return reshape(wide, (*dims[:place], length_of(array, place) * repeats, *dims[place + 1 :]))


def roll(x: Array, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """`x` moved by `shift` places along `axis`; the last elements become the first."""
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape(x))
    shifts = tuple(shift) if isinstance(shift, (tuple, list)) else (shift,)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)  # an axis may occur twice
    shifts = shifts if len(shifts) > 1 else shifts * len(axes)
    axes = axes if len(axes) > 1 else axes * len(shifts)
    for by, given in zip(shifts, axes, strict=True):
        place = one_axis(given, as_array(x).ndim)
        cut = -by % max(length_of(x, place), 1)
        parts = [part_of(x, place, slice(cut, None)), part_of(x, place, slice(0, cut))]
        x = concatenate(parts, place) if cut else as_array(x)
    return x


def flip(x: Array, axis: int | Sequence[int] | None = None) -> Any:
    """`x` in the opposite order along `axis`, along all axes if None."""
    array = as_array(x)
    axes = tuple(range(array.ndim)) if axis is None else tuple(sorted(normal_axes(axis, array.ndim)))
    return p.reverse(array, along=axes) if axes else array


def fliplr(x: Array) -> Any:
    """`x` with its second axis in the opposite order."""
    return flip(x, 1)


def flipud(x: Array) -> Any:
    """`x` with its first axis in the opposite order."""
    return flip(x, 0)


def rot90(x: Array, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`x` rotated `k` times by 90° from the first of `axes` to the second."""
    turns = k % 4
    if turns == 0:
        return as_array(x)
    if turns == 2:
        return flip(x, axes)
    turned = swapaxes(x, *axes)
    return flip(turned, axes[0] if turns == 1 else axes[1])


def repeated(x: Any, axis: int, width: int) -> Any:
    """`x`, of one element along `axis`, repeated."""
    return broadcast_to(x, (*shape(x)[:axis], width, *shape(x)[axis + 1 :]))
