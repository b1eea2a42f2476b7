"""Tell whether the first row of a text table names its columns, and take the names from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nnjit.data.tables.values import MISSING_MARKS
from nnjit.errors import DataError

Row = Sequence[str]

_PLAIN = re.compile(
    r"[+-]?(\d+([.,]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?"  # a number with either decimal mark, or a dotted date
    r"|\d{1,4}([-/])\d\d?\4\d{1,4}([T ]\d\d?:\d\d(:\d\d([.,]\d+)?)?)?"
    r"|(?i:true|false|[+-]?inf)"
)
_UNNAMED = re.compile(r"(Unnamed: \d+)?")  # as pandas writes the index, and reads it
_MOST_TEXT = 0.1  # of the values in a column of numbers


def is_plain(value: str) -> bool:
    """Whether a value is a number, date or flag, which the name of a column seldom is."""
    return _PLAIN.fullmatch(value) is not None


def has_header(rows: Sequence[Row]) -> bool | None:
    """Whether the first row names the columns that the others fill; None if it could be either.

    It does if it has text above a column of numbers, dates or flags. It does not if it has such values above
    them, or above columns of text what they hold again.
    """
    first, below = rows[0], rows[1:]
    if not below or _counts_up(first, 0):  # pandas' names of columns that have none
        return True
    columns = [
        [row[k] for row in below if k < len(row) and row[k] not in MISSING_MARKS] for k in range(len(first))
    ]
    known = [(name, column) for name, column in zip(first, columns, strict=True) if column]
    numbers = [name for name, column in known if _are_plain(column)]
    texts = [(name, column) for name, column in known if not _are_plain(column)]
    if any(name not in MISSING_MARKS and not is_plain(name) for name in numbers):
        return True
    recurs = [name in column for name, column in texts]
    if not any(is_plain(name) for name in numbers):
        return not texts or not all(recurs)
    may_be_years = _counts_up(first) and len(first) > 2
    return None if may_be_years or (texts and not any(recurs)) else False  # such as country, 1990, 1991


def names_of(fields: Row, line: int, path: object) -> tuple[str, ...]:
    """The names in a header; empty where there is none.

    Raises:
        DataError: two columns have the same name.
    """
    names = tuple("" if _UNNAMED.fullmatch(name) else name for name in fields)
    for k, name in enumerate(names):
        if name and name in names[:k]:
            raise DataError(
                f'{path}: line {line}: two columns are called "{name}"; rename one, or set header: false',
                ("file",),
            )
    return names


def fitted(
    names: tuple[str, ...], rows: Sequence[Row], width: int, line: int, path: object
) -> tuple[str, ...]:
    """A name for each column of the rows, empty for one without: R names no column of row numbers, and some
    programs end each row, or the header alone, with a separator.

    Raises:
        DataError: rows have fewer values than there are names.
    """
    if len(names) > width:
        if all(not name for name in names[width:]):
            return names[:width]
        if all(len(row) < len(names) for row in rows):
            raise DataError(
                f"{path}: line {line}: {len(names)} names, and {width} values in the rows below; "
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


def _are_plain(column: Sequence[str]) -> bool:
    return sum(not is_plain(value) for value in column) <= _MOST_TEXT * len(column)


def _counts_up(names: Row, start: int | None = None) -> bool:
    """Whether names are whole numbers that follow each other."""
    numbers = [int(name) for name in names if name.isdecimal() and len(name) < 6]
    if len(numbers) < 2 or len(numbers) < len([name for name in names if name]):
        return False
    first = numbers[0] if start is None else start
    return numbers == list(range(first, first + len(numbers)))
