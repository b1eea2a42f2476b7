"""Decide whether the first row of a text table names its columns, and take the names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnjit.data.tables.values import MISSING_MARKS
from nnjit.errors import DataError, shortened

if TYPE_CHECKING:
    import polars as pl

Row = Sequence[str]

_PLAIN = re.compile(
    r"[+-]?(\d+([.,]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?"  # number with either decimal mark, or dotted date
    r"|\d{1,4}([-/])\d\d?\4\d{1,4}([T ]\d\d?:\d\d(:\d\d([.,]\d+)?)?)?"
    r"|(?i:true|false|[+-]?inf)"
)
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # pandas' index, as written and as read back
_MOST_TEXT = 0.1  # fraction of text allowed in a column of numbers


def is_plain(value: str) -> bool:
    """Whether a value is a number, date or flag, as column names seldom are."""
    return _PLAIN.fullmatch(value) is not None


def has_header(rows: Sequence[Row]) -> bool | None:
    """Whether the first row names the columns below; None if it could be either.

    It does if it has text above a column of numbers, dates or flags. It does not if it has such values above
    them, or above text columns a value that occurs again below.
    """
    first, below = rows[0], rows[1:]
    if not below or _counts_up(first, 0):  # pandas' names for unnamed columns
        return True
    columns = [
        [row[k] for row in below if k < len(row) and row[k] not in MISSING_MARKS] for k in range(len(first))
    ]
    known = [
        (name, column, _are_plain(column)) for name, column in zip(first, columns, strict=True) if column
    ]
    numbers = [name for name, _, are_plain in known if are_plain]
    texts = [(name, column) for name, column, are_plain in known if not are_plain]
    if any(name not in MISSING_MARKS and not is_plain(name) for name in numbers):
        return True
    recurs = [name in column for name, column in texts]
    if not any(is_plain(name) for name in numbers):
        return not texts or not all(recurs)
    may_be_years = _counts_up(first) and len(first) > 2
    return None if may_be_years or (texts and not any(recurs)) else False  # such as country, 1990, 1991


def names_of(fields: Row, place: str) -> tuple[str, ...]:
    """The names in a header at this place of a file; empty if unnamed.

    Raises:
        DataError: two columns have the same name.
    """
    names = tuple("" if _UNNAMED.fullmatch(name) else name for name in fields)
    for k, name in enumerate(names):
        if name and name in names[:k]:
            raise DataError(
                f'{place}: two columns are called "{name}"; rename one, or set header: false',
                ("file",),
            )
    return names


def unclear(place: str, record: str) -> str:
    """The message about a first row that could be a header or values."""
    return (
        f'{place}: "{shortened(record)}" could name the columns or be a row of values; '
        "set header: true or header: false"
    )


def without_header(file: str, place: str) -> str:
    """A note that a table has no header."""
    return (
        f"{file}: no header, since {place} resembles the rows below it (else set header: true); "
        "the columns are column_0, column_1, …"
    )


def fitted(
    names: tuple[str, ...], rows: Sequence[Row], width: int, line: int, path: object
) -> tuple[str, ...]:
    """One name per column, empty if unnamed: R leaves the column of row numbers unnamed, and some programs
    end each row, or only the header, with a separator.

    Raises:
        DataError: rows have fewer values than there are names.
    """
    if len(names) > width:
        if all(not name for name in names[width:]):
            return names[:width]
        if all(len(row) < len(names) for row in rows):
            raise DataError(
                f"{path}: line {line}: {len(names)} names, but {width} values in the rows below; "
                "is the separator right?",
                ("file",),
            )
        return names
    if len(names) == width - 1:
        whole = [row for row in rows if len(row) == width]
        if not any(row[-1] for row in whole):
            return (*names, "")
        if _counts_up([row[0] for row in whole], 0) or _counts_up([row[0] for row in whole], 1):
            return ("", *names)
    return names


def named_columns(
    frame: pl.DataFrame, names: Sequence[str] | None, file: str
) -> tuple[dict[str, int], tuple[str, ...]]:
    """The position of each column by name, and remarks about unnamed columns.

    Unnamed empty columns and row numbers are dropped; others are named by position.
    """
    positions: dict[str, int] = {}
    notes = []
    given = set(names or ())
    for k, column in enumerate(frame.get_columns()):
        name = names[k] if names is not None else ""
        if names is not None and not name:
            if column.null_count() == len(column):
                notes.append(f"{file}: column {k + 1} of {frame.width} is empty and left out")
                continue
            if k == 0 and frame.width > 1 and _is_index(column):
                notes.append(f"{file}: the first column holds unnamed row numbers and is left out")
                continue
        if not name:
            name = f"column_{k}"
            while name in given:
                name += "_"
        positions[name] = k
    return positions, tuple(notes)


def _is_index(column: pl.Series) -> bool:
    """Whether a column numbers the rows: distinct whole numbers."""
    import polars as pl

    if column.dtype == pl.String:
        is_whole = column.str.contains(r"^\d+$")
    elif column.dtype.is_numeric():
        is_whole = column == column.floor()
    else:
        return False
    return bool(is_whole.fill_null(False).all()) and column.n_unique() == len(column)


def _are_plain(column: Sequence[str]) -> bool:
    return sum(n for value, n in Counter(column).items() if not is_plain(value)) <= _MOST_TEXT * len(column)


def _counts_up(names: Row, start: int | None = None) -> bool:
    """Whether names are consecutive whole numbers."""
    numbers = [int(name) for name in names if name.isdecimal() and len(name) < 6]
    if len(numbers) < 2 or len(numbers) < len([name for name in names if name]):
        return False
    first = numbers[0] if start is None else start
    return numbers == list(range(first, first + len(numbers)))
