"""Read a table from a file of any format, and detect how the file is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nnjit.data.files import check_size, unreadable
from nnjit.errors import DataError
from nnjit.memory import check_fits
from nnjit.registry import MOST, Options

if TYPE_CHECKING:
    from nnjit.data.tables.table import Table

Format = Literal["csv", "parquet", "arrow", "json", "jsonl", "excel"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".xlsx": "excel", ".xlsm": "excel", ".xlsb": "excel", ".xls": "excel", ".ods": "excel",
}  # fmt: skip
"""The format of a file by suffix; any other suffix means text."""
_COMPRESSED = {".gz", ".zst"}
_ONLY: dict[str, tuple[Format, ...]] = {
    "separator": ("csv",), "quote": ("csv",), "comment": ("csv",), "encoding": ("csv", "json", "jsonl"),
    "header": ("csv", "excel"), "sheet": ("excel",),
}  # fmt: skip
"""The formats that an option applies to."""


class Reading(Options):
    """How a file is written; null options are detected, with the result in the log."""

    format: Format | None = None
    """The format; null goes by the suffix: `.parquet`, `.arrow` or `.feather`, `.json`, `.jsonl` or
    `.ndjson`, `.xlsx`, `.xls` or `.ods`; any other suffix means text with a separator (csv)."""
    separator: str | None = Field(None, pattern=r"^[ -!#-~\t]$")
    """The character between values in a text file; a blank means any number of blanks and tabs."""
    quote: str | None = Field(None, pattern=r"""^["']?$""")
    """The character around values that hold a separator, `"` or `'`; "" for none."""
    decimal: Literal[".", ","] | None = None
    """The mark before the decimals of numbers in a text file."""
    encoding: str | None = None
    """The encoding of a text file, such as utf-8, utf-16, latin-1 or cp1252."""
    header: bool | None = None
    """Whether the first row holds column names; else they are column_0, column_1, …"""
    comment: str | None = Field(None, max_length=5)
    """The beginning of comment lines in a text file, such as `#`; "" if there are none."""
    missing_marks: tuple[str, ...] | None = None
    """The marks of a missing value, in addition to an empty field; null means ?, NA, N/A, n/a, #N/A, <NA>,
    NaN, nan, NULL and null."""
    sheet: str | Annotated[int, Field(ge=-MOST, le=MOST)] | None = None
    """The sheet of an Excel file, by name or by position from 0; null means the first non-empty one."""


def read_table(path: Path, options: Reading) -> Table:
    """Read the table in a file.

    Raises:
        DataError: the file cannot be read, is not of its format, has no rows or rows of different length; or
            the process was forked from one that has read a table.
        TooLarge: the table does not fit into memory.
    """
    from nnjit.data.tables.forking import check_not_forked
    from nnjit.data.tables.text.files import read_text_file
    from nnjit.data.tables.typed.files import READERS

    check_not_forked(str(path))
    chosen = _format(path, options)
    try:
        _check_size(path)
        return read_text_file(path, options) if chosen == "csv" else READERS[chosen](path, options)
    except OSError as error:
        raise unreadable(path, error) from None
    except DataError as error:
        raise DataError(error.message, error.path or ("file",)) from None


def open_stored(path: Path, options: Reading) -> Table:
    """Open the table in an Arrow or Parquet file; its rows stay there.

    Raises:
        DataError: see `read_table`; or the file has another format.
    """
    from nnjit.data.tables.forking import check_not_forked
    from nnjit.data.tables.typed.files import stored_table

    check_not_forked(str(path))
    chosen = _format(path, options)
    if chosen not in ("arrow", "parquet"):
        mend = 'convert it, e.g. with polars: scan_csv("a.csv").sink_ipc("a.arrow")'
        raise DataError(
            f"only Arrow and Parquet rows can stay on disk, and {path} is {chosen}; {mend}",
            ("in_memory",),
        )
    try:
        return stored_table(path, options, chosen)
    except OSError as error:
        raise unreadable(path, error) from None


def read_blocks(path: Path, options: Reading) -> Iterator[Table]:
    """Read the table in a file: whole or, for a large text or Parquet file, in blocks of rows.

    Raises:
        DataError: see `read_table`; raised on reaching the row.
        TooLarge: a file of another format does not fit into memory.
    """
    from nnjit.data.tables.forking import check_not_forked
    from nnjit.data.tables.text.files import LARGE, text_blocks
    from nnjit.data.tables.typed.files import is_large_parquet, parquet_blocks

    check_not_forked(str(path))
    chosen = _format(path, options)
    try:
        if chosen == "csv" and path.stat().st_size >= LARGE:
            yield from text_blocks(path, options)
        elif chosen == "parquet" and is_large_parquet(path):
            yield from parquet_blocks(path, options)
        else:
            yield read_table(path, options)
    except OSError as error:
        raise unreadable(path, error) from None


def _format(path: Path, options: Reading) -> Format:
    """The format of a file, by option or suffix; raise DataError if an option does not apply to it."""
    chosen = options.format or SUFFIXES.get(_suffix(path), "csv")
    for option, formats in _ONLY.items():
        if getattr(options, option) is not None and chosen not in formats:
            mend = f"remove it, or set format: {formats[0]} if that is what the file is"
            raise DataError(
                f"{path} is {chosen}, but only {_listed(formats)} files have such an option; {mend}",
                (option,),
            )
    return chosen


def _listed(formats: tuple[Format, ...]) -> str:
    return " and ".join(filter(None, (", ".join(formats[:-1]), formats[-1])))


def _check_size(path: Path) -> None:
    """Raise TooLarge if a file does not fit into memory after decompression."""
    from nnjit.data.tables.text import zstd

    if zstd.is_zstd(path):
        size = zstd.largest_size(path)
        check_fits(
            size, f"{path}, of up to {size:,} bytes once decompressed,", "take a smaller file", ("file",)
        )
    else:
        check_size(path)


def _suffix(path: Path) -> str:
    """The suffix of a file, or of its content if compressed."""
    inner = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    return inner.suffix.lower()
