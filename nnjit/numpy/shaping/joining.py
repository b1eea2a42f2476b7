"""Join and split arrays, under NumPy's names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.numpy.indexing.reading import getitem
from nnjit.numpy.promotion import Array, as_array, astype, promote
from nnjit.numpy.shaping.axes import expand_dims, length_of, one_axis, ravel
from nnjit.numpy.shaping.creation import atleast_1d, atleast_2d, atleast_3d


def concatenate(arrays: Sequence[Array], axis: int | None = 0, *, dtype: object = None) -> Any:
    """The arrays one after another along `axis`, in `dtype`; flattened if the axis is None."""
    arrays = arrays if dtype is None else [astype(x, dtype) for x in arrays]
    parts = promote(*(map(ravel, arrays) if axis is None else arrays))
    place = one_axis(0 if axis is None else axis, parts[0].ndim)
    return parts[0] if len(parts) == 1 else p.concat(*parts, axis=place)


concat = concatenate


def stack(arrays: Sequence[Array], axis: int = 0, *, dtype: object = None) -> Any:
    """The arrays side by side along a new axis, in `dtype`."""
    return concatenate([expand_dims(a, axis) for a in arrays], axis, dtype=dtype)


def vstack(arrays: Sequence[Array], *, dtype: object = None) -> Any:
    """The arrays one below another, in `dtype`; a vector is a row."""
    return concatenate([atleast_2d(a) for a in arrays], 0, dtype=dtype)


def hstack(arrays: Sequence[Array], *, dtype: object = None) -> Any:
    """The arrays side by side, in `dtype`: along the second axis; vectors along their only one."""
    parts = [atleast_1d(a) for a in arrays]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype=dtype)


def dstack(arrays: Sequence[Array]) -> Any:
    """The arrays one after another along the third axis."""
    return concatenate([atleast_3d(a) for a in arrays], 2)


def column_stack(arrays: Sequence[Array]) -> Any:
    """Vectors as the columns of a matrix."""
    return concatenate([expand_dims(a, -1) if as_array(a).ndim == 1 else a for a in arrays], 1)


def append(x: Array, values: Array, axis: int | None = None) -> Any:
    """`x` followed by `values` along `axis`; flattened if None."""
    return concatenate([x, values], axis)


def split(x: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """`x` in equal parts along `axis`, or split before each index of `indices_or_sections`."""
    length = length_of(x, axis)
    if isinstance(indices_or_sections, int) and length % indices_or_sections:
        raise GraphError(
            f"split: {length} elements do not make {indices_or_sections} equal parts; use array_split"
        )
    return array_split(x, indices_or_sections, axis)


def array_split(x: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """As `split`; the first parts are one longer if the length is not a multiple."""
    length = length_of(x, axis)
    if isinstance(indices_or_sections, int):
        small, longer = np.divmod(length, indices_or_sections)
        cuts = np.cumsum([small + (k < longer) for k in range(indices_or_sections)])[:-1]
    else:
        cuts = np.asarray(indices_or_sections, int)
    ends = [0, *map(int, cuts), length]
    return [part_of(x, axis, slice(a, b)) for a, b in itertools.pairwise(ends)]


def vsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the first axis."""
    return split(x, indices_or_sections, 0)


def hsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the second axis; a vector along its only one."""
    return split(x, indices_or_sections, 0 if as_array(x).ndim == 1 else 1)


def dsplit(x: Array, indices_or_sections: int | Sequence[int]) -> list[Any]:
    """`split` along the third axis."""
    return split(x, indices_or_sections, 2)


def part_of(x: Any, axis: int, part: slice) -> Any:
    place = one_axis(axis, as_array(x).ndim)
    return getitem(as_array(x), (slice(None),) * place + (part,))
