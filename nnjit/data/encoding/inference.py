"""Infer the kind of a column from its training rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnjit.data.encoding.kinds import Category, ColumnOptions, Constant, Date, Flag, Id, Number, Text
from nnjit.data.encoding.kinds.date import is_date
from nnjit.data.encoding.kinds.flag import PAIRS
from nnjit.data.encoding.raw_column import RawColumn

FEW = 10  # this many different values are categories, however few the rows
_ID = re.compile(r"(?i:(^|[\W_])id$)|[a-z]I[dD]$", re.ASCII)
_PAIRS = [set(pair) for pair in PAIRS if pair != ("0", "1")]  # 0 and 1 are numbers
_WORDS = set.union(*_PAIRS)
_CODE = r"^[+-]?0\d"  # a number with leading zeros


def infer(column: RawColumn) -> ColumnOptions:
    """Infer the kind of a column that the config does not give, from its training rows alone.

    The first rule that applies decides:

    1. `constant`: no value at all, or a single value and no gap.
    2. `flag`: true or false, or both words of a pair such as yes and no.
    3. `number`: at least half of the values are numbers, and none is a code with leading zeros. A few
       different whole numbers are still numbers, but whole numbers that are all different are an `id` if
       the column's name ends in id.
    4. `date`: at least half of the values look like dates.
    5. `category`: at most 10 different values, or at most half as many as rows with a value.
    6. `text`: nearly all values are different, and at least half of them contain blanks.
    7. `id`: nearly all values are different.
    """
    if _is_constant(column):
        return Constant()
    if column.series.dtype.is_numeric():
        return _number(column)
    if _is_flag(column):
        return Flag()
    bad, count = int(column.training(column.numbers[1]).sum()), column.known_count
    if 2 * bad <= count and not _has_codes(column):
        return _number(column)
    known = column.known_text
    if is_date(column):
        return Date()
    different = known.n_unique()
    if different <= FEW or 2 * different <= len(known):
        return Category()
    has_blanks = 2 * int(known.str.contains(" ", literal=True).sum()) >= len(known)
    return Text() if has_blanks else Id()


def with_missing(options: ColumnOptions, missing: str | None) -> ColumnOptions:
    """The options with this treatment of missing values, if the kind allows it."""
    if missing is None or "missing" not in type(options).model_fields:
        return options
    given: Mapping[str, Any] = {"type": options.type, "missing": missing}
    return type(options).model_validate(given) if _takes(type(options), missing) else options


def _takes(cls: type[ColumnOptions], missing: str) -> bool:
    return missing in getattr(cls.model_fields["missing"].annotation, "__args__", ())


def is_constant_number(column: RawColumn) -> bool:
    """Whether a constant column holds a number."""
    values = column.training(column.numbers[0])
    return bool(np.isfinite(values).any())


def _is_constant(column: RawColumn) -> bool:
    """Whether the training rows have a single value throughout, or none."""
    series = column.training_series
    gaps = series.null_count()
    if not series.dtype.is_numeric():
        return series.n_unique() < 2
    return gaps == len(series) or (gaps == 0 and series.min() == series.max())  # cheaper than n_unique


def _is_flag(column: RawColumn) -> bool:
    import polars as pl

    if column.series.dtype == pl.Boolean:
        return True
    if str(column.first_known).lower() not in _WORDS:
        return False
    words = set(column.known_text.str.to_lowercase().unique().head(3).to_list())
    return words == {"true"} or words == {"false"} or words in _PAIRS


def _has_codes(column: RawColumn) -> bool:
    """Whether a training row has a number with leading zeros."""
    import polars as pl

    series = column.training_series
    return series.dtype == pl.String and bool(series.str.contains(_CODE).any())


def _number(column: RawColumn) -> ColumnOptions:
    if not _ID.search(column.name):
        return Number()
    values = column.training(column.numbers[0])
    is_whole = np.isfinite(values).all() and (values == np.floor(values)).all()
    return Id() if is_whole and len(np.unique(values)) == len(values) else Number()
