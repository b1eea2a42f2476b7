"""Convert a column to numbers or text, independent of how its file stores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.tables.marks import POINT, Marks

if TYPE_CHECKING:
    import polars as pl

MISSING_MARKS = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null")
"""Text that marks a missing value unless the user says otherwise."""

_FLAGS = {"true": 1.0, "false": 0.0}
_LAST_DAY = 2_932_896  # 9999-12-31, in days since 1970
_UNITS = {"days": 1, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}  # per day
_MIDNIGHT = " 00:00:00"


def missing_marks(option: tuple[str, ...] | None) -> tuple[str, ...]:
    """The marks of missing values, in addition to empty text."""
    return MISSING_MARKS if option is None else ("", *option)


def problem_of(series: pl.Series) -> str | None:
    """Why the values of a column are neither text nor numbers, and how to fix it; None if readable."""
    import polars as pl

    dtype = series.dtype
    if dtype in (pl.Date, pl.Datetime) and _is_beyond_calendar(series):
        return "holds a date beyond the year 9999; correct it, or ignore the column"
    plain = (pl.String, pl.Boolean, pl.Date, pl.Datetime, pl.Time, pl.Categorical, pl.Enum, pl.Null)
    if dtype in plain or dtype.is_numeric():
        return None
    kinds = {
        pl.List: "lists",
        pl.Array: "lists",
        pl.Struct: "records",
        pl.Binary: "bytes",
        pl.Duration: "durations",
    }
    kind = next((word for base, word in kinds.items() if dtype == base), "Python objects")
    mend = (
        "give it as a number, e.g. of seconds"
        if kind == "durations"
        else "split it into columns of numbers or text"
    )
    return f"holds {kind} ({dtype}); {mend}, or ignore the column"


def _is_beyond_calendar(times: pl.Series) -> bool:
    """Whether a time is too far off for polars to write it, as in damaged files."""
    numbers = times.to_physical().drop_nulls()
    limit = _LAST_DAY * _UNITS[getattr(times.dtype, "time_unit", "days")]
    return len(numbers) > 0 and not -limit <= int(numbers.min()) <= int(numbers.max()) <= limit  # type: ignore[arg-type]


def normalised(frame: pl.DataFrame, marks: tuple[str, ...] = MISSING_MARKS) -> pl.DataFrame:
    """Convert columns to table types as far as possible, with null for missing values.

    Text is trimmed; categories become text, decimals float64, times of day text; times lose their zone, and
    nan is missing.
    """
    import polars as pl
    import polars.selectors as cs

    plain = frame.with_columns(
        cs.by_dtype(pl.Null, pl.Categorical, pl.Enum, pl.Time).cast(pl.String),
        cs.decimal().cast(pl.Float64),
        cs.datetime(time_zone="*").dt.replace_time_zone(None),
    )
    gaps = [name for name in plain.select(cs.float()).columns if plain[name].is_nan().any()]
    return trimmed(plain.with_columns(pl.col(gaps).fill_nan(None)), marks)


def trimmed(frame: pl.DataFrame, marks: tuple[str, ...]) -> pl.DataFrame:
    """Trim the text of a frame, and replace missing marks by null."""
    import polars as pl
    import polars.selectors as cs

    plain = frame.with_columns(cs.string().str.strip_chars())
    has_gaps = plain.select(cs.string().is_in(list(marks)).any())  # most have none: takes half the time
    gaps = pl.col([name for name in has_gaps.columns if has_gaps.item(0, name)])
    return plain.with_columns(pl.when(~gaps.is_in(list(marks))).then(gaps).name.keep())


def as_numbers(series: pl.Series, marks: Marks) -> tuple[np.ndarray, np.ndarray]:
    """A column (n,) in float64, nan if missing or not a number, and a mask of the non-numbers."""
    import polars as pl

    if series.dtype == pl.String:
        if marks == POINT:  # faster than an expression
            numbers = series.cast(pl.Float64, strict=False)
        else:
            numbers = series.to_frame().select(marks.numbers(pl.col(series.name))).to_series()
        if numbers.null_count() > series.null_count():  # otherwise there are no flags
            flags = series.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Float64)
            numbers = numbers.fill_null(flags)
    elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
        numbers = series.cast(pl.Float64)
    else:
        numbers = pl.Series(series.name, [None] * len(series), pl.Float64)
    values = numbers.to_numpy()
    is_none = np.isnan(values)
    if np.count_nonzero(is_none) == series.null_count():  # calling a method takes polars longer than counting
        return values, np.zeros(len(series), bool)
    return values, is_none & series.is_not_null().to_numpy()


def as_text(series: pl.Series, marks: Marks) -> pl.Series:
    """A column as text in a canonical form, independent of how it is stored; null if missing."""
    import polars as pl

    values = pl.col(series.name)
    if series.dtype == pl.String:
        text = _canonical(marks.plain(values))
    elif series.dtype.is_float():
        is_whole = (values == values.floor()) & (values.abs() < 2.0**63)
        whole = values.cast(pl.Int64, strict=False).cast(pl.String)
        text = pl.when(is_whole).then(whole).otherwise(values.fill_nan(None).cast(pl.String))
    elif series.dtype == pl.Datetime:
        text = values.dt.to_string("%Y-%m-%d %H:%M:%S%.f").str.strip_suffix(_MIDNIGHT)
        text = text.str.replace(r"(\.\d*[1-9])0+$", "$1")
    else:
        text = values.cast(pl.String)
    return series.to_frame().select(text).to_series()


def _canonical(text: pl.Expr) -> pl.Expr:
    """Rewrite text that other files would store as a float, flag or time in the form of that type."""
    import polars as pl

    text = text.str.replace(r"^(-?(?:0|[1-9]\d*))\.0$", "$1")
    text = text.str.replace(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:(\.\d*[1-9])0*|\.0+)?$", "$1 $2$3")
    lower = text.str.to_lowercase()
    flag = pl.when(lower.is_in(["true", "false"])).then(lower).otherwise(text)
    return flag.str.strip_suffix(_MIDNIGHT)
