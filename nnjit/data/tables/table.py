"""A table as given: named columns of text, numbers, flags and dates, with gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.tables.marks import POINT, Marks
from nnjit.data.tables.typed.stored_frame import StoredFrame
from nnjit.data.tables.values import as_numbers, as_text, problem_of
from nnjit.errors import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with named columns.

    Args:
        frame: columns of a text file are trimmed text; those of other files and of data frames keep their
            type. Missing values are null. A `StoredFrame` is read on access.
        name: its name in messages, e.g. the path of the file.
        where: row index → its name in messages, e.g. "line 7".
        marks: the marks in numbers written as text.
        notes: findings about the file, for the log, in sentences.
        original: rereads a column of a large text file, which was read as float64, as its original text.
    """

    frame: pl.DataFrame | StoredFrame
    name: str
    where: Callable[[int], str]
    marks: Marks = POINT
    notes: tuple[str, ...] = ()
    original: Callable[[str], pl.Series] | None = None

    def __len__(self) -> int:
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """The column names, in order."""
        return self.frame.columns

    @property
    def is_stored(self) -> bool:
        """Whether the rows stay in their file."""
        return isinstance(self.frame, StoredFrame)

    def problem(self, column: str) -> str | None:
        """Why a column, e.g. of lists, is neither text nor numbers, and how to fix it; None if readable."""
        return problem_of(self.frame[column])

    def numbers(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """A column (n,) in float64, nan if missing or not a number, and a mask of the non-numbers.

        True and false are 1 and 0; dates are not numbers. The array may be read-only.

        Raises:
            DataError: the column has a `problem`.
        """
        self._check(column)
        return as_numbers(self.frame[column], self.marks)

    def text(self, column: str) -> pl.Series:
        """A column (n,) as text, null if missing, independent of how its values are stored.

        Numbers are written as briefly as possible (1.0 is "1"), flags as "true" or "false", dates as
        "2007-11-30", and times as "2007-11-30 10:15:00". Text keeps its zeros: "01", "1" and "1.50" stay. Ask
        for `numbers` first: here a number column of a large text file is read again.

        Raises:
            DataError: the column has a `problem`.
        """
        self._check(column)
        series = self.frame[column]
        if self.original is not None and series.dtype.is_float():
            series = self.original(column)
        return as_text(series, self.marks)

    def select(self, columns: Sequence[str]) -> Table:
        """The table with only these columns, in this order."""
        return replace(self, frame=self.frame.select(columns))

    def rows(self, kept: np.ndarray) -> Table:
        """The table with only the rows of a mask; they keep their names."""
        return self.taken(np.flatnonzero(kept))

    def taken(self, indices: np.ndarray) -> Table:
        """The table with only the rows at these indices; they keep their names."""
        original, frame = self.original, self.frame
        return replace(
            self,
            frame=frame.chosen(indices) if isinstance(frame, StoredFrame) else frame[indices],
            where=lambda row: self.where(int(indices[row])),
            original=None if original is None else lambda column: original(column)[indices],
        )

    def _check(self, column: str) -> None:
        problem = self.problem(column)
        if problem is not None:
            raise DataError(f'{self.name}: column "{column}" {problem}')
