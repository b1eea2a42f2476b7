"""A part of the data as a training takes it: scaled rows with their targets, in memory or on the disk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnjit.data.storage.disk_rows import DiskRows, RowArray, in_memory

_BLOCK = 2**24  # bytes of a block of rows that is read to be evaluated


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data, scaled.

    Args:
        x: (n, ...) of the type of the training, C-contiguous and writable.
        y: (n,) int32 index of the class, or (n, O) values of the type of the training.
        w: (n,) weights > 0 of the type of the training; 1 if all rows count alike.
        rows: (n,) which rows of the data it holds; None for all.
        source_rows: (n,) which rows of the source these are, some of which the data may lack; None for all.
    """

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    rows: np.ndarray | None = None
    source_rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def most_at_once(self) -> int:
        """The most rows that there is memory for at a time: all."""
        return len(self)

    def take(self, rows: slice | np.ndarray) -> Part:
        """Some of its rows."""
        own = self.rows if self.rows is None else self.rows[rows]
        of_source = None if self.source_rows is None else self.source_rows[rows]
        return Part(self.x[rows], self.y[rows], self.w[rows], own, of_source)

    def blocks(self, multiple: int = 1) -> Iterator[Part]:
        """The part itself, as there is memory for it."""
        yield self

    def spread(self) -> Part:
        """The part itself, as there is memory for it."""
        return self

    def targets(self) -> Iterator[np.ndarray]:
        """The targets a block at a time: all of them."""
        yield self.y

    @property
    def all_targets(self) -> np.ndarray:
        """The targets of all rows."""
        return self.y


@dataclass(frozen=True, eq=False)
class DiskPart:
    """One part of the data whose rows are on the disk, and scaled when they are read.

    Args:
        x: (n, ...) of the type of the training.
        y: (n,) int32 index of the class, or (n, O) values of the type of the training.
        w: (n,) as of a `Part`.
        rows: (n,) which rows of the data it holds; None for all.
        source_rows: (n,) which rows of the source these are, some of which the data may lack; None for all.
    """

    x: DiskRows
    y: RowArray
    w: np.ndarray
    rows: np.ndarray | None = None
    source_rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def most_at_once(self) -> int:
        """The most rows that there is memory for at a time."""
        return self.x.buffer_size

    @property
    def row_bytes(self) -> int:
        """The bytes of a row with its target and its weight, as a training takes them."""
        arrays = (self.x, self.y, self.w)
        return sum(math.prod(a.shape[1:]) * a.dtype.itemsize for a in arrays)

    def take(self, rows: slice | np.ndarray) -> Part:
        """Some of its rows, read into memory."""
        w = np.ascontiguousarray(self.w[rows])
        y = np.ascontiguousarray(self.y[rows])
        return Part(
            self.x[rows], y, w, _taken(self.rows, rows, len(self)), _taken(self.source_rows, rows, len(self))
        )

    def blocks(self, multiple: int = 1, *, first: int = 0, every: int = 1) -> Iterator[Part]:
        """Its rows in their order, some megabytes at a time.

        Args:
            multiple: of which the rows of each block but the last are one; at most `most_at_once`.
            first, every: which of the blocks: the first one, and how many further on the next one is.
        """
        fit = min(max(1, _BLOCK // max(1, self.x.row_bytes)), self.most_at_once)
        step = max(fit // multiple, 1) * multiple
        return (self.take(slice(k, k + step)) for k in range(first * step, len(self), every * step))

    def spread(self) -> Part:
        """As many of its rows as there is memory for, spread evenly over it."""
        return self.take(spread_evenly(self.most_at_once, len(self)))

    def targets(self) -> Iterator[np.ndarray]:
        """The targets, a block at a time."""
        if isinstance(self.y, np.ndarray):
            yield self.y
            return
        step = max(1, _BLOCK // max(1, self.y.row_bytes))
        yield from (self.y[k : k + step] for k in range(0, len(self), step))

    @property
    def all_targets(self) -> np.ndarray:
        """The targets of all rows, which are read if they are values."""
        return in_memory(self.y)


AnyPart = Part | DiskPart


def spread_evenly(most: int, count: int) -> np.ndarray:
    """Indices of at most so many of `count` rows, spread evenly over them.

    >>> spread_evenly(3, 9)
    array([0, 4, 8])
    """
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def _taken(own: np.ndarray | None, rows: slice | np.ndarray, count: int) -> np.ndarray:
    """Some of so many indices; None stands for all from 0."""
    if own is not None:
        return own[rows]
    return np.arange(*rows.indices(count)) if isinstance(rows, slice) else rows
