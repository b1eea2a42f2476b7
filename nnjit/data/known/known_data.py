"""Encode new data as inputs, as learned from the training rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.encoding.encoder import TableEncoder
from nnjit.data.encoding.kinds import CategoryEncoding, NumberEncoding
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.tables.table import Table
from nnjit.data.tables.typed.stored_frame import StoredFrame
from nnjit.data.target import Target
from nnjit.errors import DataError, UserError, counted, did_you_mean

if TYPE_CHECKING:
    import polars as pl

_MOST_NAMES = 12


@dataclass(frozen=True, eq=False)
class KnownData:
    """A trained network's knowledge of its training data.

    Args:
        features: names of the inputs; () for images.
        input_shape: shape of an example.
        targets: names of the target columns.
        classes: names of the classes; None for values or several outputs.
        layout: the targets of several outputs; () if there is only one.
        table_encoder: encodes a table as inputs; None if the network was trained on arrays.
        weights: the table column of row weights; None if all are equal.
    """

    features: tuple[str, ...]
    input_shape: tuple[int, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    layout: tuple[Target, ...] = ()
    table_encoder: TableEncoder | None = None
    weights: str | int | None = None

    @cached_property
    def encoder(self) -> TableEncoder:
        """The table encoder; after training on arrays, one for all-number columns."""
        if self.table_encoder is not None:
            return self.table_encoder
        names = self.features or [f"x{k + 1}" for k in range(math.prod(self.input_shape))]
        return TableEncoder(tuple(NumberEncoding(name=name, missing="error", fill=None) for name in names))

    def encode(self, table: Table) -> EncodedRows:
        """The inputs from a table, whose columns are found by name.

        After training on arrays, a table with other names must have as many columns, taken in order.

        Raises:
            DataError: a column is missing, or has values that do not fit its kind.
        """
        with blaming(table.name):
            table = self.named(table)
            _check_columns([c.name for c in self.encoder.columns if c.inputs], table)
            return self.encoder.encode(table)

    def named(self, table: Table) -> Table:
        """A table whose columns are named after the features, if the network was trained on arrays."""
        names = self.encoder.features
        if self.table_encoder is not None or set(names) <= set(table.columns):
            return table
        if len(table.columns) == len(names):
            return renamed(table, names)
        if self.features and set(names) & set(table.columns):
            _check_columns(names, table)
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        wanted = f": {', '.join(self.features[:_MOST_NAMES])}{more}" if self.features else ""
        raise DataError(
            f"the network takes {counted(len(names), 'column')} of numbers{wanted}; "
            f"this table has {len(table.columns):,} with other names"
        )

    def shaped(self, rows: np.ndarray) -> np.ndarray:
        """Reshape inputs (n, I) from a table to the shape of examples, (n, ...)."""
        return rows.reshape(len(rows), *self.input_shape)


def as_columns(table: Table, encoder: TableEncoder | None) -> dict[str, pl.Series]:
    """The columns of a table as given.

    Args:
        encoder: its number columns are returned as numbers, however given.
    """
    import polars as pl

    columns = () if encoder is None else encoder.columns
    numbers = {column.name for column in columns if isinstance(column, NumberEncoding)}
    found = {}
    for name in table.columns:
        series = table.frame[name]
        if name in numbers and series.dtype == pl.String:
            series = pl.Series(name, table.numbers(name)[0]).fill_nan(None)
        found[name] = series
    return found


def unseen(rows: EncodedRows, first: int = 0) -> dict[str, int]:
    """Count, by column, the rows from `first` on with a category unknown from training."""
    found = {}
    for column, values in zip(rows.encoder.columns, rows.values, strict=True):
        if not isinstance(column, CategoryEncoding) or not column.inputs:
            continue
        others = len(column.categories) + column.has_missing
        is_known = rows.table.frame[column.name].is_not_null().to_numpy()
        positions = values[:]
        count = int((is_known & ((positions < 0) | (positions >= others)))[first:].sum())
        if count:
            found[column.name] = count
    return found


def unseen_words(column: str, rows: int) -> str:
    """A remark on rows with categories unknown from training."""
    return (
        f'column "{column}": {counted(rows, "row")} with a category that training did not have, or too '
        "seldom; taken as other"
    )


def renamed(table: Table, names: tuple[str, ...]) -> Table:
    """Rename the columns of a table by position."""
    assert not isinstance(table.frame, StoredFrame)  # new data is read into memory, whole or in blocks
    frame = table.frame.rename(dict(zip(table.columns, names, strict=True)))
    old = dict(zip(names, table.columns, strict=True))
    original = table.original
    return replace(
        table,
        frame=frame,
        original=None if original is None else lambda name: original(old[name]).rename(name),
    )


def place_in(table: Table) -> Callable[[int], str]:
    """Row index → its name in messages, with the name of the table."""
    return lambda row: f"{table.name}: {table.where(row)}"


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Add the name of a table or file to errors."""
    try:
        yield
    except UserError as error:
        is_named = error.message.startswith(name)
        raise type(error)(error.message if is_named else f"{name}: {error.message}") from None


def _check_columns(names: Sequence[str], table: Table) -> None:
    """Raise a DataError about the columns that a table lacks, if any."""
    lacking = [name for name in names if name not in table.columns]
    if not lacking:
        return
    if len(lacking) == 1:
        near = did_you_mean(lacking[0], table.columns)
        raise DataError(f'column "{lacking[0]}": there is no such column{near}')
    nearest = [(name, did_you_mean(name, table.columns)) for name in lacking[:_MOST_NAMES]]
    words = [f'"{n}"' + (f" ({near[2:]})" if near.startswith("; did") else "") for n, near in nearest]
    words += [f"{len(lacking) - _MOST_NAMES} more"] if len(lacking) > _MOST_NAMES else []
    there = ", ".join(table.columns[:_MOST_NAMES]) + (", …" if len(table.columns) > _MOST_NAMES else "")
    raise DataError(
        f"{len(lacking)} columns of the training data are missing: {', '.join(words)}; there are {there}"
    )
