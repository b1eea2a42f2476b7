"""Write a table to a file or stream in blocks of rows."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Labels:
    """A column of names.

    Args:
        indices: (n,) into `names`.
    """

    indices: np.ndarray
    names: tuple[str, ...]

    def __getitem__(self, rows: slice) -> Labels:
        return Labels(self.indices[rows], self.names)


Columns = Mapping[str, "np.ndarray | Labels | pl.Series"]
"""Columns (n,) of some rows, by name."""


class Writer(ABC):
    """Writes blocks of rows to a file."""

    has_types = True
    """Whether the format distinguishes a number column from text with the same digits."""

    @abstractmethod
    def write(self, blocks: Iterable[Columns], path: Path) -> int:
        """Write all blocks, at least one, and return the number of rows."""


@dataclass(frozen=True)
class TextWriter(Writer):
    """Writes text.

    Args:
        text: the text of a block; the second argument says whether it is the first.
    """

    text: Callable[[pl.DataFrame, bool], str]
    has_types: bool = False

    def write(self, blocks: Iterable[Columns], path: Path) -> int:
        rows = 0
        with path.open("wb") as file:
            for block in blocks:
                frame = _frame(block)
                file.write(self.text(frame, not rows).encode())
                rows += frame.height
        return rows


class ParquetWriter(Writer):
    """Writes Parquet: blocks first go to separate files, since a Parquet file cannot grow."""

    def write(self, blocks: Iterable[Columns], path: Path) -> int:
        import polars as pl

        rows, parts = 0, []
        with tempfile.TemporaryDirectory(  # Windows keeps a file that polars still maps
            prefix=f".{path.name}", dir=path.parent, ignore_cleanup_errors=True
        ) as folder:
            for number, block in enumerate(blocks):
                frame = _frame(block)
                parts.append(Path(folder) / f"{number}.arrow")
                frame.write_ipc(parts[-1])
                rows += frame.height
            pl.scan_ipc(parts, glob=False).sink_parquet(path)
        return rows


def csv_text(columns: Columns, *, has_header: bool) -> str:
    """Format rows as CSV."""
    return _frame(columns).write_csv(include_header=has_header)


def writer_of(path: Path) -> Writer:
    """The writer for the format given by a file's suffix.

    Raises:
        DataError: the suffix is not supported.
    """
    if path.suffix.lower() not in WRITERS:
        given = f'"{path.suffix}"' if path.suffix else "no suffix"
        raise DataError(f"{path}: the suffix sets the format, but got {given}; use {_SUFFIXES}")
    return WRITERS[path.suffix.lower()]


def _frame(columns: Columns) -> pl.DataFrame:
    import polars as pl

    def series(name: str, values: np.ndarray | Labels | pl.Series) -> pl.Series:
        if isinstance(values, Labels):
            return pl.Series(name, values.names, pl.String).gather(values.indices)
        return pl.Series(name, values)

    return pl.DataFrame([series(name, values) for name, values in columns.items()])


_CSV = TextWriter(lambda frame, is_first: frame.write_csv(include_header=is_first))
_TSV = TextWriter(lambda frame, is_first: frame.write_csv(include_header=is_first, separator="\t"))
_JSON_LINES = TextWriter(lambda frame, is_first: frame.write_ndjson(), has_types=True)

WRITERS: Mapping[str, Writer] = {
    ".csv": _CSV,
    ".tsv": _TSV,
    ".parquet": ParquetWriter(),
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
}
"""The writer for each suffix."""
_SUFFIXES = ", ".join(WRITERS)
