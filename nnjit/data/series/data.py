"""A series cut into windows, before an encoder turns its columns into channels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from nnjit.data.dataset import Dataset
from nnjit.data.encoding.encoder import TableEncoder, fit
from nnjit.data.encoding.inference import infer, with_missing
from nnjit.data.encoding.kinds import ColumnOptions, Number
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.encoding.rows import EncodedRows, Indexed
from nnjit.data.series.order import Order
from nnjit.data.series.parts import Cut
from nnjit.data.series.windows import Windows, covered_rows
from nnjit.data.source import Split
from nnjit.data.splits import Rows
from nnjit.data.storage.disk_rows import DiskRows
from nnjit.data.tables.table import Table
from nnjit.data.target import Labelled, Target
from nnjit.errors import ConfigPath, DataError
from nnjit.memory import check_fits


@dataclass(frozen=True, eq=False)
class SeriesData(Labelled):
    """Windows of a table in time order, with the values that follow each.

    Args:
        table: all rows and columns, in the order of the file.
        order, cut: the order of the rows, and the positions of the windows.
        split: the fractions held out.
        window: number of steps in a window.
        y: (n, horizon × targets) values, the targets of a step side by side.
        source_rows: (n,) the first row that each window predicts.
        times: (n, horizon × targets) times of y, or row numbers from 1 without a time column.
        naive: forecasts (n, horizon × targets) that need no training, by name.
        known: names of the target columns in the table.
        inputs: the columns that become channels; None for all number columns.
        excluded: columns that are not channels by default, such as the time.
        options, missing: as in `TableData`.
        buffer_of: size of a window in numbers → the most windows in memory at a time; None makes all.
        notes: findings about the series, in sentences.
        path: the option to name in errors about the table.
    """

    table: Table
    order: Order
    cut: Cut
    split: Split
    window: int
    y: np.ndarray
    targets: tuple[str, ...]
    description: str
    source_rows: np.ndarray
    times: np.ndarray
    naive: Mapping[str, np.ndarray]
    known: tuple[str, ...]
    inputs: tuple[str, ...] | None
    excluded: tuple[str, ...] = ()
    options: Mapping[str, ColumnOptions] = field(default_factory=dict)
    missing: str | None = None
    buffer_of: Callable[[int], int] | None = None
    notes: tuple[str, ...] = ()
    path: ConfigPath = ("file",)
    classes: None = None
    weights: None = None
    target_layout: tuple[Target, ...] = ()

    @property
    def split_rows(self) -> Rows:
        return self.cut.rows(self.split)

    def encoded(self, windows: np.ndarray | None, indexed: Indexed = frozenset()) -> Dataset:
        """The windows with channels, encoded as fitted to the rows that training windows contain.

        Args:
            windows: (m,) the training windows; None for all.

        Raises:
            DataError: columns hold values that do not fit their kind, or none gives a channel.
        """
        starts = self.cut.starts if windows is None else self.cut.starts[windows]
        rows = np.sort(self.order.rows[covered_rows(starts, self.window, len(self.table))])
        with self._blamed():
            inputs = self._numbers(rows) if self.inputs is None else self.inputs
            x = fit(self.table.select(inputs), rows, self._kinds(inputs), missing=self.missing)
            if not x.encoder.features:
                left = ", ".join(f"{column.name} ({column.kind})" for column in x.encoder.columns)
                raise DataError(f"no column gives a channel: {left}; set their kinds in columns")
        return self._with_channels(x)

    def encoded_by(self, encoder: TableEncoder) -> Dataset:
        """The windows with channels from an encoder fitted to other data.

        Raises:
            DataError: a column is missing, or has values that do not fit its kind.
        """
        with self._blamed():
            return self._with_channels(encoder.encode(self.table))

    def _with_channels(self, encoded: EncodedRows) -> Dataset:
        windows = Windows(encoded[self.order.rows], self.cut.starts, self.window, encoded.table)
        size = len(windows) if self.buffer_of is None else self.buffer_of(math.prod(windows.shape[1:]))
        if len(windows) <= size:
            check_fits(
                4 * windows.size, f"{len(windows):,} windows of {self.window:,} steps",
                "set in_memory: false, or a larger step", ("window",),
            )  # fmt: skip
        left_out = self._left_out(encoded.encoder)
        return Dataset(
            windows if len(windows) <= size else DiskRows.of(windows, size),
            self.y, encoded.encoder.features, self.targets, None, self.description,
            source_rows=self.source_rows,
            encoder=encoded.encoder,
            notes=(*self.table.notes, *self.notes, *encoded.encoder.notes, *left_out),
            windows=windows,
            times=self.times,
            naive=self.naive,
        )  # fmt: skip

    def _numbers(self, rows: np.ndarray) -> tuple[str, ...]:
        """The targets and the other number columns, judged by the training rows."""
        return tuple(
            name
            for name in self.table.columns
            if name not in self.excluded and (name in self.known or self._is_number(name, rows))
        )

    def _is_number(self, name: str, rows: np.ndarray) -> bool:
        if name in self.options:
            return isinstance(self.options[name], Number)
        return self.table.problem(name) is None and isinstance(
            infer(RawColumn(self.table, name, rows)), Number
        )

    def _kinds(self, inputs: tuple[str, ...]) -> dict[str, ColumnOptions]:
        """The kinds of channel columns that are not inferred: targets are numbers."""
        targets = {name: with_missing(Number(), self.missing) for name in self.known}
        return {name: kind for name, kind in (targets | dict(self.options)).items() if name in inputs}

    def _left_out(self, encoder: TableEncoder) -> tuple[str, ...]:
        """Columns that are not channels because nothing named them."""
        known = {column.name for column in encoder.columns}
        names = [n for n in self.table.columns if n not in known and n not in self.excluded]
        if self.inputs is not None or not names:
            return ()
        return (f"left out: {', '.join(names)}; to use non-numbers, name them in inputs",)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Add the table's name, and the option that gives it, to errors."""
        try:
            yield
        except DataError as error:
            raise DataError(f"{self.table.name}: {error.message}", error.path or self.path) from None
