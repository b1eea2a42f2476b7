"""Joining, splitting and repeating arrays, and turning them round, under NumPy's names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.numpy.creation import atleast_1d, atleast_2d, atleast_3d
from nnjit.numpy.indexing import getitem
from nnjit.numpy.promotion import Array, as_array, broadcast_to, filled_block, promote
from nnjit.numpy.shaping import expand_dims, length_of, normal_axes, one_axis, ravel, reshape, shape, swapaxes

Widths = int | Sequence[int] | Sequence[Sequence[int]]


def concatenate(arrays: Sequence[Array], axis: int | None = 0) -> Any:
    """The arrays one after another along `axis`; all elements in a row if None."""
    parts = promote(*(map(ravel, arrays) if axis is None else arrays))
    place = one_axis(0 if axis is None else axis, parts[0].ndim)
    return parts[0] if len(parts) == 1 else p.concat(*parts, axis=place)


concat = concatenate


def stack(arrays: Sequence[Array], axis: int = 0) -> Any:
    """The arrays side by side along a new axis."""
    return concatenate([expand_dims(a, axis) for a in arrays], axis)


def vstack(arrays: Sequence[Array]) -> Any:
    """The arrays one below another; a vector is a row."""
    return concatenate([atleast_2d(a) for a in arrays], 0)


def hstack(arrays: Sequence[Array]) -> Any:
    """The arrays beside one another: along the second axis, vectors along their only one."""
    parts = [atleast_1d(a) for a in arrays]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1)


def dstack(arrays: Sequence[Array]) -> Any:
    """The arrays one after another along the third axis."""
    return concatenate([atleast_3d(a) for a in arrays], 2)


def column_stack(arrays: Sequence[Array]) -> Any:
    """Vectors as the columns of a matrix."""
    return concatenate([expand_dims(a, -1) if as_array(a).ndim == 1 else a for a in arrays], 1)


def append(x: Array, values: Array, axis: int | None = None) -> Any:
    """`x` followed by `values` along `axis`; all elements in a row if None."""
    return concatenate([x, values], axis)


def split(x: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """`x` in equal parts along `axis`, or cut before each index of `indices_or_sections`."""
    length = length_of(x, axis)
    if isinstance(indices_or_sections, int) and length % indices_or_sections:
        raise GraphError(
            f"split: {length} elements do not make {indices_or_sections} equal parts; use array_split"
        )
    return array_split(x, indices_or_sections, axis)


def array_split(x: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """As `split`; the first parts are longer by one if the length is not a multiple."""
    length = length_of(x, axis)
    if isinstance(indices_or_sections, int):
        small, longer = np.divmod(length, indices_or_sections)
        cuts = np.cumsum([small + (k < longer) for k in range(indices_or_sections)])[:-1]
    else:
        cuts = np.asarray(indices_or_sections, int)
    ends = [0, *map(int, cuts), length]
    return [_part(x, axis, slice(a, b)) for a, b in itertools.pairwise(ends)]


def vsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the first axis."""
    return split(x, indices_or_sections, 0)


def hsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the second axis, of a vector along its only one."""
    return split(x, indices_or_sections, 0 if as_array(x).ndim == 1 else 1)


def dsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the third axis."""
    return split(x, indices_or_sections, 2)


def tile(x: Array, reps: int | Sequence[int]) -> Any:
    """`x` repeated as a whole `reps` times along each axis."""
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
    """`x` with each element repeated `repeats` times along `axis`; of all elements in a row if None."""
    array = ravel(x) if axis is None else as_array(x)
    place = one_axis(0 if axis is None else axis, array.ndim)
    if not isinstance(repeats, int):
        counts = np.broadcast_to(np.asarray(repeats, int), (length_of(array, place),)).tolist()
        parts = [_repeated(_part(array, place, slice(i, i + 1)), place, n) for i, n in enumerate(counts) if n]
        return concatenate(parts or [_part(array, place, slice(0, 0))], place)
    dims = shape(array)
    wide = broadcast_to(expand_dims(array, place + 1), (*dims[: place + 1], repeats, *dims[place + 1 :]))
    return reshape(wide, (*dims[:place], length_of(array, place) * repeats, *dims[place + 1 :]))


def roll(x: Array, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """`x` moved by `shift` places along `axis`, the last elements becoming the first."""
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), shape(x))
    shifts = tuple(shift) if isinstance(shift, (tuple, list)) else (shift,)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)  # one may be there twice
    shifts = shifts if len(shifts) > 1 else shifts * len(axes)
    axes = axes if len(axes) > 1 else axes * len(shifts)
    for by, given in zip(shifts, axes, strict=True):
        place = one_axis(given, as_array(x).ndim)
        cut = -by % max(length_of(x, place), 1)
        parts = [_part(x, place, slice(cut, None)), _part(x, place, slice(0, cut))]
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
    """`x` turned `k` times by 90° from the first of `axes` to the second."""
    turns = k % 4
    if turns == 0:
        return as_array(x)
    if turns == 2:
        return flip(x, axes)
    turned = swapaxes(x, *axes)
    return flip(turned, axes[0] if turns == 1 else axes[1])


def pad(x: Array, pad_width: Widths, mode: str = "constant", constant_values: float = 0) -> Any:
    """`x` with elements before and after along each axis.

    Args:
        pad_width: how many: one number, (before, after), or such a pair for each axis.
        mode: "constant"; "edge" repeats the outermost, "reflect" and "symmetric" mirror without and with it,
            "wrap" goes on from the other side.
        constant_values: what "constant" puts there.
    """
    array = as_array(x)
    if mode not in PADDINGS:
        raise GraphError(f"pad: unknown mode {mode!r}; valid: {', '.join(PADDINGS)}")
    widths = np.broadcast_to(np.asarray(pad_width, int), (array.ndim, 2)).tolist()
    for axis, (before, after) in enumerate(widths):
        if before or after:
            array = _padded(array, axis, before, after, mode, constant_values)
    return array


def _padded(x: Any, axis: int, before: int, after: int, mode: str, value: float) -> Any:
    n = length_of(x, axis)
    if mode == "constant":
        dims = shape(x)
        blocks = [filled_block(x, value, (*dims[:axis], w, *dims[axis + 1 :])) for w in (before, after)]
        parts = [b for b in (blocks[0], x, blocks[1]) if shape(b)[axis] != 0]
    else:
        places = PADDINGS[mode](np.arange(-before, n + after), n)
        parts = [_run(x, axis, run) for run in _runs(places)]
    return concatenate(parts, axis)


def _runs(places: np.ndarray) -> list[list[int]]:
    """The places cut into runs that ascend by one, descend by one, or stay."""
    runs: list[list[int]] = []
    for k in places.tolist():
        step = k - runs[-1][-1] if runs else 0
        goes_on = bool(runs) and abs(step) <= 1 and step == (runs[-1] + [k])[1] - runs[-1][0]
        if goes_on:
            runs[-1].append(k)
        else:
            runs.append([k])
    return runs


def _run(x: Any, axis: int, places: list[int]) -> Any:
    first, last = places[0], places[-1]
    if first == last:
        return _repeated(_part(x, axis, slice(first, first + 1)), axis, len(places))
    part = _part(x, axis, slice(min(first, last), max(first, last) + 1))
    return part if first < last else flip(part, axis)


def _repeated(x: Any, axis: int, width: int) -> Any:
    """`x`, of one element along `axis`, repeated."""
    return broadcast_to(x, (*shape(x)[:axis], width, *shape(x)[axis + 1 :]))


# Where the elements of a padded axis come from: the places -before … n + after, and the length n.
PADDINGS: dict[str, Any] = {
    "constant": None,
    "edge": lambda k, n: np.clip(k, 0, n - 1),
    "reflect": lambda k, n: np.maximum((n - 1) - np.abs(np.mod(k, 2 * max(n - 1, 1)) - (n - 1)), 0),
    "symmetric": lambda k, n: np.minimum(np.mod(k, 2 * n), 2 * n - 1 - np.mod(k, 2 * n)),
    "wrap": lambda k, n: np.mod(k, n),
}


def _part(x: Any, axis: int, part: slice) -> Any:
    place = one_axis(axis, as_array(x).ndim)
    return getitem(as_array(x), (slice(None),) * place + (part,))
