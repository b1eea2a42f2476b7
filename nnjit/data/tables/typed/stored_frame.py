"""Columns that stay in an Arrow or Parquet file, read one at a time."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.tables.values import normalised
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """The parts of a data frame that a table needs, read on access.

    Args:
        path: the file, for messages.
        lazy: the rows of the file.
        file_height: number of rows in the file.
        columns: the columns of the file to use.
        marks: the marks of missing values in text.
        indices: the rows of the file to use; None for all.
    """

    path: Path
    lazy: pl.LazyFrame
    file_height: int
    columns: list[str]
    marks: tuple[str, ...]
    indices: np.ndarray | None = None
    _read: weakref.WeakValueDictionary[str, pl.Series] = field(default_factory=weakref.WeakValueDictionary)

    @property
    def height(self) -> int:
        """The number of rows."""
        return self.file_height if self.indices is None else len(self.indices)

    def __getitem__(self, column: str) -> pl.Series:
        """Read a column, held in memory only by the caller."""
        series = self._read.get(column)
        if series is None:
            self._read[column] = series = self._column(column)
        return series

    def __iter__(self) -> Iterator[pl.Series]:
        return (self[column] for column in self.columns)

    def select(self, columns: Sequence[str]) -> StoredFrame:
        """The same rows with only these columns."""
        return replace(self, columns=list(columns))

    def chosen(self, indices: np.ndarray) -> StoredFrame:
        """Some of the rows, left in the file."""
        own = indices if self.indices is None else self.indices[indices]
        return replace(self, indices=own, _read=weakref.WeakValueDictionary())

    def _column(self, column: str) -> pl.Series:
        import polars as pl

        try:
            series = normalised(self.lazy.select(column).collect(), self.marks)[column]
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            problem = str(error).partition("\n")[0]
            raise DataError(f"{self.path}: cannot be read any longer ({problem})", ("file",)) from None
        return series if self.indices is None else series[self.indices]
