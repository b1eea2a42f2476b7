"""Rows that stay on the disk: an array of which some rows are selected, scaled and read at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

_PIECE = 2**17  # numbers that are converted at once: it stays in the cache, and takes little memory

Convert = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(rows as stored, their indices in the data) -> rows as wanted."""


class Stored(Protocol):
    """An array (n, ...) of which any rows can be read; `numpy.memmap` is one."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def __getitem__(self, rows: slice | np.ndarray, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class DiskRows:
    """Rows (n, ...) of a stored array, read and converted when they are asked for.

    Args:
        buffer_size: the most rows that a training holds in memory at a time.
        indices: which rows of the stored array, in ascending order; None for all.
        row_shape, dtype: of the rows as they are given.
        conversions: applied to the rows that are read, one after the other.
    """

    stored: Stored
    buffer_size: int
    indices: np.ndarray | None
    row_shape: tuple[int, ...]
    dtype: np.dtype
    conversions: tuple[Convert, ...] = ()

    @classmethod
    def of(cls, stored: Stored, buffer_size: int) -> DiskRows:
        """All rows as they are stored."""
        return cls(stored, buffer_size, None, stored.shape[1:], stored.dtype)

    def __len__(self) -> int:
        return self.stored.shape[0] if self.indices is None else len(self.indices)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        return (len(self), *self.row_shape)

    @property
    def ndim(self) -> int:
        """How many axes there are, that of the rows included."""
        return 1 + len(self.row_shape)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def row_bytes(self) -> int:
        """The bytes of a row as it is given."""
        return math.prod(self.row_shape) * self.dtype.itemsize

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some rows in a new array in C order.

        Raises:
            DataError: they cannot be read or converted.
        """
        if self.indices is not None:
            rows = self.indices[rows]
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            rows = slice(start, max(start, stop)) if step == 1 else np.arange(start, stop, step)
        count = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        out = np.empty((count, *self.row_shape), self.dtype)
        most = max(1, _PIECE // max(1, math.prod(self.stored.shape[1:])))
        for k in range(0, count, most):
            out[k : k + most] = self._converted(_part(rows, k, min(k + most, count)))
        return out

    def select(self, rows: np.ndarray) -> DiskRows:
        """Those of the rows whose indices are given, in ascending order."""
        indices = rows if self.indices is None else self.indices[rows]
        return replace(self, indices=indices)

    def astype(self, dtype: DTypeLike) -> DiskRows:
        """The rows in another type."""
        wanted = np.dtype(dtype)
        return self.map(lambda block, _: block.astype(wanted), dtype=wanted, row_shape=self.row_shape)

    def reshape(self, rows: int, *row_shape: int) -> DiskRows:
        """The rows in another shape of the same size."""
        return self.map(
            lambda block, _: block.reshape(len(block), *row_shape), dtype=self.dtype, row_shape=row_shape
        )

    def map(self, convert: Convert, *, dtype: DTypeLike, row_shape: tuple[int, ...]) -> DiskRows:
        """The rows as a function makes them, of such a type and shape."""
        conversions = (*self.conversions, convert)
        return replace(self, conversions=conversions, dtype=np.dtype(dtype), row_shape=row_shape)

    def _converted(self, rows: slice | np.ndarray) -> np.ndarray:
        """A piece of the rows; the slice or the indices are those of the stored array."""
        block = np.asarray(self.stored[rows])
        indices = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        for convert in self.conversions:
            block = convert(block, indices)
        return block


def _part(rows: slice | np.ndarray, begin: int, end: int) -> slice | np.ndarray:
    """Some of the rows that a slice of step 1, or indices, name."""
    return slice(rows.start + begin, rows.start + end) if isinstance(rows, slice) else rows[begin:end]


RowArray = np.ndarray | DiskRows
"""Rows in memory or on the disk: both have shape, dtype, ndim, size, astype and reshape."""


def select(rows: RowArray, indices: np.ndarray) -> RowArray:
    """Those of the rows whose indices are given, in ascending order."""
    return rows.select(indices) if isinstance(rows, DiskRows) else rows[indices]


def in_memory(rows: RowArray) -> np.ndarray:
    """The rows as an array, which takes its whole size."""
    return rows[:] if isinstance(rows, DiskRows) else rows
