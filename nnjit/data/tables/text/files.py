"""Read a table in a text file: its columns as text, and each row's line for messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

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
"""From this many bytes of text on, columns that begin with numbers are read as numbers at once."""

BLOCK = 2**24
"""The bytes in a block of text."""

_BLOCK = 2**20
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MOST_TRIES = 5  # attempts to read some columns as numbers, before all are read as text
_MEND = "correct it, or set quote: '' if quotes belong to values"
_FAILED = re.compile(r"\(column number (\d+)\)")


@dataclass(frozen=True, eq=False)
class _Text:
    """A text whose fields polars can separate, its dialect, and its missing marks."""

    path: Path
    content: Content
    dialect: Dialect
    missing: tuple[str, ...]

    def line(self, record: int) -> int:
        """The line on which a record below the header begins, counted from 0."""
        before = self.dialect.lines
        records = self.dialect.layout.records(islice(lines_of(self.content), before, None))
        return before + next(islice(records, record, None))[0]


def read_text_file(path: Path, options: Reading) -> Table:
    """Read the table in a text file, plain or compressed by gzip or Zstandard.

    All columns are text, except that a large file's number columns are float64: as text they would take
    three times the memory. The text of such a column is read again on request.

    Raises:
        DataError: the file cannot be read, is not text, has too many values in a row, or no rows; or it is
            ambiguous: a header or a row, a decimal comma or thousands.
    """
    text = _opened(path, options)
    table, marks, found = _large_table(text, options) or _table(text, frozenset(), options)
    return replace(table, marks=marks, notes=(*_summary(text, found), *table.notes))


def _summary(text: _Text, found: tuple[str, ...]) -> list[str]:
    """Findings about a text and the marks in its numbers."""
    summary = ", ".join((*text.content.found, *text.dialect.found, *found))
    return [*([f"{text.path.name}: {summary}"] if summary else []), *text.dialect.notes]


def text_blocks(path: Path, options: Reading) -> Iterator[Table]:
    """Read the table in a text file in blocks of rows; all columns are text.

    The first block decides how numbers are written, and which unnamed columns are dropped. For a plain UTF-8
    file whose fields need no change, only one block is in memory.

    Raises:
        DataError: see `read_text_file`; raised on reaching the row.
    """
    text = _opened(path, options)
    first: Table | None = None
    names: dict[str, int] = {}
    done = 0  # records before the block
    with text.content.stream() as file:
        file.seek(text.dialect.size, 1)
        for piece in _pieces(file, text.dialect.layout.quote):
            frame = _parsed(text, frozenset(), rows=piece)
            records, start = _filled(frame), done
            done += frame.height
            if not len(records):
                continue
            frame = frame[records]

            def where(row: int, records: np.ndarray = records + start) -> str:
                return f"line {_opened(path, options).line(int(records[row]))}"

            if first is None:
                names, notes = named_columns(frame, text.dialect.names, path.name)
            frame = frame.select(frame.to_series(k).alias(name) for name, k in names.items())
            if first is None:
                marks, found = marks_of(frame, options.decimal, str(path), where)
                first = Table(frame, str(path), where, marks, (*_summary(text, found), *notes))
                yield first
            else:
                yield replace(first, frame=frame, where=where)
    if first is None:
        raise _no_rows(text)


def _pieces(file: BinaryIO, quote: str | None) -> Iterator[bytes]:
    """The rest of a text in pieces of whole records, each about the size of a block."""
    rest = b""
    while read := file.read(BLOCK):
        piece = rest + read
        end = _end_of_records(piece, quote)
        if not end and len(piece) > 8 * BLOCK:  # an unclosed quote, which polars then reports
            end = piece.rfind(b"\n") + 1
        rest = piece[end:]
        if end:
            yield piece[:end]
    if rest:
        yield rest


def _end_of_records(piece: bytes, quote: str | None) -> int:
    """The bytes of whole records in a text; a line end inside quotes does not end one."""
    end = piece.rfind(b"\n") + 1
    if quote is None:
        return end
    mark, before = quote.encode(), piece.count(quote.encode(), 0, end)
    while end and before % 2:
        previous = piece.rfind(b"\n", 0, end - 1) + 1
        before -= piece.count(mark, previous, end)
        end = previous
    return end


def _large_table(text: _Text, options: Reading) -> tuple[Table, Marks, tuple[str, ...]] | None:
    """The table with number columns as float64; None if it is small, or must be read as text only."""
    if text.content.size < LARGE or options.decimal == "," or not (numeric := _numeric(text)):
        return None
    try:
        made = _table(text, numeric, options)
    except DataError as error:
        if error.path != ("decimal",):
            raise
        return None  # points in the numeric columns may decide
    return None if made[1].decimal == "," else made  # their points may separate thousands


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
    """Replace the blanks between fields by one tab, in text without quotes."""
    piece = re.sub(rb"[ \t]+", b"\t", piece)
    return re.sub(rb"\n\t", b"\n", re.sub(rb"\t(?=\r?\n)", b"", piece))


def _has_blanks_at_quotes(head: str, separator: str, quote: str) -> bool:
    if quote not in head:
        return False
    blank, between = ("[ ]+", "\t") if separator == "\t" else ("[ \t]+", re.escape(separator))
    return re.search(f"(?m)(?:^|{between}){blank}{quote}|{quote}{blank}(?:{between}|\r?$)", head) is not None


def _without_blanks(piece: bytes, separator: bytes) -> bytes:
    """Text between quotes, without the blanks between a quote and a separator."""
    blanks = b" " if separator == b"\t" else b" \t"
    start, end = piece.lstrip(blanks), piece.rstrip(blanks)
    if start.startswith((separator, b"\n", b"\r\n")):
        piece, end = start, start.rstrip(blanks)
    return end if not end or end.endswith((separator, b"\n")) else piece


def _numeric(text: _Text) -> frozenset[int]:
    """The positions of columns that begin with numbers with a decimal point."""
    return frozenset(
        k
        for k in range(text.dialect.width)
        if (known := [r[k] for r in text.dialect.sample if k < len(r) and r[k] not in text.missing])
        and all(map(_NUMBER.fullmatch, known))
    )


def _table(text: _Text, numeric: frozenset[int], options: Reading) -> tuple[Table, Marks, tuple[str, ...]]:
    """The table, the marks in its numbers, and remarks about them."""
    frame = _parsed(text, numeric)
    records = _records_of_rows(text, frame)
    is_end_blank = records[-1] == len(records) - 1
    frame = frame[: len(records)] if is_end_blank else frame[records]
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


def _parsed(
    text: _Text, numeric: frozenset[int], columns: list[int] | None = None, rows: bytes | None = None
) -> pl.DataFrame:
    """The columns of a text, trimmed, with null for missing values.

    Args:
        numeric: positions of columns to read as numbers, unless they turn out to hold other values.
        columns: positions of the columns to read; None for all.
        rows: whole records of the text to read; None for all.
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
            return trimmed(_by_polars(text, rows, options), text.missing)
        except pl.exceptions.PolarsError as error:
            if not numeric:
                raise DataError(f"{text.path}: {_explained(text, error)}", ("file",)) from None
            failed = _FAILED.search(str(error)) if tried < _MOST_TRIES - 2 else None
            numeric = numeric - {int(failed[1]) - 1} if failed else frozenset()
    raise AssertionError("the last try reads text alone, which succeeds or raises")


def _by_polars(text: _Text, rows: bytes | None, options: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    dialect, layout = text.dialect, text.dialect.layout
    if rows is None and dialect.is_plain:
        source: Path | bytes = text.path if text.content.data is None else text.content.data
        has_header = dialect.names is not None
    else:  # our own header gives the number of columns
        header = layout.separator.join(f"c{k}" for k in range(dialect.width)).encode()
        source, has_header = header + b"\n" + (_below_header(text) if rows is None else rows), True
    return pl.read_csv(
        source, has_header=has_header, separator=layout.separator, quote_char=layout.quote,
        comment_prefix=layout.comment, glob=False, **options,
    )  # fmt: skip


def _below_header(text: _Text) -> bytes:
    with text.content.stream() as file:
        file.seek(text.dialect.size, 1)
        return file.read()


def _records_of_rows(text: _Text, frame: pl.DataFrame) -> np.ndarray:
    """The indices of records with a value; blank lines count as records."""
    records = _filled(frame)
    if not len(records):
        raise _no_rows(text)
    return records


def _filled(frame: pl.DataFrame) -> np.ndarray:
    """The indices of rows with a value."""
    import polars as pl

    is_blank = (
        frame.select(pl.all_horizontal(pl.all().is_null())).to_series() if frame.height else pl.Series([])
    )
    return np.flatnonzero(~is_blank.to_numpy().astype(bool))


def _no_rows(text: _Text) -> DataError:
    below = " below the header" if text.dialect.names is not None else ""
    return DataError(f"{text.path}: no rows{below}", ("file",))


def _short_rows(text: _Text, last: pl.Series) -> list[str]:
    """A remark about rows with fewer values than columns, given the last column."""
    dialect, separators = text.dialect, text.dialect.width - 1
    if last.null_count() in (0, len(last)) or not separators:
        return []
    layout, sign = dialect.layout, dialect.layout.separator
    with text.content.mapped() as data:
        count = sum(data[k : k + _BLOCK].count(sign.encode()) for k in range(0, len(data), _BLOCK))
    if count == separators * (len(last) + (dialect.names is not None)):
        return []

    def is_short(record: str) -> bool:
        found = record.count(sign)  # too many if some separators are quoted
        return found < separators or (found > separators and len(layout.parts(record)) <= separators)

    records = layout.records(islice(lines_of(text.content), dialect.lines, None))
    short = [dialect.lines + line for line, record in records if record.strip() and is_short(record)]
    more = f" and {len(short) - 1:,} more" if len(short) > 1 else ""
    words = "fewer values than columns; the last are missing"
    return [f"{text.path.name}: line {short[0]}{more}: {words}"] if short else []


def _explained(text: _Text, error: Exception) -> str:
    """Why polars cannot read a text, with the line if known."""
    dialect, layout = text.dialect, text.dialect.layout
    for start, record in layout.records(islice(lines_of(text.content), dialect.lines, None)):
        line = dialect.lines + start
        parts = layout.parts(record)
        if layout.quote and record.count(layout.quote) % 2:
            return f"line {line}: an unclosed quote; {_MEND}"
        if any(map(layout.is_malformed, parts)):
            return f"line {line}: a quote inside a value; {_MEND}"
        if len(parts) > dialect.width:
            wide = f"{len(parts)} values, but {dialect.width} in the first line"
            return f"line {line}: {wide}; is the separator right?"
    return str(error).partition("\n")[0]
