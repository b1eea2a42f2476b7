"""Read rows of an array stored row by row in a file.

Rows are read, not memory-mapped: pages of a mapped file would count as memory of the process, and if the file
were truncated meanwhile, a signal would end the process without a message.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from nnjit.errors import DataError

_PIECE = 2**20  # bytes read at once if only some rows are wanted
_GAP = 2**16  # bytes between wanted rows that are cheaper to read than to skip


@dataclass(frozen=True, eq=False, kw_only=True)
class FileRows(ABC):
    """An array (n, ...) in a file, whose rows are read on access.

    Args:
        offset: byte offset of the first row.
    """

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the file in messages."""

    @abstractmethod
    def opened(self) -> AbstractContextManager[BinaryIO]:
        """The file, unbuffered, to seek and read in; raise DataError if it cannot be read."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Read some rows into a new array; indices may be in any order.

        Raises:
            DataError: the file has changed since it was opened, or cannot be read.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step != 1:
                return self[np.arange(start, stop, step)]
            with self.opened() as file:
                return self._read(file, start, max(start, stop))
        if (np.diff(rows) < 0).any():
            order = np.argsort(rows, kind="stable")
            out = np.empty((len(rows), *self.shape[1:]), self.dtype)
            out[order] = self[rows[order]]
            return out
        return self._some(rows)

    def _some(self, rows: np.ndarray) -> np.ndarray:
        """Read rows with ascending indices; rows close to each other are read at once."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        places = rows.astype(np.int64) * self._row_bytes
        is_apart = (np.diff(places) > _GAP + self._row_bytes) | (np.diff(places // _PIECE) > 0)
        ends = [*(np.flatnonzero(is_apart) + 1).tolist(), len(rows)]
        with self.opened() as file:
            begin = 0
            for end in ends:
                if end > begin:
                    first = int(rows[begin])
                    block = self._read(file, first, int(rows[end - 1]) + 1)
                    out[begin:end] = block[rows[begin:end] - first]
                begin = end
        return out

    @property
    def _row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def _read(self, file: BinaryIO, start: int, stop: int) -> np.ndarray:
        memory = np.empty((stop - start) * self._row_bytes, np.uint8)
        view = memory.data
        file.seek(self.offset + start * self._row_bytes)
        while view:
            count = file.readinto(view)  # type: ignore[attr-defined]  # a raw file reads into memory
            if not count:
                raise DataError(f"{self.name}: truncated while being read")
            view = view[count:]
        return np.ndarray((stop - start, *self.shape[1:]), self.dtype, memory)
