"""Read a text table: its columns as numbers or categories, and the line of each row for messages."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data.files import check_size, open_file, unreadable
from nnjit.data.tables.forking import check_not_forked
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, eq=False)
class TextTable:
    """The rows of a text file, trimmed, without blank lines, and with null for missing values.

    Args:
        frame: a column is of numbers if all its values are, else of text.
        records: the index of each row among the records of the file, blank lines and header included.
    """

    path: Path
    frame: pl.DataFrame
    records: np.ndarray

    @property
    def names(self) -> list[str]:
        return self.frame.columns

    def where(self, row: int) -> str:
        """What messages call a row, e.g. "line 7" of the file."""
        line, _ = next(islice(_records(self.path), int(self.records[row]), None))
        return f"line {line}"


def read_table(path: Path, *, header: bool, separator: str, marks: Sequence[str]) -> TextTable:
    """Read the table in a text file, plain or compressed by gzip.

    Args:
        header: whether the first line names the columns; else they are column_0, column_1, …
        marks: what stands for a missing value.

    Raises:
        DataError: the file cannot be read, is not UTF-8, has rows of different length, or no rows; or the
            process was forked from one that has read a table.
    """
    check_not_forked(str(path))
    import polars as pl

    try:
        check_size(path)
    except OSError as error:
        raise unreadable(path, error) from None
    names, start = _header(path, separator) if header else (None, _blank(path))
    options: dict[str, Any] = {
        "has_header": header,
        "separator": separator,
        "null_values": list(marks),
        "glob": False,
    }
    try:
        frame = _parsed(path, options)
    except OSError as error:
        raise unreadable(path, error) from None
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {_explained(path, separator, error)}", ("file",)) from None
    frame.columns = names or [f"column_{k}" for k in range(frame.width)]
    frame = frame.with_columns(pl.col(pl.Boolean).cast(pl.String)).with_columns(_trimmed(marks))
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if is_blank.all():
        raise DataError(f"{path}: no rows{' below the header' if header else ''}", ("file",))
    return TextTable(path, frame.filter(~is_blank), np.flatnonzero(~is_blank.to_numpy()) + start)


def _parsed(path: Path, options: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    # Inferring the types from the whole file takes seven times as long as reading it (785 columns, measured).
    try:
        return pl.read_csv(path, infer_schema_length=100, **options)
    except pl.exceptions.ComputeError:
        return pl.read_csv(path, infer_schema_length=None, **options)


def _trimmed(marks: Sequence[str]) -> pl.Expr:
    import polars as pl

    text = pl.col(pl.String).str.strip_chars()
    return pl.when(~text.is_in(list(marks))).then(text).name.keep()


def _header(path: Path, separator: str) -> tuple[list[str], int]:
    """The names in the first record, and how many records come before the rows.

    A column without a name is called by its position.
    """
    blank = _blank(path)
    line, record = next(islice(_records(path), blank, None), (1, ""))
    fields = [field.strip().strip('"').strip() for field in _fields(record, separator)]
    names = [name or f"column_{k}" for k, name in enumerate(fields)]
    for k, name in enumerate(names):
        if name in names[:k]:
            raise DataError(
                f'{path}: line {line}: two columns are called "{name}"; rename one, or set header: false',
                ("file",),
            )
    return names, blank + 1


def _blank(path: Path) -> int:
    """How many blank lines a file begins with; they are not records of the table."""
    return next((k for k, (_, record) in enumerate(_records(path)) if record.strip()), 0)


def _records(path: Path) -> Iterator[tuple[int, str]]:
    """Each record of the file with the number of the line where it begins; quoted text may span lines."""
    record, start = "", 1
    with open_file(path) as file, io.TextIOWrapper(file, "utf-8-sig", errors="replace") as text:
        for number, line in enumerate(text, 1):
            record, start = (record + line, start) if record else (line, number)
            if record.count('"') % 2 == 0:
                yield start, record
                record = ""


def _fields(record: str, separator: str) -> list[str]:
    """The fields of a record; separators inside quotes do not count."""
    hidden = _QUOTED.sub(lambda match: "\0" * len(match[0]), record.rstrip("\r\n"))
    ends = [k for k, char in enumerate(hidden) if char == separator]
    return [record[a:b] for a, b in zip([0, *(end + 1 for end in ends)], [*ends, len(hidden)], strict=True)]


def _explained(path: Path, separator: str, error: Exception) -> str:
    """Why polars cannot read a file, with the line if it can be found."""
    expected = None
    for line, record in _records(path):
        if "�" in record:
            return f"line {line}: not UTF-8 text; save the file as UTF-8"
        count = len(_fields(record, separator))
        expected = expected or (count if record.strip() else None)
        if expected and count > expected:
            return f"line {line}: {count} values, and {expected} in the first line; is the separator right?"
    return str(error).partition("\n")[0]
