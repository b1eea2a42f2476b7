"""Order the rows of each group of a series, and check that its times increase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnjit.data.encoding.kinds import Date
from nnjit.data.encoding.kinds.base import NO_DATE
from nnjit.data.encoding.problem import check, infinite, missing, unreadable
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.tables.table import Table
from nnjit.errors import DataError, counted, shortened


@dataclass(frozen=True, eq=False)
class Order:
    """The rows of a table by group, and in time order within each.

    Args:
        rows: (T,) the table row at each position.
        groups: (T,) the group number at each position, ascending.
        names: names of the groups; () for a single series.
        times: (T,) float64 or datetime64[us] at each position; None without a time column.
    """

    rows: np.ndarray
    groups: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray | None

    @property
    def sizes(self) -> np.ndarray:
        """The number of rows in each group."""
        return np.bincount(self.groups)

    @property
    def begins(self) -> np.ndarray:
        """The position of each group's first row."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)


def find_order(table: Table, *, time: str | None, group: str | None, kind: Date | None = None) -> Order:
    """Order the rows of a table.

    Args:
        time, group: their columns; None if there is none.
        kind: how to read dates.

    Raises:
        DataError: a row has no time or no group, or the times of a group do not increase.
    """
    groups = np.zeros(len(table), np.int64)
    names: tuple[str, ...] = ()
    if group is not None:
        groups, names = _groups(RawColumn(table, group))
    rows = np.argsort(groups, kind="stable")
    if time is None:
        return Order(rows, groups[rows], names, None)
    column = RawColumn(table, time)
    order = Order(rows, groups[rows], names, read_times(column, kind or Date())[rows])
    _check_ascending(order, column)
    return order


def read_times(column: RawColumn, kind: Date) -> np.ndarray:
    """Times (n,) as float64, or as datetime64[us] for dates; raise DataError if one is missing or neither."""
    check(missing(column, "fill it in, or omit the row"))
    values, is_bad = column.numbers
    if 2 * int(is_bad.sum()) <= len(column):
        check(unreadable(column, is_bad, "a number", "correct it") or infinite(column, np.isinf(values)))
        return np.asarray(values)
    found, problems = kind.fit(column).read(column)
    check(problems)
    assert not (found == NO_DATE).any()  # missing ones have raised
    return found.view("datetime64[us]")


def _groups(column: RawColumn) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the groups in order of first occurrence: the number for each row, and the names."""
    check(missing(column, "fill it in, or omit the row"))
    labels, firsts, numbers = np.unique(
        column.text.to_numpy().astype(str), return_index=True, return_inverse=True
    )
    order = np.argsort(firsts)
    return np.argsort(order)[numbers], tuple(str(label) for label in labels[order])


def _check_ascending(order: Order, column: RawColumn) -> None:
    assert order.times is not None
    is_wrong = (order.times[1:] <= order.times[:-1]) & (order.groups[1:] == order.groups[:-1])
    if not is_wrong.any():
        return
    at = int(np.argmax(is_wrong))
    earlier, row = (int(order.rows[k]) for k in (at, at + 1))
    value, before = (shortened(str(column.series[k])) for k in (row, earlier))
    is_double = order.times[at + 1] == order.times[at]
    where, there = column.table.where(row), column.table.where(earlier)
    group = f' of the group "{order.names[order.groups[at]]}"' if order.names else ""
    count = counted(int(is_wrong.sum()), "such row")
    if is_double:
        mend = "omit one of the rows" if order.names else "omit one, or name the group of each row"
        problem = f"{value} is the time of {there}{group} too"
    else:
        mend = "sort the rows by time" if order.names else "sort the rows by time, or name their group"
        problem = f"{value} comes after {before} of {there}{group}"
    raise DataError(f'{where}, column "{column.name}": {problem} ({count}); {mend}')
