"""Survey a column: find the kind to give it, and facts about its values."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit.data.encoding.inference import infer
from nnjit.data.encoding.kinds import (
    Category,
    ColumnEncoding,
    ColumnOptions,
    Date,
    DateEncoding,
    Flag,
    Id,
    LeftOut,
    Number,
    Text,
)
from nnjit.data.encoding.kinds.base import NO_DATE
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.errors import counted

Order = Literal["ascending", "descending"]

MOST_FREQUENT = 5  # values named
MANY = 50  # with at least this many categories, rare ones are merged
RARE = 5  # rows; a category with fewer is rare
LEAST_TEXTS = 1000  # rows; with fewer, a network memorizes the words
_SPREAD = 1.2  # the largest row number, relative to the number of rows
_MOST_MARKS = 3  # different words that may mark missing values in a number column
_TIME = re.compile(r"(?i)(^|[\W_])(year|quarter|month|week|day|date|hour|time|timestamp|step|t)$")


@dataclass(frozen=True, eq=False)
class Survey:
    """Facts about a column, from all its rows.

    Args:
        kind: the kind to give it, with its options.
        spare: the kind to give it instead if no other column is an input; None if there is none.
        encoding: the encoding that `features` would use, with categories as indices.
        rows, missing, different: number of rows, of rows without a value, and of different values among the
            others.
        extent: the least and the greatest value if numbers or dates, as text; None for others.
        frequent: the most frequent values with their row counts, most frequent first; none for dates.
        differs_in_case: whether some values differ only in case.
        is_whole: whether all values are whole numbers.
        is_time: whether it is a date, or a number named like one.
        order: how its values run through the rows; None if they go up and down.
        marks: words in a number column that may mark missing values.
        problem: why it cannot be an input; empty if it can.
    """

    name: str
    kind: ColumnOptions
    encoding: ColumnEncoding
    rows: int
    missing: int
    different: int
    extent: tuple[str, str] | None = None
    frequent: tuple[tuple[str, int], ...] = ()
    differs_in_case: bool = False
    is_whole: bool = False
    is_time: bool = False
    order: Order | None = None
    marks: tuple[str, ...] = ()
    problem: str = ""
    spare: ColumnOptions | None = None

    def as_spare(self, column: RawColumn) -> Survey:
        """The survey with its spare kind, if it has one."""
        if self.spare is None:
            return self
        return replace(self, kind=self.spare, encoding=self.spare.fit(column))


def survey(column: RawColumn) -> Survey:
    """Survey a column."""
    unreadable = column.table.problem(column.name)
    missing = int(column.is_missing.sum())
    if unreadable is not None:
        left_out = LeftOut(name=column.name, kind="constant")
        return Survey(column.name, Id(), left_out, len(column), missing, 0, problem=unreadable)
    kind = infer(column)
    if isinstance(kind, Number | Id) and not column.numbers[1].any():
        return _of_numbers(column, kind, missing)
    if isinstance(kind, Date):
        return _of_dates(column, missing)
    if isinstance(kind, Number):
        return _of_numbers_and_words(column, missing)
    return _of_words(column, kind, missing)


def _of_numbers(column: RawColumn, kind: ColumnOptions, missing: int) -> Survey:
    values = column.numbers[0]
    known = values[~np.isnan(values)]
    different, counts = np.unique(known, return_counts=True)
    first = np.argsort(-counts, kind="stable")[:MOST_FREQUENT]
    is_whole = bool(np.isfinite(known).all() and (known == np.floor(known)).all())
    is_time = is_whole and _TIME.search(column.name) is not None
    if is_whole and not is_time and _count_rows(values):
        kind = Id()
    encoding = kind.fit(column)
    return Survey(
        column.name, kind, encoding, len(column), missing, len(different),
        extent=(_number(different[0]), _number(different[-1])),
        frequent=tuple((_number(different[k]), int(counts[k])) for k in first),
        is_whole=is_whole,
        is_time=is_time,
        order=_order(known) if is_time else None,
        problem=_problem(column, encoding),
        spare=Number() if isinstance(kind, Id) else None,
    )  # fmt: skip


def _of_numbers_and_words(column: RawColumn, missing: int) -> Survey:
    """Survey a column of numbers with some words, which may mark missing values."""
    is_bad = column.numbers[1]
    words = column.series.filter(is_bad).unique(maintain_order=True)
    found = _of_words(column, Category(), missing)
    marks = tuple(words.to_list()) if len(words) <= _MOST_MARKS else ()
    example = words[0]
    problem = f'holds numbers, except for {counted(int(is_bad.sum()), "value")} such as "{example}"'
    return Survey(
        column.name, Number(), Number().fit(column), len(column), missing, found.different,
        marks=marks, problem=problem,
    )  # fmt: skip


def _of_dates(column: RawColumn, missing: int) -> Survey:
    kind = Date()
    encoding = kind.fit(column)
    assert isinstance(encoding, DateEncoding)
    orders = {each: _order(_known(column, each)) for each in encoding.formats}
    if any("/" in each for each in encoding.formats):
        best = next((each for each, order in orders.items() if order), encoding.formats[0])
        kind = Date(format=best)  # the training rows alone may be ambiguous
        encoding = kind.fit(column)
    day_format = kind.format or next(iter(encoding.formats), "")
    times = _known(column, day_format)
    different = np.unique(times)
    days = different.astype("datetime64[us]").astype("datetime64[D]").astype(str)
    return Survey(
        column.name, kind, encoding, len(column), missing, len(different),
        extent=(days[0], days[-1]) if len(days) else None,
        is_time=True,
        order=_order(times),
        problem=_problem(column, encoding),
    )  # fmt: skip


def _of_words(column: RawColumn, kind: ColumnOptions, missing: int) -> Survey:
    counts = column.known_text.alias("value").value_counts(name="rows")
    counts = counts.sort("rows", "value", descending=[True, False])
    if isinstance(kind, Category):
        kind = _category(len(counts), int((counts["rows"] >= RARE).sum()))
    spare = None
    if isinstance(kind, Text) and len(column) < LEAST_TEXTS:
        kind, spare = Id(), kind
    encoding = (kind.model_copy(update={"indexed": True}) if isinstance(kind, Category) else kind).fit(column)
    numbers = column.numbers[0] if isinstance(kind, Flag) and not column.numbers[1].any() else None
    return Survey(
        column.name, kind, encoding, len(column), missing, len(counts),
        frequent=tuple(counts.head(MOST_FREQUENT).rows()),
        differs_in_case=counts["value"].str.to_lowercase().n_unique() < len(counts),
        is_whole=numbers is not None,
        problem=_problem(column, encoding),
        spare=spare,
    )  # fmt: skip


def _category(categories: int, frequent: int) -> ColumnOptions:
    """The options of a category, or of an id if hardly any name recurs."""
    if categories <= MANY or frequent == categories:
        return Category()
    return Category(other=RARE) if frequent > 1 else Id()


def _known(column: RawColumn, day_format: str) -> np.ndarray:
    times = column.dates(day_format)[0]
    known: np.ndarray = times[times != NO_DATE]
    return known


def _order(values: np.ndarray) -> Order | None:
    """How values run through the rows; None if they go up and down, or hardly differ."""
    if len(values) < 3 or len(np.unique(values)) < 3:
        return None
    steps = np.sign(np.diff(values.astype(np.float64)))
    return "ascending" if (steps >= 0).all() else "descending" if (steps <= 0).all() else None


def _count_rows(values: np.ndarray) -> bool:
    """Whether whole numbers count the rows from 0 or 1, some of which may be missing."""
    if len(values) < 3 or not values[0] >= 0 or not values[-1] <= _SPREAD * len(values):
        return False
    return bool((np.diff(values) > 0).all())


def _number(value: float) -> str:
    return f"{value:.0f}" if value == np.floor(value) and abs(value) < 1e15 else f"{value:.4g}"


def _problem(column: RawColumn, encoding: ColumnEncoding) -> str:
    problems = encoding.read(column)[1] if encoding.inputs else ()
    return problems[0].wrong if problems else ""
