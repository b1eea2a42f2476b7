"""Cut new rows of a series into the windows that a trained network takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnjit.data.dataset import Dataset
from nnjit.data.encoding.kinds import Date
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.known.known_data import KnownData, blaming
from nnjit.data.series.order import find_order
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
    """

    x: Windows
    last: np.ndarray
    names: tuple[str, ...]
    encoded: EncodedRows

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
    encoded = known.encode(table)
    with blaming(table.name):
        time, group = (_name(source, option, table) for option in ("time", "group"))
        kind = None if time is None else source.columns.get(time)
        order = find_order(table, time=time, group=group, kind=kind if isinstance(kind, Date) else None)
        ends = np.arange(source.window - 1, len(table))
        ends = ends[order.groups[ends - source.window + 1] == order.groups[ends]]
        if not len(ends):
            longest = counted(int(order.sizes.max()), "row")
            has = "the longest group has" if group is not None else "there are"
            raise DataError(f"a window needs {counted(source.window, 'row')}, but {has} {longest}; give more")
    x = Windows(encoded[order.rows], ends - source.window + 1, source.window, table)
    names = tuple(name for name in (time, group) if name is not None)
    return NewWindows(x, order.rows[ends], names, encoded)


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
