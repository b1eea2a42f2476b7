"""Read files whose columns have types: Parquet, Arrow, JSON, JSON lines and Excel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data.tables.table import Table
from nnjit.data.tables.values import MISSING_MARKS, normalised
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.tables.reading import Reading

Reader = Callable[[Path, "Reading"], Table]


def _read_parquet(path: Path, options: Reading) -> Table:
    import polars as pl

    return _made(path, options, lambda: pl.read_parquet(path, glob=False), "Parquet")


def _made(path: Path, options: Reading, read: Callable[[], pl.DataFrame], kind: str) -> Table:
    import polars as pl

    try:
        frame = read()
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        raise DataError(f"{path}: cannot be read as {kind} ({first})", ("file",)) from None
    marks = MISSING_MARKS if options.missing_marks is None else ("", *options.missing_marks)
    return Table(normalised(frame, marks), str(path), lambda row: f"row {row + 1}")


READERS: Mapping[str, Reader] = {"parquet": _read_parquet}
