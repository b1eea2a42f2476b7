"""One table column as given, read once each as text, numbers or dates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.encoding.kinds.base import NO_DATE
from nnjit.data.tables.table import Table

if TYPE_CHECKING:
    import polars as pl

_TIMES = ("%H:%M:%S%.f", "%H:%M")


@dataclass(frozen=True, eq=False)
class RawColumn:
    """A table column and its training rows, the only ones that may be learned from.

    Args:
        rows: (m,) the training rows; None for all.
    """

    table: Table
    name: str
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def series(self) -> pl.Series:
        """The values; missing ones are null."""
        return self.table.frame[self.name]

    @cached_property
    def is_missing(self) -> np.ndarray:
        """A mask (n,) of the rows without a value."""
        if not self.series.null_count():  # calling a method takes polars longer than counting
            return np.zeros(len(self), bool)
        return self.series.is_null().to_numpy()

    @cached_property
    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """The values (n,) as float64, nan if missing, and a mask of those that are not numbers."""
        return self.table.numbers(self.name)

    @property
    def own_numbers(self) -> np.ndarray:
        """The values (n,) of `numbers`, not copied if they came in float32."""
        import polars as pl

        return self.series.to_numpy() if self.series.dtype == pl.Float32 else self.numbers[0]

    @cached_property
    def text(self) -> pl.Series:
        """The values as text, null if missing."""
        return self.table.text(self.name)

    def dates(self, day_format: str) -> tuple[np.ndarray, np.ndarray]:
        """The values (n,) int64, microseconds since 1970 or `NO_DATE`, and a mask of known non-dates.

        Args:
            day_format: how text is read, e.g. "%d.%m.%Y"; unless it has `%H`, a time may follow.
        """
        import polars as pl

        series = self.series
        if series.dtype in (pl.Date, pl.Datetime):
            found = series.cast(pl.Datetime("us"))
        elif series.dtype == pl.String and day_format:
            found = _parsed(series, day_format)
        else:
            found = pl.Series(self.name, [None] * len(series), pl.Datetime("us"))
        is_bad = (found.is_null() & series.is_not_null()).to_numpy()
        return found.cast(pl.Int64).fill_null(NO_DATE).to_numpy(), is_bad

    def training(self, values: np.ndarray) -> np.ndarray:
        """The training rows of an array that has one row per table row."""
        return values if self.rows is None else values[self.rows]

    @cached_property
    def training_series(self) -> pl.Series:
        """The values of the training rows."""
        return self.series if self.rows is None else self.series[self.rows]

    @property
    def known_count(self) -> int:
        """The number of training rows with a value."""
        return len(self.training_series) - self.training_series.null_count()

    @property
    def first_known(self) -> object:
        """The first value in the training rows; None if there is none."""
        series = self.training_series
        if len(series) and series[0] is not None:
            return series[0]
        known = series.drop_nulls()
        return known[0] if len(known) else None

    @cached_property
    def known_text(self) -> pl.Series:
        """The known values of the training rows, as text."""
        text = self.text if self.rows is None else self.text[self.rows]
        return text.drop_nulls()

    @cached_property
    def missing_rows(self) -> int:
        """The number of training rows without a value."""
        return int(self.training(self.is_missing).sum())

    @property
    def has_gaps(self) -> bool:
        """Whether any training row has no value."""
        return self.missing_rows > 0


def _parsed(text: pl.Series, day_format: str) -> pl.Series:
    """Parse text as days and times; null if it is neither."""
    import polars as pl

    if "%H" in day_format:
        try:
            return text.str.strptime(pl.Datetime("us"), day_format, strict=False)
        except pl.exceptions.PolarsError:  # not a valid format for a time
            return pl.Series(text.name, [None] * len(text), pl.Datetime("us"))
    found = text.str.strptime(pl.Date, day_format, strict=False).cast(pl.Datetime("us"))
    plain = text.str.replace(r"^(\d+-\d+-\d+)T", "$1 ").str.replace(
        r"(:\d\d(?:\.\d+)?)(?:Z|[+-]\d\d:?\d\d)$", "$1"
    )
    for time in _TIMES:
        if found.null_count() > text.null_count():
            more = plain.str.strptime(pl.Datetime("us"), f"{day_format} {time}", strict=False)
            found = found.zip_with(found.is_not_null(), more)
    return found
