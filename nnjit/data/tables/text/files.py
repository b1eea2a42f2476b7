"""Read a table in a text file: its columns as text, and the line of each row for messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data.tables.marks import Marks, marks_of
from nnjit.data.tables.table import Table
from nnjit.data.tables.text.content import Content, content_of
from nnjit.data.tables.text.dialect import Dialect, dialect_of
from nnjit.data.tables.text.header import named_columns
from nnjit.data.tables.text.records import BLANKS, lines_of
from nnjit.data.tables.values import missing_marks, trimmed
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.tables.reading import Reading

LARGE = 2**26
"""Bytes of a text from which on columns are read as numbers at once if they begin so."""

_BLOCK = 2**20
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MOST_TRIES = 5  # to read some columns as numbers, before all are read as text
_MEND = "correct it, or set quote: '' if quotes belong to values"
_FAILED = re.compile(r"\(column number (\d+)\)")


@dataclass(frozen=True, eq=False)
class _Text:
    """A text whose fields polars can tell apart, how it is written, and what marks a missing value."""

    path: Path
    content: Content
    dialect: Dialect
    missing: tuple[str, ...]

    def line(self, record: int) -> int:
        """The line where a record below the header begins; it is counted from 0."""
        before = self.dialect.lines
        records = self.dialect.layout.records(islice(lines_of(self.content), before, None))
        return before + next(islice(records, record, None))[0]


def read_text_file(path: Path, options: Reading) -> Table:
    """Read the table in a text file, plain or compressed by gzip or Zstandard.

    All columns are text, but in a large file those of numbers are float64: as text they would take three
    times the memory. The text of such a column is read again when it is asked for.

    Raises:
        DataError: the file cannot be read, is not text, has too many values in a row, or no rows; or it is
            not clear what it says: a header or a row, a decimal comma or thousands.
    """
    text = _opened(path, options)
    table, marks, found = _large_table(text, options) or _table(text, frozenset(), options)
    summary = ", ".join((*text.content.found, *text.dialect.found, *found))
    notes = (*([f"{path.name}: {summary}"] if summary else []), *text.dialect.notes, *table.notes)
    return replace(table, marks=marks, notes=notes)


def _large_table(text: _Text, options: Reading) -> tuple[Table, Marks, tuple[str, ...]] | None:
    """The table with columns of numbers as float64; None if it is small, or to be read as text alone."""
    if text.content.size < LARGE or options.decimal == "," or not (numeric := _numeric(text)):
        return None
    try:
        made = _table(text, numeric, options)
    except DataError as error:
        if error.path != ("decimal",):
            raise
        return None  # the points of the numeric columns may decide
    return None if made[1].decimal == "," else made  # those may have points between thousands


def _opened(path: Path, options: Reading) -> _Text:
    content = content_of(path, options.encoding)
    dialect = dialect_of(content.head(), path, options)
    layout = dialect.layout
    if layout.separator == BLANKS:
        content = content.outside(layout.quote, _with_tabs).stripped(b"\t")
        adjusted = dialect_of(content.head(), path, options.model_copy(update={"separator": "\t"}))
        dialect = replace(adjusted, found=dialect.found)
    elif layout.quote and _has_blanks_at_quotes(content.head(), layout.separator, layout.quote):
        separator = layout.separator.encode()
        content = content.outside(layout.quote, lambda piece: _without_blanks(piece, separator))
        dialect = dialect_of(content.head(), path, options)
    return _Text(path, content, dialect, missing_marks(options.missing_marks))


def _with_tabs(piece: bytes) -> bytes:
    """Text without quotes whose blanks between fields become one tab."""
    piece = re.sub(rb"[ \t]+", b"\t", piece)
    return re.sub(rb"\n\t", b"\n", re.sub(rb"\t(?=\r?\n)", b"", piece))


def _has_blanks_at_quotes(head: str, separator: str, quote: str) -> bool:
    blank, between = ("[ ]+", "\t") if separator == "\t" else ("[ \t]+", re.escape(separator))
    return re.search(f"(?m)(?:^|{between}){blank}{quote}|{quote}{blank}(?:{between}|\r?$)", head) is not None


def _without_blanks(piece: bytes, separator: bytes) -> bytes:
    """Text between quotes without the blanks that separate those from a separator."""
    blanks = b" " if separator == b"\t" else b" \t"
    start, end = piece.lstrip(blanks), piece.rstrip(blanks)
    if start.startswith((separator, b"\n", b"\r\n")):
        piece, end = start, start.rstrip(blanks)
    return end if not end or end.endswith((separator, b"\n")) else piece


def _numeric(text: _Text) -> frozenset[int]:
    """The positions of the columns whose first values are numbers with a decimal point."""
    return frozenset(
        k
        for k in range(text.dialect.width)
        if (known := [r[k] for r in text.dialect.sample if k < len(r) and r[k] not in text.missing])
        and all(map(_NUMBER.fullmatch, known))
    )


def _table(text: _Text, numeric: frozenset[int], options: Reading) -> tuple[Table, Marks, tuple[str, ...]]:
    """The table, the marks in its numbers, and what is to be said of them."""
    frame = _parsed(text, numeric)
    records = _records_of_rows(text, frame)
    frame = frame if len(records) == frame.height else frame[records]
    names, notes = named_columns(frame, text.dialect.names, text.path.name)

    def where(row: int) -> str:
        return f"line {_opened(text.path, options).line(int(records[row]))}"

    def original(column: str) -> pl.Series:
        again = _parsed(_opened(text.path, options), frozenset(), [names[column]])
        return again.to_series()[records].alias(column)

    last = frame.to_series(-1)
    frame = frame.select(frame.to_series(k).alias(name) for name, k in names.items())
    marks, found = marks_of(frame, options.decimal, str(text.path), where)
    notes = (*notes, *_short_rows(text, last))
    return Table(frame, str(text.path), where, notes=notes, original=original), marks, found


def _parsed(text: _Text, numeric: frozenset[int], columns: list[int] | None = None) -> pl.DataFrame:
    """The columns of a text, trimmed, with null for missing values.

    Args:
        numeric: the positions of columns to read as numbers, unless they turn out to have others.
        columns: the positions of the columns to read, or None for all.
    """
    import polars as pl

    for tried in range(_MOST_TRIES):
        kinds = [pl.Float64 if k in numeric else pl.String for k in range(text.dialect.width)]
        options: dict[str, Any] = {
            "columns": columns,
            "infer_schema": False,
            "null_values": list(text.missing) if numeric else None,
            "schema_overrides": kinds if numeric else None,
        }
        try:
            return _by_polars(text, options).with_columns(trimmed(text.missing))
        except pl.exceptions.PolarsError as error:
            if not numeric:
                raise DataError(f"{text.path}: {_explained(text, error)}", ("file",)) from None
            failed = _FAILED.search(str(error)) if tried < _MOST_TRIES - 2 else None
            numeric = numeric - {int(failed[1]) - 1} if failed else frozenset()
    raise AssertionError("the last try reads text alone, which succeeds or raises")


def _by_polars(text: _Text, options: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    dialect, layout = text.dialect, text.dialect.layout
    if dialect.is_plain:
        source: Path | bytes = text.path if text.content.data is None else text.content.data
        has_header = dialect.names is not None
    else:  # with a header of our own, which says how many columns there are
        with text.content.stream() as file:
            file.seek(dialect.size, 1)
            source = (
                layout.separator.join(f"c{k}" for k in range(dialect.width)).encode() + b"\n" + file.read()
            )
        has_header = True
    return pl.read_csv(
        source, has_header=has_header, separator=layout.separator, quote_char=layout.quote,
        comment_prefix=layout.comment, glob=False, **options,
    )  # fmt: skip


def _records_of_rows(text: _Text, frame: pl.DataFrame) -> np.ndarray:
    """The indices of the records that have a value; blank lines are records, too."""
    import polars as pl

    is_blank = (
        frame.select(pl.all_horizontal(pl.all().is_null())).to_series() if frame.height else pl.Series([])
    )
    records = np.flatnonzero(~is_blank.to_numpy().astype(bool))
    if not len(records):
        below = " below the header" if text.dialect.names is not None else ""
        raise DataError(f"{text.path}: no rows{below}", ("file",))
    return records


def _short_rows(text: _Text, last: pl.Series) -> list[str]:
    """What is to be said of rows with fewer values than there are columns, of which this is the last."""
    dialect, separators = text.dialect, text.dialect.width - 1
    if last.null_count() in (0, len(last)) or not separators:
        return []
    layout, sign = dialect.layout, dialect.layout.separator
    with text.content.mapped() as data:
        count = sum(data[k : k + _BLOCK].count(sign.encode()) for k in range(0, len(data), _BLOCK))
    if count == separators * (len(last) + (dialect.names is not None)):
        return []

    def is_short(record: str) -> bool:
        found = record.count(sign)  # more than separators if some are inside quotes
        return found < separators or (found > separators and len(layout.parts(record)) <= separators)

    records = layout.records(islice(lines_of(text.content), dialect.lines, None))
    short = [dialect.lines + line for line, record in records if record.strip() and is_short(record)]
    more = f" and {len(short) - 1:,} more" if len(short) > 1 else ""
    words = "fewer values than columns; the last are missing"
    return [f"{text.path.name}: line {short[0]}{more}: {words}"] if short else []


def _explained(text: _Text, error: Exception) -> str:
    """Why polars cannot read a text, with the line if it can be found."""
    dialect, layout = text.dialect, text.dialect.layout
    for start, record in layout.records(islice(lines_of(text.content), dialect.lines, None)):
        line = dialect.lines + start
        parts = layout.parts(record)
        if layout.quote and record.count(layout.quote) % 2:
            return f"line {line}: a quote that is not closed; {_MEND}"
        if any(map(layout.is_malformed, parts)):
            return f"line {line}: a quote inside a value; {_MEND}"
        if len(parts) > dialect.width:
            wide = f"{len(parts)} values, and {dialect.width} in the first line"
            return f"line {line}: {wide}; is the separator right?"
    return str(error).partition("\n")[0]
