"""A table as it was given: named columns of text, numbers, flags and dates, with gaps."""

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
        frame: columns of a text file are text, trimmed; those of other files and of data frames keep their
            type. Missing values are null. A `StoredFrame` is read when it is needed.
        name: what messages call it, e.g. the path of the file.
        where: the index of a row → its name in messages, e.g. "line 7".
        marks: those in numbers that are written as text.
        notes: what was found out about the file rather than given, for the log: plain sentences.
        original: reads a column of a large text file, which was read as float64, as the text that it is.
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
        """The names of the columns, in their order."""
        return self.frame.columns

    @property
    def is_stored(self) -> bool:
        """Whether the rows stay in their file."""
        return isinstance(self.frame, StoredFrame)

    def problem(self, column: str) -> str | None:
        """Why a column, e.g. of lists, can be neither text nor numbers, with the mend; None if it can."""
        return problem_of(self.frame[column])

    def numbers(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """A column (n,) float64, NaN where it is missing or no number, and which values are no numbers.

        True and false are 1 and 0; dates are no numbers. The array may be read-only.

        Raises:
            DataError: the column has a `problem`.
        """
        self._check(column)
        return as_numbers(self.frame[column], self.marks)

    def text(self, column: str) -> pl.Series:
        """A column (n,) of text, null where it is missing, the same for a value however it was stored.

        Numbers are the shortest text that means them (1.0 is "1"), flags "true" or "false", dates
        "2007-11-30", and times "2007-11-30 10:15:00". Text keeps its zeros: "01", "1" and "1.50" stay. Ask
        for `numbers` first: a column of numbers in a large text file is read again here.

        Raises:
            DataError: the column has a `problem`.
        """
        self._check(column)
        series = self.frame[column]
        if self.original is not None and series.dtype.is_float():
            series = self.original(column)
        return as_text(series, self.marks)

    def select(self, columns: Sequence[str]) -> Table:
        """The table of some columns, in this order."""
        return replace(self, frame=self.frame.select(columns))

    def rows(self, kept: np.ndarray) -> Table:
        """The table with the rows of a mask; they keep their names."""
        return self.taken(np.flatnonzero(kept))

    def taken(self, indices: np.ndarray) -> Table:
        """The table with the rows of some indices; they keep their names."""
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
