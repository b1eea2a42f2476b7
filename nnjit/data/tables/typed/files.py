"""Read files with typed columns: Parquet, Arrow, JSON and JSON lines."""

from __future__ import annotations

import glob
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nnjit.data.tables.frames import RECORDS, frame_of_records
from nnjit.data.tables.marks import marks_of
from nnjit.data.tables.table import Table
from nnjit.data.tables.text.content import content_of
from nnjit.data.tables.text.records import lines_of
from nnjit.data.tables.typed.arrow_buffers import check_buffers
from nnjit.data.tables.typed.excel import read_excel
from nnjit.data.tables.typed.stored_frame import StoredFrame
from nnjit.data.tables.values import missing_marks, normalised, problem_of
from nnjit.errors import DataError, shortened
from nnjit.memory import check_fits

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.tables.reading import Reading

T = TypeVar("T")
Where = Callable[[int], str]
Reader = Callable[[Path, "Reading"], Table]

_ARROW = b"ARROW1"  # begins a file, but not a stream
_CELL = 8  # bytes per value: a lower bound for most types
_BLOCK = 2**22  # values per block


def _read_parquet(path: Path, options: Reading) -> Table:
    import polars as pl

    def read() -> pl.DataFrame:
        _check_fits(path, pl.scan_parquet(path, glob=False))
        return pl.read_parquet(path, glob=False)

    return _made(path, options, _by_polars(path, read, "Parquet"))


def parquet_blocks(path: Path, options: Reading) -> Iterator[Table]:
    """Read the table in a Parquet file in blocks of rows.

    The first block decides how numbers in text are written.

    Raises:
        DataError: the file cannot be read, or has no rows.
    """
    import polars as pl

    lazy = pl.scan_parquet(path, glob=False)
    height, width = _by_polars(path, lambda: _shape(lazy), "Parquet")
    step = max(1, _BLOCK // max(1, width))
    first: Table | None = None
    for start in range(0, height, step):
        frame = _by_polars(path, lazy.slice(start, step).collect, "Parquet")

        def where(row: int, start: int = start) -> str:
            return f"row {start + row + 1}"

        if first is None:
            first = _made(path, options, frame, where)
            yield first
        else:
            yield replace(first, frame=normalised(frame, missing_marks(options.missing_marks)), where=where)
    if first is None:
        raise DataError(f"{path}: no rows", ("file",))


def stored_table(path: Path, options: Reading, kind: str) -> Table:
    """Open the table in an Arrow or Parquet file; its rows stay there.

    The first rows decide how numbers in text are written.

    Raises:
        DataError: the file cannot be read, or has no rows.
    """
    import polars as pl

    if kind == "arrow":
        check_buffers(path)
    lazy = pl.scan_parquet(path, glob=False) if kind == "parquet" else pl.scan_ipc(glob.escape(str(path)))
    height, width = _by_polars(path, lambda: _shape(lazy), kind.capitalize())
    first = _by_polars(path, lazy.head(max(1, _BLOCK // max(1, width))).collect, kind.capitalize())
    made = _made(path, options, first)
    marks = missing_marks(options.missing_marks)
    return replace(made, frame=StoredFrame(path, lazy, height, made.columns, marks))


def is_large_parquet(path: Path) -> bool:
    """Whether a Parquet file has so many values that it should be read in blocks."""
    import polars as pl

    height, width = _by_polars(path, lambda: _shape(pl.scan_parquet(path, glob=False)), "Parquet")
    return height * width > 4 * _BLOCK


def _shape(lazy: pl.LazyFrame) -> tuple[int, int]:
    import polars as pl

    return lazy.select(pl.len()).collect().item(), len(lazy.collect_schema())


def _read_arrow(path: Path, options: Reading) -> Table:
    import polars as pl

    with path.open("rb") as file:
        is_file = file.read(len(_ARROW)) == _ARROW

    def read() -> pl.DataFrame:
        if not is_file:
            with path.open("rb") as file:
                return pl.read_ipc_stream(file)
        check_buffers(path)
        lazy = pl.scan_ipc(glob.escape(str(path)))
        _check_fits(path, lazy)
        return lazy.collect()

    return _made(path, options, _by_polars(path, read, "Arrow"))


def _read_json(path: Path, options: Reading) -> Table:
    import polars as pl

    with content_of(path, options.encoding).stream() as file:
        text = file.read()
    if text.lstrip()[:1] == b"{" and not _is_json(text):  # several records
        return _read_json_lines(path, options)
    try:
        frame = pl.read_json(text, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        frame = frame_of_records(_loaded(text, str(path), ""), str(path))
    return _made(path, options, frame)


def _read_json_lines(path: Path, options: Reading) -> Table:
    import polars as pl

    content = content_of(path, options.encoding)

    def lines() -> Iterator[tuple[int, str]]:
        again = content_of(path, options.encoding)
        return ((number, line) for number, line in enumerate(lines_of(again), 1) if line.strip())

    with content.stream() as file:
        text = file.read()
    try:
        frame = pl.read_ndjson(text, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):  # includes the NaN that Python writes
        records = [_loaded(line, str(path), f"line {number}: ") for number, line in lines()]
        frame = frame_of_records(records, str(path))

    def where(row: int) -> str:
        return f"line {next(islice(lines(), row, None))[0]}"

    return _made(path, options, frame, where)


READERS: Mapping[str, Reader] = {
    "parquet": _read_parquet,
    "arrow": _read_arrow,
    "json": _read_json,
    "jsonl": _read_json_lines,
    "excel": read_excel,
}
"""The reader for each format."""


def _by_polars(path: Path, read: Callable[[], T], kind: str) -> T:
    import polars as pl

    try:
        return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if (
            isinstance(error, OSError) and error.errno is not None
        ):  # from the system, not from polars about a short file
            raise
        problem = shortened(str(error).partition("\n")[0], 120)
        raise DataError(f"{path}: not a whole {kind} file ({problem})", ("file",)) from None


def _check_fits(path: Path, lazy: pl.LazyFrame) -> None:
    """Raise TooLarge if the number of rows that a file claims does not fit into memory."""
    rows, width = _shape(lazy)
    what = f"{path}, a table of {rows:,} rows and {width:,} columns,"
    check_fits(rows * width * _CELL, what, "take a smaller file", ("file",))


def _made(path: Path, options: Reading, frame: pl.DataFrame, where: Where | None = None) -> Table:
    """Make a table from a file's frame; rows are called "row 1" unless `where` names them."""
    name = str(path)
    where = where or (lambda row: f"row {row + 1}")
    if not frame.width or not frame.height:
        raise DataError(f"{name}: no rows", ("file",))
    problems = {series.name: problem_of(series) for series in frame.get_columns()}
    if all(problems.values()):
        column, problem = next(iter(problems.items()))
        raise DataError(f'{name}: no column can be read: "{column}" {problem}', ("file",))
    frame = normalised(frame, missing_marks(options.missing_marks))
    marks, found = marks_of(frame, options.decimal, name, where)
    return Table(frame, name, where, marks, (f"{path.name}: {', '.join(found)}",) if found else ())


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _loaded(text: bytes | str, name: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}: "
        raise DataError(f"{name}: {place}not JSON: {error.msg} (column {error.colno})", ("file",)) from None
    except RecursionError:
        raise DataError(f"{name}: {where}lists in lists, too deep; {RECORDS}", ("file",)) from None
