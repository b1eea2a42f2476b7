"""Functional updates: `x.at[i].set(v)`, `.add(v)`, … return a new array."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.ir.types import static
from nnjit.numpy.elementwise import add, maximum, minimum, multiply, not_equal, where
from nnjit.numpy.indexing.reading import BASIC, drop_new, extent, getitem, items_of, seen, take
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled, has_node
from nnjit.numpy.shaping.axes import length_of, one_axis, ravel, reshape, shape


@dataclass(frozen=True)
class At:
    """`x.at[i].set(v)`, `.add(v)`, …: a copy of `x` changed at `i`.

    For a traced value it is the attribute `at`; for an array, `nnjit.numpy.at(x)`.

    >>> import numpy
    >>> At(numpy.zeros(3))[1].set(5.0).tolist()
    [0.0, 5.0, 0.0]
    """

    x: Any
    index: Any = None

    def __getitem__(self, index: Any) -> At:
        return At(self.x, index)

    def set(self, value: Array) -> Any:
        """`x` with `value` at `i`; the last of equal places wins, and traced places must differ."""
        if not has_node((self.x, self.index, value)):
            out = np.array(self.x)
            out[self.index] = value
            return out
        hits, values = self._spread(value, is_set=True)
        return where(hits, values, self.x)

    def add(self, value: Array) -> Any:
        """`x` with `value` added at `i`; repeated places add up."""
        if not has_node((self.x, self.index, value)):
            out = np.array(self.x)
            np.add.at(out, self.index, value)
            return out
        return add(self.x, self._spread(value, is_set=False)[1])

    def multiply(self, value: Array) -> Any:
        """`x` with its elements at `i` multiplied by `value`."""
        return self._combined(multiply, value)

    def max(self, value: Array) -> Any:
        """`x` with the larger of its elements and `value` at `i`."""
        return self._combined(maximum, value)

    def min(self, value: Array) -> Any:
        """`x` with the smaller of its elements and `value` at `i`."""
        return self._combined(minimum, value)

    def _combined(self, combine: Callable[[Any, Any], Any], value: Array) -> Any:
        """Combine and set; raise a GraphError if a known place occurs twice. Traced places must differ."""
        if not has_node(self.index):
            dims = static(shape(self.x))
            places = np.arange(math.prod(dims)).reshape(dims)[self.index]
            if len(np.unique(places)) < np.size(places):
                raise GraphError(f"x.at[{self.index!r}]: a place occurs twice; only add allows that")
        return self.set(combine(getitem(as_array(self.x), self.index), value))

    def _spread(self, value: Array, is_set: bool) -> tuple[Any, Any]:
        """A mask of the places written, and `value` in the shape of `x`, zero elsewhere."""
        x = as_array(self.x)
        items = items_of(x, self.index)
        value = astype(value, x.dtype)
        if all(_is_plain(i) for i in items):
            return _window(x, items, value)
        dims = static(shape(x))
        places = getitem(np.arange(math.prod(dims)).reshape(dims), self.index)
        flat, values = ravel(places), ravel(broadcast_to(value, shape(places)))
        if is_set and isinstance(flat, np.ndarray):
            owner = np.full(math.prod(dims), -1)
            owner[flat] = np.arange(len(flat))
            found = take(values, np.maximum(owner, 0)) if len(flat) else filled(owner, 0, x.dtype)
            return (owner >= 0).reshape(dims), reshape(found, dims)
        hits, total = (
            reshape(p.scatter_add(v, flat, axis=0, size=math.prod(dims)), dims)
            for v in (filled(values, 1), values)
        )
        return not_equal(hits, 0), total


def at(x: Array) -> At:
    """Change elements of a copy of `x`: `at(x)[i].set(v)`; for a traced value also `x.at[i].set(v)`."""
    return At(x)


def put_along_axis(arr: Array, indices: Array, values: Array, axis: int | None) -> Any:
    """A copy of `arr` with `values` at each place of `indices`, with that index along `axis`.

    NumPy's function writes into its argument and returns nothing. The last of equal indices wins, and traced
    indices must differ.

    Args:
        values: broadcast to `indices`.
        axis: None flattens `arr`.
    """
    array, index = as_array(arr), as_array(indices)
    if axis is None:
        return reshape(put_along_axis(ravel(array), ravel(index), values, 0), shape(array))
    place = one_axis(axis, array.ndim)
    if index.ndim != array.ndim:
        raise GraphError(
            f"put_along_axis: {type_of(index)} and {type_of(array)} differ in the number of axes"
        )
    lines = [
        np.arange(d).reshape([-1 if a == k else 1 for a in range(array.ndim)])
        for k, d in enumerate(static(shape(array)))
    ]
    return At(array)[(*lines[:place], index, *lines[place + 1 :])].set(values)


def _is_plain(item: Any) -> bool:
    return isinstance(item, BASIC) and not (isinstance(item, slice) and item.step not in (None, 1))


def _window(x: Any, items: Sequence[Any], value: Any) -> tuple[Any, Any]:
    """As `_spread`, for slices: blocks of zeros around `value`."""
    extents = [extent(i, d, x) for i, d in zip(drop_new(items), shape(x), strict=True)]
    lengths = [length for _, length, _ in extents]
    part = reshape(broadcast_to(value, tuple(seen(items, lengths))), lengths)
    hits = filled(part, True, "b1")
    for axis, (start, length, _) in enumerate(extents):
        if length != shape(x)[axis]:
            after = length_of(x, axis) - start - length
            part, hits = (_between_zeros(v, axis, start, after) for v in (part, hits))
    return hits, part


def _between_zeros(x: Any, axis: int, before: int, after: int) -> Any:
    dims = shape(x)
    blocks = [p.full(type_of(x), 0, (*dims[:axis], n, *dims[axis + 1 :])) for n in (before, after)]
    parts = [b for b in (blocks[0], x, blocks[1]) if shape(b)[axis] != 0]
    return p.concat(*parts, axis=axis) if parts else x
