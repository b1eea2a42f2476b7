"""A table as it was given: named columns of text, numbers, flags and dates, with gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import polars as pl

_FLAGS = {"true": "1", "false": "0"}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with named columns.

    Args:
        frame: columns of a text file are all text, trimmed; those of other files and of data frames keep
            their type. Missing values are null.
        name: what messages call it, e.g. the path of the file.
        where: the index of a row → its name in messages, e.g. "line 7".
        decimal: the mark before the decimals of numbers that are written as text.
        notes: what was found out about the file rather than given, for the log.
    """

    frame: pl.DataFrame
    name: str
    where: Callable[[int], str]
    decimal: Literal[".", ","] = "."
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in their order."""
        return self.frame.columns

    def numbers(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """A column (n,) float64, NaN where it is missing or no number, and which values are no numbers.

        True and false are 1 and 0; dates are no numbers.
        """
        import polars as pl

        series = self.frame[column]
        if series.dtype == pl.String:
            text = series.str.to_lowercase().replace(_FLAGS)
            text = text.str.replace(self.decimal, ".", literal=True) if self.decimal != "." else text
            numbers = text.cast(pl.Float64, strict=False)
        elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
            numbers = series.cast(pl.Float64)
        else:
            numbers = pl.Series(column, [None] * len(series), pl.Float64)
        is_bad = (numbers.is_null() & series.is_not_null()).to_numpy()
        return numbers.fill_null(float("nan")).to_numpy(), is_bad

    def rows(self, kept: np.ndarray) -> Table:
        """The table with the rows of a mask, which keep their names."""
        indices = np.flatnonzero(kept)
        return Table(
            self.frame[indices],
            self.name,
            lambda row: self.where(int(indices[row])),
            self.decimal,
            self.notes,
        )
