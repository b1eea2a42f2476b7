"""`features`: the columns of a table as inputs of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, PrivateAttr

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import AnyInitializer, Normal
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer, UsedRows, layers
from nnjit.nn.layers.shared.columns import Columns, InputColumn
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Count, Number

LARGEST = 600
"""The most numbers that stand for a category if their number is not given."""


@layers.register
class Features(TrainedLayer):
    """The columns of a table side by side: numbers, flags and dates unchanged, and a trained vector for each
    category, as in `embedding`.

    A text gives the mean of the vectors of its words. `from` may name one or several columns; by default, the
    layer takes all.
    """

    type: Literal["features"] = "features"
    formula: ClassVar[str] = "the columns side by side, with a trained vector for each category"
    size: Count | Literal["auto"] = "auto"
    """The length of the vector of a category or word; `auto` grows with the number n of them in the column:
    min(600, round(1.6 n^0.56)), fastai's rule."""
    one_hot: bool = False
    """Whether each category is an input of its own instead, 1 if the row has it and else 0; text is then left
    out."""
    dropout: Number = Field(0.0, ge=0, lt=1)
    """The fraction of the outputs that a training step drops, in [0, 1), as `dropout` does."""
    weight_initializer: AnyInitializer = Normal()
    """The initial vectors."""

    _columns: Columns = PrivateAttr(())

    @property
    def columns(self) -> Columns:
        """The columns it takes; () until they are known."""
        return self._columns

    def with_columns(self, columns: Columns) -> Self:
        made = self.model_copy()
        wanted = None if self.from_ is None else (self.from_,) if isinstance(self.from_, str) else self.from_
        made._columns = tuple(c for c in columns if c.size and (wanted is None or c.name in wanted))
        return made

    def output_shape(self, *inputs: Shape) -> Shape:
        if not self.columns:
            raise GraphError(
                "features takes the columns of a table, and this data has none; give data: {type: table}, or "
                "remove the layer"
            )
        return (sum(self._size(c) if c.is_indexed else c.size for c in self.columns),)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        return tuple(
            Param(name, (len(c.entries), self._size(c)), self.weight_initializer, penalized=True)
            for name, c in self.tables()
        )

    def used_rows(self, *inputs: Array) -> Mapping[str, UsedRows]:
        return {name: UsedRows(_indices(inputs[0], c), always=False) for name, c in self.tables()}

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        tables = {c.name: params[name] for name, c in self.tables()}
        parts = [
            _vectors(x, part, tables[part.name]) if not isinstance(part, slice) else x[:, part]
            for part in _parts(self.columns)
        ]
        out = np.concatenate(parts, axis=-1)
        if is_exactly(self.dropout, 0) or not context.training:
            return out
        return np.where(context.uniform(out.shape) < self.dropout, 0.0, out * (1 / (1 - self.dropout)))

    def _size(self, column: InputColumn) -> int:
        """How many numbers represent an entry of a column."""
        return min(LARGEST, round(1.6 * len(column.entries) ** 0.56)) if self.size == "auto" else self.size

    def tables(self) -> Iterator[tuple[str, InputColumn]]:
        """The name of the param of each column with a trained vector for each entry."""
        taken: set[str] = set()
        for column in self.columns:
            if column.is_indexed:
                name = re.sub(r"\W+", "_", column.name)
                while name in taken:
                    name += "_"
                taken.add(name)
                yield name, column


def _parts(columns: Columns) -> list[InputColumn | slice]:
    """The columns with vectors and, between them, the unchanged inputs side by side in one slice: a wide
    table would compile slowly with one slice per column.
    """
    parts: list[InputColumn | slice] = []
    for column in columns:
        if column.is_indexed:
            parts.append(column)
        elif parts and isinstance(parts[-1], slice) and parts[-1].stop == column.start:
            parts[-1] = slice(parts[-1].start, column.start + column.size)
        else:
            parts.append(slice(column.start, column.start + column.size))
    return parts


def _indices(x: Array, column: InputColumn) -> Array:
    """The indices (B,) of a category, or (B, words) of a text."""
    if column.kind != "text":
        return np.astype(x[:, column.start], "i32")
    return np.astype(x[:, column.start : column.start + column.size], "i32")


def _vectors(x: Array, column: InputColumn, table: Array) -> Array:
    """The vectors (B, size) of a category; for text the mean of its words' vectors, 0 without words."""
    indices = _indices(x, column)
    found = np.take(table, indices, axis=0)
    if column.kind != "text":
        return found
    is_word = np.astype(indices > 0, found.dtype)
    return np.sum(found * is_word[..., None], axis=1) / np.maximum(np.sum(is_word, axis=1), 1.0)[:, None]
