"""Rows that stay on disk: an array whose rows are selected, scaled and read a few at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

_PIECE = 2**17  # numbers converted at once: they fit the cache, and take little memory

Convert = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(rows as stored, their indices in the data) → rows as wanted."""


class Stored(Protocol):
    """An array (n, ...) with random access to rows, such as a `numpy.memmap`."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def __getitem__(self, rows: slice | np.ndarray, /) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class DiskRows:
    """Rows (n, ...) of a stored array, read and converted on access.

    Args:
        buffer_size: the most rows that training holds in memory at a time.
        indices: the rows of the stored array, ascending; None for all.
        row_shape, dtype: of the converted rows.
        conversions: applied in order to the rows read.
    """

    stored: Stored
    buffer_size: int
    indices: np.ndarray | None
    row_shape: tuple[int, ...]
    dtype: np.dtype
    conversions: tuple[Convert, ...] = ()

    @classmethod
    def of(cls, stored: Stored, buffer_size: int) -> DiskRows:
        """All rows, unconverted."""
        return cls(stored, buffer_size, None, stored.shape[1:], stored.dtype)

    def __len__(self) -> int:
        return self.stored.shape[0] if self.indices is None else len(self.indices)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        return (len(self), *self.row_shape)

    @property
    def ndim(self) -> int:
        """The number of axes, including the rows."""
        return 1 + len(self.row_shape)

    @property
    def size(self) -> int:
        """The number of numbers."""
        return math.prod(self.shape)

    @property
    def row_bytes(self) -> int:
        """The bytes of a converted row."""
        return math.prod(self.row_shape) * self.dtype.itemsize

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read some rows into a new array in C order.

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
        """Select rows by ascending indices."""
        indices = rows if self.indices is None else self.indices[rows]
        return replace(self, indices=indices)

    def astype(self, dtype: DTypeLike) -> DiskRows:
        """Convert the rows to another type."""
        wanted = np.dtype(dtype)
        return self.map(lambda block, _: block.astype(wanted), dtype=wanted, row_shape=self.row_shape)

    def reshape(self, rows: int, *row_shape: int) -> DiskRows:
        """Reshape each row to another shape of the same size."""
        return self.map(
            lambda block, _: block.reshape(len(block), *row_shape), dtype=self.dtype, row_shape=row_shape
        )

    def map(self, convert: Convert, *, dtype: DTypeLike, row_shape: tuple[int, ...]) -> DiskRows:
        """Convert the rows by a function, to the given type and shape."""
        conversions = (*self.conversions, convert)
        return replace(self, conversions=conversions, dtype=np.dtype(dtype), row_shape=row_shape)

    def _converted(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read and convert a piece of the rows, given by a slice or indices into the stored array."""
        block = np.asarray(self.stored[rows])
        indices = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        for convert in self.conversions:
            block = convert(block, indices)
        return block


def _part(rows: slice | np.ndarray, begin: int, end: int) -> slice | np.ndarray:
    """The part from `begin` to `end` of a slice of step 1, or of indices."""
    return slice(rows.start + begin, rows.start + end) if isinstance(rows, slice) else rows[begin:end]


RowArray = np.ndarray | DiskRows
"""Rows in memory or on disk: both have shape, dtype, ndim, size, astype and reshape."""


def select(rows: RowArray, indices: np.ndarray) -> RowArray:
    """Select rows by ascending indices."""
    return rows.select(indices) if isinstance(rows, DiskRows) else rows[indices]


def in_memory(rows: RowArray) -> np.ndarray:
    """Read all rows into one array."""
    return rows[:] if isinstance(rows, DiskRows) else rows
