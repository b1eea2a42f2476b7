"""Report values that cannot be read, all in one message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnjit.errors import DataError, counted, shortened

if TYPE_CHECKING:
    from nnjit.data.encoding.raw_column import RawColumn

_MOST = 20  # columns named in a message


@dataclass(frozen=True)
class Problem:
    """A problem with a column.

    Args:
        where: the name of the first row with it; empty if all have it.
        wrong: what was expected and given.
        mend: how to fix it; empty if there is nothing to say.
    """

    where: str
    column: str
    wrong: str
    mend: str

    def __str__(self) -> str:
        place = f'{self.where}, column "{self.column}"' if self.where else f'column "{self.column}"'
        return f"{place}: {self.wrong}" + (f"; {self.mend}" if self.mend else "")


def unreadable(column: RawColumn, is_bad: np.ndarray, wanted: str, mend: str) -> tuple[Problem, ...]:
    """The problem of values that are not `wanted`, e.g. "a number"; () if there are none."""
    return _first(column, is_bad, lambda row: f'expected {wanted}, got "{_shown(column, row)}"', mend)


def infinite(column: RawColumn, is_bad: np.ndarray) -> tuple[Problem, ...]:
    """The problem of non-finite numbers; () if there are none."""
    return _first(column, is_bad, lambda row: f"{_shown(column, row)} is not finite", "")


def missing(column: RawColumn, mend: str, rows: np.ndarray | None = None) -> tuple[Problem, ...]:
    """The problem of missing values, in the rows of a mask if given; () if there are none."""
    gaps = column.is_missing if rows is None else column.is_missing & rows
    return _first(column, gaps, lambda row: "no value", mend)


def check(problems: Sequence[Problem]) -> None:
    """Raise one DataError about all problems, if any."""
    if len(problems) > 1:
        lines = [str(problem) for problem in problems[:_MOST]]
        more = len(problems) - _MOST
        lines += [f"and {counted(more, 'more column')}"] if more > 0 else []
        raise DataError("\n  ".join([f"{len(problems)} columns cannot be read:", *lines]))
    for problem in problems:
        raise DataError(str(problem))


def _first(
    column: RawColumn, is_bad: np.ndarray, wrong: Callable[[int], str], mend: str
) -> tuple[Problem, ...]:
    if not is_bad.any():
        return ()
    row, count = int(np.argmax(is_bad)), counted(int(is_bad.sum()), "such value")
    return (Problem(column.table.where(row), column.name, f"{wrong(row)} ({count} in the column)", mend),)


def _shown(column: RawColumn, row: int) -> str:
    return shortened(str(column.series[row]))
