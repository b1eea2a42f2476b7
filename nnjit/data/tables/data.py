"""A table with its targets, before an encoder turns its columns into inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from nnjit.data.dataset import Dataset
from nnjit.data.encoding.encoder import TableEncoder, fit
from nnjit.data.encoding.kinds import ColumnOptions
from nnjit.data.encoding.rows import EncodedRows, Indexed
from nnjit.data.tables.table import Table
from nnjit.data.target import Labelled, Target
from nnjit.errors import ConfigPath, DataError


@dataclass(frozen=True, eq=False)
class TableData(Labelled):
    """A table of inputs, with the targets of its rows.

    Args:
        table: the input columns.
        options: column kinds by name; the others are inferred from the training rows.
        missing: how to treat missing values in columns without options; None leaves it to the kind.
        indexed: columns that become indices.
        path: the option to name in errors about the table.
        buffer_of: numbers in a row → the most rows that training holds in memory; None for all.
    """

    table: Table
    y: np.ndarray
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    description: str
    weights: np.ndarray | None = None
    target_layout: tuple[Target, ...] = ()
    source_rows: np.ndarray | None = None
    options: Mapping[str, ColumnOptions] = field(default_factory=dict)
    missing: str | None = None
    indexed: frozenset[str] = frozenset()
    path: ConfigPath = ("file",)
    buffer_of: Callable[[int], int] | None = None

    def __len__(self) -> int:
        return len(self.table)

    def encoded(self, rows: np.ndarray | None, indexed: Indexed = frozenset()) -> Dataset:
        """Encode the data, with an encoder fitted to the training rows.

        Args:
            rows: (m,) the training rows; None for all.
            indexed: category columns that become indices, in addition to those that the source names.

        Raises:
            DataError: columns hold values that do not fit their kind, or none gives an input.
        """
        chosen = indexed if indexed == "all" else self.indexed | indexed
        with self._blamed():
            x = fit(self.table, rows, self.options, missing=self.missing, indexed=chosen)
            if not x.encoder.features:
                left = ", ".join(f"{column.name} ({column.kind})" for column in x.encoder.columns)
                raise DataError(f"no column gives an input: {left}; set their kinds in columns")
        return self.with_inputs(x)

    def encoded_by(self, encoder: TableEncoder) -> Dataset:
        """Encode the data with an encoder fitted to other data.

        Rows without a value are dropped if the other data's were.

        Raises:
            DataError: a column is missing, or has values that do not fit its kind.
        """
        with self._blamed():
            kept = encoder.complete(self.table)
            if not kept.any():
                raise DataError("every row lacks a value, and data drops such rows; give other rows")
            data = self if kept.all() else self.rows(kept)
            return data.with_inputs(encoder.encode(data.table))

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Add the table's name, and the option that gives it, to errors."""
        try:
            yield
        except DataError as error:
            raise DataError(f"{self.table.name}: {error.message}", error.path or self.path) from None

    def with_inputs(self, x: EncodedRows) -> Dataset:
        """The data set with these inputs."""
        size = len(x) if self.buffer_of is None else self.buffer_of(x.shape[1])
        return Dataset(
            replace(x, buffer_size=size if size < len(x) else None),
            self.y, x.encoder.features, self.targets, self.classes, self.description, self.weights,
            self.target_layout, self.source_rows, x.encoder,
            notes=(*self.table.notes, *x.encoder.notes),
        )  # fmt: skip

    def rows(self, kept: np.ndarray) -> TableData:
        """Keep the rows of a mask."""
        indices = np.flatnonzero(kept) if self.source_rows is None else self.source_rows[kept]
        weights = None if self.weights is None else self.weights[kept]
        return replace(
            self, table=self.table.rows(kept), y=self.y[kept], weights=weights, source_rows=indices
        )
