
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.tables.table import Table

if TYPE_CHECKING:
    import polars as pl

NO_DATE = np.iinfo(np.int64).min
"""What `dates` has where there is no date."""


@dataclass(frozen=True, eq=False)
class RawColumn:
    """A column of a table, and the training rows, which alone may be learned from.

    Args:
        rows: (m,) the training rows; None for all.
    """

    table: Table
    name: str
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def series(self) -> pl.Series:
        """The values; missing ones are null."""
        return self.table.frame[self.name]

    @cached_property
    def is_missing(self) -> np.ndarray:
        """Which rows (n,) have no value."""
        return self.series.is_null().to_numpy()

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The values (n,) as float64, nan where there is none, and which of them are not numbers."""
        return self.table.numbers(self.name)

    @cached_property
    def text(self) -> pl.Series:
        """The values as text, null where there is none."""
        return self.table.text(self.name)

    def dates(self, pattern: str) -> tuple[np.ndarray, np.ndarray]:
        """The values (n,) int64, microseconds since 1970 or `NO_DATE`, and which known values are no dates.

        Args:
            pattern: how text is read, e.g. "%d.%m.%Y"; "" for columns of dates.
        """
        import polars as pl

        series, moment = self.series, pl.Datetime("us")
        if series.dtype in (pl.Date, pl.Datetime):
            found = series.cast(moment)
        elif series.dtype == pl.String and pattern:
            has_time = "%H" in pattern
            kind = moment if has_time else pl.Date
            found = series.str.strptime(kind, pattern, strict=False).cast(moment)
        else:
            found = pl.Series(self.name, [None] * len(series), moment)
        is_bad = (found.is_null() & series.is_not_null()).to_numpy()
        return found.cast(pl.Int64).fill_null(NO_DATE).to_numpy(), is_bad

    def training(self, values: np.ndarray) -> np.ndarray:
        """The training rows of an array with a row for each of the table."""
        return values if self.rows is None else values[self.rows]

    @cached_property
    def known_text(self) -> pl.Series:
        """The values of the training rows as text, those that are missing left out."""
        text = self.text if self.rows is None else self.text[self.rows]
        return text.drop_nulls()

    @property
    def has_gaps(self) -> bool:
        """Whether a training row has no value."""
        return bool(self.training(self.is_missing).any())
