"""Cut new rows of a series into the windows that a trained network takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from nnjit.data.dataset import Dataset
from nnjit.data.encoding.kinds import Date
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.known.known_data import KnownData, blaming
from nnjit.data.series.order import Order, find_order
from nnjit.data.series.windows import Windows
from nnjit.data.source import Source
from nnjit.data.sources.series import Series, SeriesSplit
from nnjit.data.tables.roles import named
from nnjit.data.tables.table import Table
from nnjit.errors import DataError, counted


@dataclass(frozen=True, eq=False)
class NewWindows:
    """The windows of new rows, one per forecast; each forecast follows its window.

    Args:
        x: (n, window, channels); the last of a group ends with its last row.
        last: (n,) the table row with which each ends.
        names: the time and group columns, if any.
        encoded: the table rows that the windows are made from.
        order: the order of the table rows.
    """

    x: Windows
    last: np.ndarray
    names: tuple[str, ...]
    encoded: EncodedRows
    order: Order

    @property
    def table(self) -> Table:
        """The table that the windows are made from."""
        return self.x.table

    def ending_from(self, row: int) -> NewWindows:
        """The windows that end at or after a row of the table."""
        kept = self.last >= row
        return replace(self, x=replace(self.x, starts=self.x.starts[kept]), last=self.last[kept])

    def where(self, window: int) -> str:
        """The name of a window in messages."""
        table = self.x.table
        return f"{table.name}: the window up to {table.where(int(self.last[window]))}"


def windows_of(source: Source, known: KnownData, table: Table) -> NewWindows:
    """All windows of a table, one ending at each row, whether or not the values to forecast exist.

    Raises:
        DataError: a column is missing or cannot be read, times do not increase, or no window fits.
    """
    assert isinstance(source, Series)
    found = _windows_of(source, known, table)
    if not len(found.x):
        longest = counted(int(found.order.sizes.max()), "row")
        has = "the longest group has" if source.group is not None else "there are"
        raise DataError(
            f"{table.name}: a window needs {counted(source.window, 'row')}, but {has} {longest}; give more"
        )
    return found


def window_blocks(
    source: Series, known: KnownData, tables: Iterable[Table]
) -> Iterator[tuple[NewWindows, int, int]]:
    """Iterate over the windows of a table in blocks of rows; some windows begin in an earlier block.

    Yields:
        The windows that end in a block, the number of rows of their table from earlier blocks, and the number
        of rows before that table's first new one.

    Raises:
        DataError: see `windows_of`; raised on reaching the row.
    """
    earlier: Table | None = None
    names: list[Callable[[], str]] = []  # of the rows of `earlier`; their tables are not kept
    done, is_found = 0, False
    for block in tables:
        table = block if earlier is None else _joined(earlier, block)
        carried = len(names)
        found = _windows_of(source, known, table)
        is_found |= len(found.x) > 0
        yield found.ending_from(carried), carried, done
        done += len(block)
        rows = _last_rows(found.order, max(source.window - 1, 1))
        names = [names[k] if k < carried else partial(block.where, k - carried) for k in rows.tolist()]
        earlier = replace(table.taken(rows), where=partial(_name_of, names))
    if not is_found and earlier is not None:
        windows_of(source, known, earlier)  # has all rows, and raises


def _joined(first: Table, then: Table) -> Table:
    """Append the rows of one table to another."""
    import polars as pl

    assert isinstance(first.frame, pl.DataFrame)
    assert isinstance(then.frame, pl.DataFrame)  # new data is read into memory, whole or in blocks
    count, where_first, where_then = len(first), first.where, then.where
    return replace(
        then,
        frame=pl.concat([first.frame, then.frame], how="vertical_relaxed"),
        where=lambda row: where_first(row) if row < count else where_then(row - count),
        original=None,
    )


def _name_of(names: Sequence[Callable[[], str]], row: int) -> str:
    return names[row]()


def _last_rows(order: Order, count: int) -> np.ndarray:
    """The table rows that are among the last `count` of their group, in ascending order."""
    ends = order.begins + order.sizes
    return np.sort(order.rows[ends[order.groups] - np.arange(len(order.rows)) <= count])


def _windows_of(source: Series, known: KnownData, table: Table) -> NewWindows:
    """As `windows_of`, but possibly empty."""
    encoded = known.encode(table)
    with blaming(table.name):
        time, group = (_name(source, option, table) for option in ("time", "group"))
        kind = None if time is None else source.columns.get(time)
        order = find_order(table, time=time, group=group, kind=kind if isinstance(kind, Date) else None)
        ends = np.arange(source.window - 1, len(table))
        ends = ends[order.groups[ends - source.window + 1] == order.groups[ends]]
    x = Windows(encoded[order.rows], ends - source.window + 1, source.window, table)
    names = tuple(name for name in (time, group) if name is not None)
    return NewWindows(x, order.rows[ends], names, encoded, order)


def windows_with_targets(
    source: Source, known: KnownData, table: Table
) -> tuple[Dataset, Callable[[int], str]]:
    """The windows of a table with the values after each, and the name of each for messages.

    Raises:
        DataError: see `windows_of`; or a target is missing or not a number.
    """
    assert isinstance(source, Series)
    given = source.model_copy(update={"split": SeriesSplit(), "in_memory": True}).with_data(table)
    with blaming(table.name):
        data = given.load(Path()).encoded_by(known.encoder)
    rows = data.source_rows
    assert rows is not None  # a series always has them
    words = data.description.partition(": ")[2]
    named_data = replace(data, description=f"{table.name}: {words}")
    return named_data, lambda k: f"{table.name}: the window before {table.where(int(rows[k]))}"


def _name(source: Series, option: str, table: Table) -> str | None:
    given = getattr(source, option)
    return None if given is None else named(given, option, table.columns)[0]
