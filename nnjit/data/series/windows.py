"""Windows of consecutive steps of a series, made on access."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnjit.data.tables.table import Table


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows (n, steps, channels) of rows that are stored once, however many windows share them.

    `windows[a:b]` and `windows[indices]` are (m, steps, channels) float64 arrays.

    Args:
        values: (rows, channels) float64, each group's rows together, in time order.
        starts: (n,) the first row of each window.
        length: number of steps in a window.
        table: the table that the values come from.
    """

    values: np.ndarray
    starts: np.ndarray
    length: int
    table: Table

    dtype = np.dtype(np.float64)
    ndim = 3

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.starts), self.length, self.values.shape[1]

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        return np.asarray(self.values[self.starts[rows][:, None] + np.arange(self.length)])

    def covered(self, windows: np.ndarray | None) -> np.ndarray:
        """The rows (m, channels) that the given windows (all if None) contain, each once."""
        chosen = self.starts if windows is None else self.starts[windows]
        return np.asarray(self.values[covered_rows(chosen, self.length, len(self.values))])


def covered_rows(starts: np.ndarray, length: int, rows: int) -> np.ndarray:
    """The indices of the rows that windows with these starts contain, ascending.

    >>> covered_rows(np.array([0, 1, 5]), 2, 8)
    array([0, 1, 2, 5, 6])
    """
    changes = np.bincount(starts, minlength=rows + 1) - np.bincount(starts + length, minlength=rows + 1)
    return np.flatnonzero(np.cumsum(changes[:rows]) > 0)
