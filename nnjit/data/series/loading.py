"""Load a series from its source: its order, its windows, and the values that follow each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.encoding.kinds import Date
from nnjit.data.encoding.problem import Problem, check, infinite, unreadable
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.files import locate
from nnjit.data.series.data import SeriesData
from nnjit.data.series.naive import naive_forecasts
from nnjit.data.series.order import Order, find_order
from nnjit.data.series.parts import Cut, cut
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.reading import read_table
from nnjit.data.tables.roles import named
from nnjit.data.tables.table import Table
from nnjit.errors import ConfigPath, DataError, counted, did_you_mean

if TYPE_CHECKING:
    from nnjit.data.sources.series import Series

_MEND = "correct it, or encode it: a series forecasts numbers, such as 0 and 1 for no and yes"
_MOST_NAMES = 5


@dataclass(frozen=True)
class _Columns:
    """The column names by role; None if not given."""

    targets: tuple[str, ...]
    inputs: tuple[str, ...] | None
    ignored: tuple[str, ...]
    time: str | None
    group: str | None


def load(source: Series, folder: Path) -> SeriesData:
    """Load the series of a source.

    Args:
        folder: where relative paths in the options start.

    Raises:
        DataError: the table cannot be read, or does not match the options; `path` is the option at fault.
    """
    table = _table(source, folder)
    path: ConfigPath = ("type",) if source.file is None else ("file",)
    title = "series given in Python" if source.file is None else f"series {Path(table.name).name}"
    columns = _columns(source, table.columns)
    try:
        kind = source.columns.get(columns.time) if columns.time is not None else None
        date = kind if isinstance(kind, Date) else None
        order = find_order(table, time=columns.time, group=columns.group, kind=date)
        return _cut(source, table, columns, order, title, path)
    except DataError as error:
        raise DataError(f"{table.name}: {error.message}", error.path or path) from None


def _cut(
    source: Series, table: Table, columns: _Columns, order: Order, title: str, path: ConfigPath
) -> SeriesData:
    """The windows of a table, without those that lack a target."""
    longest = int(order.sizes.max())
    if source.season is not None and source.season > longest:
        which = "any group: the longest" if order.names else "the series, which"
        words = counted(source.season, "row")
        raise DataError(f"a season of {words} is longer than {which} has {longest}; shorten it", ("season",))
    found = cut(order, source.split, window=source.window, ahead=max(source.steps), step=source.step)
    values = _values(table, columns.targets)[order.rows]
    ends = found.starts + source.window - 1
    places = ends[:, None] + np.array(source.steps)
    y = values[places].reshape(len(places), -1)
    kept = ~np.isnan(y).any(axis=1)
    if not kept.any():
        raise DataError("no window has a target; choose another", ("target",))
    lacking = len(kept) - int(kept.sum())
    found, y, ends, places = found.keep(kept), y[kept], ends[kept], places[kept]
    times = order.rows + 1 if order.times is None else order.times
    naive = naive_forecasts(
        values, ends, order.begins[order.groups[ends]], horizon=source.steps, season=source.season
    )
    return SeriesData(
        table=table,
        order=order,
        cut=found,
        window=source.window,
        split=source.split,
        y=y,
        targets=tuple(f"{name}+{h}" for h in source.steps for name in columns.targets),
        description=_description(title, table, source.window, found, order, lacking),
        source_rows=order.rows[places[:, 0]],
        times=np.repeat(times[places], len(columns.targets), axis=1),
        naive=naive,
        known=columns.targets,
        inputs=columns.inputs,
        excluded=tuple(n for n in (*columns.ignored, columns.time, columns.group) if n is not None),
        options={n: k for n, k in source.columns.items() if n != columns.time or columns.inputs},
        missing=source.missing,
        buffer_of=None if source.in_memory else source.buffer_of,
        notes=_notes(found, order),
        path=path,
    )


def _table(source: Series, folder: Path) -> Table:
    if source.file is not None:
        return read_table(locate(folder, source.file), source)
    given = source.given_data()
    try:
        return given if isinstance(given, Table) else table_of(given)
    except DataError as error:
        raise DataError(error.message, ("type",)) from None


def _columns(source: Series, there: Sequence[str]) -> _Columns:
    """The roles that the options give to columns; raise DataError if a column is missing."""
    found = _Columns(
        targets=named(source.target, "target", there),
        inputs=None if source.inputs is None else named(source.inputs, "inputs", there),
        ignored=named(source.ignore, "ignore", there),
        time=None if source.time is None else named(source.time, "time", there)[0],
        group=None if source.group is None else named(source.group, "group", there)[0],
    )
    for k, name in enumerate(found.targets):
        for option, other in (("time", found.time), ("group", found.group)):
            if name == other:
                path = ("target", k) if isinstance(source.target, tuple) else ("target",)
                raise DataError(f'column "{name}" is the {option}, so it cannot be a target', path)
    for name in source.columns:
        if name not in there:
            raise DataError(f'no column "{name}"{did_you_mean(name, there)}', ("columns", name))
        if source.columns[name].drops:
            raise DataError(
                f'missing: drop would remove rows from the middle of a series (column "{name}"); fill '
                "them in, as with missing: median",
                ("columns", name, "missing"),
            )
    return found


def _values(table: Table, names: Sequence[str]) -> np.ndarray:
    """The targets (T, O) of all rows, nan if missing."""
    problems: list[Problem] = []
    columns = [RawColumn(table, name) for name in names]
    for column in columns:
        values, is_bad = column.numbers
        problems += unreadable(column, is_bad, "a number", _MEND) or infinite(column, np.isinf(values))
    check(problems)
    return np.stack([column.numbers[0] for column in columns], axis=1)


def _description(title: str, table: Table, window: int, found: Cut, order: Order, lacking: int) -> str:
    groups = f" in {counted(len(order.names), 'group')}" if order.names else ""
    left_out = f", {counted(lacking, 'window')} without a target left out" if lacking else ""
    count = counted(len(found.starts), "window")
    return (
        f"{title}: {count} of {counted(window, 'step')} from {counted(len(table), 'row')}{groups}{left_out}"
    )


def _notes(found: Cut, order: Order) -> tuple[str, ...]:
    """Name the groups without a window."""
    if not found.left_out:
        return ()
    names = ", ".join(f'"{order.names[k]}"' for k in found.left_out[:_MOST_NAMES])
    more = len(found.left_out) - _MOST_NAMES
    names += f" and {more} more" if more > 0 else ""
    which = counted(len(found.left_out), "group")
    return (f"left out: {which} too short for a window within one part: {names}",)
