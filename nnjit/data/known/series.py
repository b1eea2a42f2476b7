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
    """The windows of new rows, each with a forecast of what follows it.

    Args:
        x: (n, window, channels); the last of a group ends with its last row.
        last: (n,) the row of the table with which each ends.
        names: the columns of the time and the group, as far as there are any.
        encoded: the rows of the table that they are made of.
        order: the order of these.
    """

    x: Windows
    last: np.ndarray
    names: tuple[str, ...]
    encoded: EncodedRows
    order: Order

    @property
    def table(self) -> Table:
        """The table that they are made of."""
        return self.x.table

    def ending_from(self, row: int) -> NewWindows:
        """The windows that end with a row of the table from this one on."""
        kept = self.last >= row
        return replace(self, x=replace(self.x, starts=self.x.starts[kept]), last=self.last[kept])

    def where(self, window: int) -> str:
        """The name of a window in messages."""
        table = self.x.table
        return f"{table.name}: the window up to {table.where(int(self.last[window]))}"


def windows_of(source: Source, known: KnownData, table: Table) -> NewWindows:
    """All windows of a table, one after each row, whether or not the values to forecast are there.

    Raises:
        DataError: a column is not there or cannot be read, times do not go up, or no window fits.
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
    """The windows of a table that comes in blocks of rows, some of which begin in an earlier block.

    Yields:
        Windows that end in a block, how many rows of their table are of earlier blocks, and how many rows
        there were before that table's first new one.

    Raises:
        DataError: as `windows_of`, when it comes to the row.
    """
    earlier: Table | None = None
    names: list[Callable[[], str]] = []  # of its rows; their tables are not kept
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
        windows_of(source, known, earlier)  # which has all rows, and says what is wrong


def _joined(first: Table, then: Table) -> Table:
    """The rows of one table after those of another."""
    import polars as pl

    assert isinstance(first.frame, pl.DataFrame)
    assert isinstance(then.frame, pl.DataFrame)  # what is predicted is read, whole or in blocks
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
    """The rows of a table that are among the last so many of their group, in ascending order."""
    ends = order.begins + order.sizes
    return np.sort(order.rows[ends[order.groups] - np.arange(len(order.rows)) <= count])


def _windows_of(source: Series, known: KnownData, table: Table) -> NewWindows:
    """As `windows_of`, but there may be none."""
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
    """The windows of a table with the values that follow each, and the name of each for messages.

    Raises:
        DataError: as `windows_of`; or a target is missing or no number.
    """
    assert isinstance(source, Series)
    given = source.model_copy(update={"split": SeriesSplit(), "in_memory": True}).with_data(table)
    with blaming(table.name):
        data = given.load(Path()).encoded_by(known.encoder)
    rows = data.source_rows
    assert rows is not None  # a series has them
    words = data.description.partition(": ")[2]
    named_data = replace(data, description=f"{table.name}: {words}")
    return named_data, lambda k: f"{table.name}: the window before {table.where(int(rows[k]))}"


def _name(source: Series, option: str, table: Table) -> str | None:
    given = getattr(source, option)
    return None if given is None else named(given, option, table.columns)[0]
