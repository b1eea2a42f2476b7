"""Columns that stay in an Arrow or Parquet file, and are read one at a time."""

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
    """What a table needs of a data frame, read when it is asked for.

    Args:
        path: the file, for messages.
        lazy: its rows.
        file_height: how many there are.
        columns: which columns of the file.
        marks: what marks a missing value in text.
        indices: which rows of the file; None for all.
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
        """How many rows there are."""
        return self.file_height if self.indices is None else len(self.indices)

    def __getitem__(self, column: str) -> pl.Series:
        """A column, in memory as long as somebody needs it."""
        series = self._read.get(column)
        if series is None:
            self._read[column] = series = self._column(column)
        return series

    def __iter__(self) -> Iterator[pl.Series]:
        return (self[column] for column in self.columns)

    def select(self, columns: Sequence[str]) -> StoredFrame:
        """The same rows of some columns."""
        return replace(self, columns=list(columns))

    def chosen(self, indices: np.ndarray) -> StoredFrame:
        """Some of the rows, which stay in the file."""
        own = indices if self.indices is None else self.indices[indices]
        return replace(self, indices=own, _read=weakref.WeakValueDictionary())

    def _column(self, column: str) -> pl.Series:
        import polars as pl

        try:
            series = normalised(self.lazy.select(column).collect(), self.marks)[column]
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            problem = str(error).partition("\n")[0]
            raise DataError(f"{self.path}: the file can no longer be read ({problem})", ("file",)) from None
        return series if self.indices is None else series[self.indices]
