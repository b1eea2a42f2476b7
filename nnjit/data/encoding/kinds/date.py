"""`date`: a day, optionally with a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from nnjit.data.encoding.kinds.base import MISSING_INPUT, NO_DATE, ColumnEncoding, ColumnOptions, Read, kinds
from nnjit.data.encoding.problem import Problem, unreadable
from nnjit.errors import shortened

if TYPE_CHECKING:
    from nnjit.data.encoding.raw_column import RawColumn

# fmt: off
PATTERNS: Mapping[str, str] = {  # format → text that may have it, optionally with a time
    "%Y-%m-%d": r"^\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d\S*)?$",
    "%Y/%m/%d": r"^\d{4}/\d\d?/\d\d?(?: \d\d?:\d\d\S*)?$",
    "%d.%m.%Y": r"^\d\d?\.\d\d?\.\d{4}(?: \d\d?:\d\d\S*)?$",
    "%d/%m/%Y": r"^\d\d?/\d\d?/\d{4}(?: \d\d?:\d\d\S*)?$",
    "%m/%d/%Y": r"^\d\d?/\d\d?/\d{4}(?: \d\d?:\d\d\S*)?$",
}
# fmt: on
_DAY = 86_400_000_000  # microseconds
_HOUR = 3_600_000_000


@kinds.register
class Date(ColumnOptions):
    """A day: its year, month (1 to 12), day of the week (1 is Monday), number of days after the first of the
    training rows, and hour (0 to 24) if there is a time of day. `scale` scales them.
    """

    type: Literal["date"] = "date"
    format: str | None = Field(None, max_length=100)
    """How text is read, such as `%d.%m.%Y`; null detects it: year-month-day with `-` or `/`,
    day.month.year, or, if the training rows tell which, day/month/year or month/day/year, each optionally
    with a time such as 10:15 or 10:15:30."""
    missing: Literal["median", "drop", "error"] = "median"
    """Replacement for a missing value: the `median` of the training rows; `drop` omits such rows, `error`
    stops."""
    indicator: bool = True
    """Whether an extra input is 1 for missing values, else 0, provided that training rows have missing
    values."""

    def fit(self, column: RawColumn) -> DateEncoding:
        found = (self.format,) if self.format else _formats(column)
        times = column.training(column.dates(found[0])[0]) if len(found) == 1 else np.zeros(0, np.int64)
        known = times[times != NO_DATE]
        has_fill = self.missing == "median" and len(known) > 0
        return DateEncoding(
            name=column.name,
            missing=self.missing,
            formats=found,
            first=int(known.min()) // _DAY if len(known) else 0,
            has_time=bool((known % _DAY != 0).any()),
            fill=int(np.quantile(known, 0.5, method="inverted_cdf")) if has_fill else None,
            has_indicator=self.indicator and has_fill and column.has_gaps,
        )


@dataclass(frozen=True, kw_only=True)
class DateEncoding(ColumnEncoding):
    """A column of dates.

    Args:
        formats: how text is read; several if the training rows are ambiguous, none if no format fits.
        first: the first day of the training rows, in days since 1970.
        has_time: whether training rows have times of day.
        fill: replaces missing values, in microseconds since 1970; None if none are allowed.
        has_indicator: whether an input marks missing values.
    """

    kind: Literal["date"] = "date"
    formats: tuple[str, ...]
    first: int
    has_time: bool = False
    fill: int | None = None
    has_indicator: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        parts = ("year", "month", "day_of_week", "days", *(("hour",) * self.has_time))
        names = tuple(f"{self.name}.{part}" for part in parts)
        return (*names, *((f"{self.name}={MISSING_INPUT}",) * self.has_indicator))

    @property
    def is_scaled(self) -> tuple[bool, ...]:
        return (True,) * (4 + self.has_time) + (False,) * self.has_indicator

    def read(self, column: RawColumn) -> Read:
        if len(self.formats) > 1:
            return np.full(len(column), NO_DATE), (self._ambiguous(column),)
        day_format = self.formats[0] if self.formats else ""
        times, is_bad = column.dates(day_format)
        wanted = f"a date ({day_format})" if day_format else "a date such as 2007-11-30"
        mend = 'correct it, or give its format in columns, such as {type: date, format: "%d.%m.%Y"}'
        return times, unreadable(column, is_bad, wanted, mend) or self.gaps(column)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        is_missing = values == NO_DATE
        times = np.where(is_missing, 0 if self.fill is None else self.fill, values)
        days = times // _DAY
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        out[:, 0] = 1970 + months // 12
        out[:, 1] = months % 12 + 1
        out[:, 2] = (days + 3) % 7 + 1  # 1970 began on a Thursday
        out[:, 3] = days - self.first
        if self.has_time:
            out[:, 4] = times % _DAY / _HOUR
        if self.has_indicator:
            out[:, -1] = is_missing

    def _ambiguous(self, column: RawColumn) -> Problem:
        row = int(np.argmin(column.is_missing))
        formats = " and ".join(f'"{each}"' for each in self.formats)
        mend = f'give the format in columns, such as {{type: date, format: "{self.formats[0]}"}}'
        value = shortened(str(column.series[row]))
        return Problem(column.table.where(row), column.name, f'"{value}" may be a date as {formats}', mend)


def is_date(column: RawColumn) -> bool:
    """Whether at least half of the values in the training rows look like dates."""
    import polars as pl

    if column.series.dtype in (pl.Date, pl.Datetime):
        return True
    known = column.known_text
    return any(2 * int(known.str.contains(pattern).sum()) >= len(known) for pattern in set(PATTERNS.values()))


def _formats(column: RawColumn) -> tuple[str, ...]:
    """The formats that read the most values in the training rows."""
    candidates = [f for f, pattern in PATTERNS.items() if column.known_text.str.contains(pattern).any()]
    bad = {f: int(column.training(column.dates(f)[1]).sum()) for f in candidates}
    return tuple(f for f in candidates if bad[f] == min(bad.values()))
