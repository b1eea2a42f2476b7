"""Columns that stay in an Arrow or Parquet file, and are read one at a time, or some rows of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.tables.values import normalised
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl


_NEAR = 4096  # rows


class StoredFrame:
    """What a table needs of a data frame, read when it is asked for.

    Args:
        path: the file, for messages.
        lazy: its rows.
        height: how many there are.
        columns: which columns of the file.
        marks: what marks a missing value in text.
    """

    def __init__(
        self, path: Path, lazy: pl.LazyFrame, height: int, columns: Sequence[str], marks: tuple[str, ...]
    ) -> None:
        self._path, self._lazy, self._marks = path, lazy, marks
        self.height, self.columns = height, list(columns)

    def __getitem__(self, column: str) -> pl.Series:
        return self._read(self._lazy.select(column))[column]

    def __iter__(self) -> Iterator[pl.Series]:
        return (self[column] for column in self.columns)

    def select(self, columns: Sequence[str]) -> StoredFrame:
        """The same rows of some columns."""
        return StoredFrame(self._path, self._lazy, self.height, columns, self._marks)

    def rows(self, begin: int, end: int) -> pl.DataFrame:
        """Consecutive rows of all columns, in memory."""
        return self._read(self._lazy.select(self.columns).slice(begin, end - begin))

    def chosen(self, indices: np.ndarray) -> pl.DataFrame:
        """Rows of all columns, in memory; those that are near each other are read with those between them."""
        import polars as pl

        if not len(indices):
            return self.rows(0, 0)
        order = np.argsort(indices, kind="stable")
        runs = np.split(indices[order], np.flatnonzero(np.diff(indices[order]) > _NEAR) + 1)
        read: pl.DataFrame = pl.concat(
            [self.rows(int(run[0]), int(run[-1]) + 1)[run - run[0]] for run in runs]
        )
        return read[np.argsort(order)]

    def _read(self, lazy: pl.LazyFrame) -> pl.DataFrame:
        import polars as pl

        try:
            return normalised(lazy.collect(), self._marks)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            problem = str(error).partition("\n")[0]
            raise DataError(f"{self._path}: the file can no longer be read ({problem})", ("file",)) from None
