"""A part of the data, ready for training: scaled rows with targets, in memory or on disk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnjit.data.storage.disk_rows import DiskRows, RowArray, in_memory

_BLOCK = 2**24  # bytes in a block of rows read for evaluation


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data, scaled.

    Args:
        x: (n, ...) of the training type, C-contiguous and writable.
        y: (n,) int32 class indices, or (n, O) values of the training type.
        w: (n,) weights > 0 of the training type; 1 if all rows are weighted equally.
        rows: (n,) the rows of the data in this part; None for all.
        source_rows: (n,) the corresponding rows of the source, which may have more; None for all.
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
        """The most rows that fit into memory at once: all."""
        return len(self)

    def take(self, rows: slice | np.ndarray) -> Part:
        """Select some rows."""
        own = self.rows if self.rows is None else self.rows[rows]
        of_source = None if self.source_rows is None else self.source_rows[rows]
        return Part(self.x[rows], self.y[rows], self.w[rows], own, of_source)

    def blocks(self, multiple: int = 1) -> Iterator[Part]:
        """The part itself, since it fits into memory."""
        yield self

    def spread(self) -> Part:
        """The part itself, since it fits into memory."""
        return self

    def targets(self) -> Iterator[np.ndarray]:
        """The targets in blocks: a single one."""
        yield self.y

    @property
    def all_targets(self) -> np.ndarray:
        """The targets of all rows."""
        return self.y


@dataclass(frozen=True, eq=False)
class DiskPart:
    """One part of the data with its rows on disk, scaled when read.

    Args:
        x: (n, ...) of the training type.
        y: (n,) int32 class indices, or (n, O) values of the training type.
        w: (n,) as in `Part`.
        rows: (n,) the rows of the data in this part; None for all.
        source_rows: (n,) the corresponding rows of the source, which may have more; None for all.
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
        """The most rows that fit into memory at once."""
        return self.x.buffer_size

    @property
    def row_bytes(self) -> int:
        """The bytes of a row with target and weight, as used in training."""
        arrays = (self.x, self.y, self.w)
        return sum(math.prod(a.shape[1:]) * a.dtype.itemsize for a in arrays)

    def take(self, rows: slice | np.ndarray) -> Part:
        """Read some rows into memory."""
        w = np.ascontiguousarray(self.w[rows])
        y = np.ascontiguousarray(self.y[rows])
        return Part(
            self.x[rows], y, w, _taken(self.rows, rows, len(self)), _taken(self.source_rows, rows, len(self))
        )

    def blocks(self, multiple: int = 1) -> Iterator[Part]:
        """Iterate over the rows in order, some megabytes at a time.

        Args:
            multiple: block sizes, except the last, are multiples of this; at most `most_at_once`.
        """
        fit = min(max(1, _BLOCK // max(1, self.x.row_bytes)), self.most_at_once)
        step = max(fit // multiple, 1) * multiple
        return (self.take(slice(k, k + step)) for k in range(0, len(self), step))

    def spread(self) -> Part:
        """As many rows as fit into memory, spread evenly over the part."""
        return self.take(spread_evenly(self.most_at_once, len(self)))

    def targets(self) -> Iterator[np.ndarray]:
        """The targets in blocks."""
        if isinstance(self.y, np.ndarray):
            yield self.y
            return
        step = max(1, _BLOCK // max(1, self.y.row_bytes))
        yield from (self.y[k : k + step] for k in range(0, len(self), step))

    @property
    def all_targets(self) -> np.ndarray:
        """The targets of all rows; values are read into memory."""
        return in_memory(self.y)


AnyPart = Part | DiskPart


def spread_evenly(most: int, count: int) -> np.ndarray:
    """At most `most` of `count` indices, spread evenly.

    >>> spread_evenly(3, 9)
    array([0, 4, 8])
    """
    return np.linspace(0, count - 1, min(most, count)).astype(np.int64)


def _taken(own: np.ndarray | None, rows: slice | np.ndarray, count: int) -> np.ndarray:
    """Some of `count` indices; None means all from 0."""
    if own is not None:
        return own[rows]
    return np.arange(*rows.indices(count)) if isinstance(rows, slice) else rows
