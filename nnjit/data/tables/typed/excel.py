"""Read a sheet of an Excel or OpenDocument file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data.tables.marks import marks_of
from nnjit.data.tables.table import Table
from nnjit.data.tables.text.header import (
    Row,
    has_header,
    named_columns,
    names_of,
    unclear,
    without_header,
)
from nnjit.data.tables.values import missing_marks, normalised
from nnjit.errors import DataError, did_you_mean
from nnjit.memory import check_fits

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.tables.reading import Reading

_SAMPLE = 1000  # rows searched for a header


def read_excel(path: Path, options: Reading) -> Table:
    """Read a sheet, by default the first non-empty one; rows are named by their number in it.

    Columns keep their type: numbers, flags or times. Columns of mixed types are text.

    Raises:
        DataError: fastexcel is not installed, the file cannot be read, has no such sheet or no rows; or the
            first row may or may not be a header.
    """
    book = _opened(path)
    sheet, notes = _chosen(book, path, options.sheet)
    cells = [["" if cell is None else cell.strip() for cell in row] for row in _text(book, sheet).rows()]
    if not any(map(any, cells)):
        raise DataError(f'{path}: the sheet "{sheet}" is empty', ("sheet",))
    above = _rows_above(cells)
    if any(map(any, cells[:above])):
        notes = (*notes, f"{path.name}: the rows above row {above + 1} are left out")
    is_header, note = _header(cells[above:], options.header, path, above + 1)
    names = names_of(cells[above], f"{path}: row {above + 1}") if is_header else None
    first = above + is_header
    frame = _values(book, sheet, first) if first < len(cells) else None
    rows = np.flatnonzero([]) if frame is None else np.flatnonzero(~_is_blank(frame))
    if frame is None or not len(rows):
        raise DataError(f"{path}: no rows{' below the header' if is_header else ''}", ("file",))

    def where(row: int) -> str:
        return f"row {first + int(rows[row]) + 1}"

    frame = frame[rows]
    positions, left_out = named_columns(frame, names, path.name)
    frame = frame.select(frame.to_series(k).alias(name) for name, k in positions.items())
    frame = normalised(frame, missing_marks(options.missing_marks))
    marks, found = marks_of(frame, options.decimal, str(path), where)
    notes = (*notes, *note, *left_out, *(f"{path.name}: {word}" for word in found))
    return Table(frame, str(path), where, marks, notes)


def _opened(path: Path) -> Any:
    try:
        import fastexcel
    except ModuleNotFoundError:
        raise DataError(
            f"{path}: Excel files are read by fastexcel, which is not installed; pip install 'nnjit[excel]'",
            ("file",),
        ) from None
    _check_fits(path)
    try:
        return fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        problem = str(error).partition("\n")[0]
        raise DataError(f"{path}: not a whole Excel or OpenDocument file ({problem})", ("file",)) from None


def _check_fits(path: Path) -> None:
    """Raise TooLarge if the sheets do not fit into memory after decompression."""
    import zipfile  # slow to import

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile:  # .xls, or damaged
        return
    check_fits(size, f"{path}, of {size:,} bytes once decompressed,", "take a smaller file", ("file",))


def _chosen(book: Any, path: Path, option: str | int | None) -> tuple[str, tuple[str, ...]]:
    """The name of the sheet to read, and a note if there are others."""
    names: list[str] = book.sheet_names
    if isinstance(option, int):
        if not -len(names) <= option < len(names):
            raise DataError(f"{path}: no sheet {option}; it has {len(names)}, counted from 0", ("sheet",))
        return names[option], ()
    if option is not None:
        if option not in names:
            raise DataError(f'{path}: no sheet "{option}"{did_you_mean(option, names)}', ("sheet",))
        return option, ()
    full = [name for name in names if any(map(any, _text(book, name).rows()))]
    if not full:
        raise DataError(f"{path}: every sheet is empty", ("file",))
    note = f'{path.name}: sheet "{full[0]}" of {", ".join(names)}'
    return full[0], (note,) if len(full) > 1 else ()


def _text(book: Any, sheet: str) -> pl.DataFrame:
    """The first rows of a sheet as text, with rounded numbers."""
    return _loaded(book, sheet, dtypes="string", n_rows=_SAMPLE)


def _loaded(book: Any, sheet: str, first: int = 0, **options: Any) -> pl.DataFrame:
    """A sheet from this row on, counted from 0, including empty rows."""
    import fastexcel

    try:
        loaded = book.load_sheet(sheet, header_row=None, skip_rows=first, **options)
        frame: pl.DataFrame = loaded.to_polars()
    except fastexcel.FastExcelError as error:
        problem = str(error).partition("\n")[0]
        raise DataError(f'sheet "{sheet}" cannot be read ({problem})', ("file",)) from None
    return frame


def _rows_above(cells: list[list[str]]) -> int:
    """The number of rows before the table: empty ones, and titles, which start at the left but are short."""
    counts = [sum(map(bool, row)) for row in cells]
    is_title = [bool(row[0]) and count <= max(counts) / 2 for row, count in zip(cells, counts, strict=True)]
    return next(k for k, count in enumerate(counts) if count and not is_title[k])


def _header(
    rows: list[list[str]], option: bool | None, path: Path, number: int
) -> tuple[bool, tuple[str, ...]]:
    """Whether the first row is a header, and a note if it is not."""
    if option is not None:
        return option, ()
    known: list[Row] = [row for row in rows if any(row)]
    is_header = has_header(known)
    if is_header is None:
        raise DataError(unclear(f"{path}: row {number}", ", ".join(rows[0])), ("header",))
    return is_header, () if is_header else (without_header(path.name, f"row {number}"),)


def _values(book: Any, sheet: str, first: int) -> pl.DataFrame:
    """The rows of a sheet, with the types of its columns."""
    import polars as pl

    frame = _loaded(book, sheet, first, schema_sample_rows=None)
    mixed = [k for k, dtype in enumerate(frame.dtypes) if dtype == pl.String]
    if not mixed:
        return frame
    # Numbers among text are rounded to nine decimals. Those that lost some are rewritten.
    numbers = _loaded(book, sheet, first, dtypes=dict.fromkeys(mixed, "float"), schema_sample_rows=None)
    exact = []
    for k in mixed:
        text, number = frame.to_series(k), numbers.to_series(k).rename("number")
        is_rounded = text.cast(pl.Float64, strict=False) != number
        columns = pl.DataFrame([text, number, is_rounded.alias("is_rounded")])
        chosen = pl.when("is_rounded").then(pl.col("number").cast(pl.String)).otherwise(pl.col(text.name))
        exact.append(columns.select(chosen.alias(text.name)).to_series())
    return frame.with_columns(exact)


def _is_blank(frame: pl.DataFrame) -> np.ndarray:
    """A mask (rows,) of the rows without a value."""
    import polars as pl

    return frame.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
