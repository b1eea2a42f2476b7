"""`embedding`: a trained vector for each of a number of things."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Self

import numpy
from pydantic import model_validator

import nnjit.numpy as np
from nnjit.errors import DataError, GraphError, counted
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Altered, AnyInitializer, Initializer, Normal
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer, UsedRows, layers
from nnjit.nn.layers.shared.columns import InputColumn
from nnjit.nn.layers.shared.masking import is_data
from nnjit.registry import Count, Index


@layers.register
class Embedding(TrainedLayer):
    """Row x of a weight (entries, size) for each element x, a whole number from 0 to entries - 1.

    Only rows that a batch uses have a gradient other than 0. Momentum, Adam's means or a penalty would still
    move the others, as a dense gradient does in PyTorch and Keras; `sparse` decides whether they do.
    """

    type: Literal["embedding"] = "embedding"
    entries: Count | None = None
    """The number of entries; inputs are whole numbers from 0 to entries - 1. Omit it if `from` names a
    table's column of categories or text, which knows its number."""
    size: Count
    """The length of each vector."""
    weight_initializer: AnyInitializer = Normal()
    """The initial vectors."""
    padding_index: Index | None = None
    """The number that marks padding: its vector is 0 and not trained, so a later layer with `mask_value: 0`
    skips it."""
    sparse: bool | Literal["auto"] = "auto"
    """Whether a step leaves rows that its batch did not use unchanged, and their optimizer slots too, so it
    takes no longer for a larger table; a penalty then acts on used rows only (PyTorch's `sparse=True`, with
    `SparseAdam`). `auto`: only if the result is the same, as with gradient_descent and adagrad without a
    penalty."""

    @model_validator(mode="after")
    def _padding_is_an_entry(self) -> Self:
        if self.padding_index is not None and self.entries is not None and self.padding_index >= self.entries:
            raise ValueError(
                f"padding_index: expected one of the {self.entries} entries, from 0 to {self.entries - 1}, "
                f"got {self.padding_index}"
            )
        return self

    def of_column(self, column: InputColumn) -> Self:
        if not column.is_indexed:
            kind = f'"{column.name}" is of the kind {column.kind}'
            raise GraphError(f"embedding takes a column of categories or text; {kind}")
        found = len(column.entries)
        if self.entries is not None and self.entries < found:
            raise GraphError(f'column "{column.name}" has {found} entries, got {self.entries}; omit entries')
        padding = 0 if column.kind == "text" and self.padding_index is None else self.padding_index
        return self.model_copy(update={"entries": self.entries or found, "padding_index": padding})

    def output_shape(self, *inputs: Shape) -> Shape:
        if self.entries is None:
            raise GraphError("embedding needs entries, unless from names a column of categories or text")
        return (*inputs[0], self.size)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        begin: Initializer = self.weight_initializer
        if self.padding_index is not None:
            begin = Altered(first=begin, start=self.padding_index, end=self.padding_index + 1, factor=0)
        assert self.entries is not None  # otherwise the output shape is unknown
        return (Param("weight", (self.entries, self.size), begin, penalized=True),)

    def check_data(self, x: numpy.ndarray, where: Callable[[tuple[int, ...]], str]) -> None:
        assert self.entries is not None
        bad = (x < 0) | (x >= self.entries) | (x != numpy.floor(x))
        count = int(bad.sum())
        if count:
            at = tuple(int(k) for k in numpy.argwhere(bad)[0])
            raise DataError(
                f"{where(at)}: expected a whole number from 0 to {self.entries - 1}, got {x[at]:g} "
                f"({counted(count, 'such value')}); "
                "raise entries to the largest number and one more, or correct the data; do not scale it"
            )

    def used_rows(self, *inputs: Array) -> Mapping[str, UsedRows]:
        if self.sparse is False:
            return {}
        return {"weight": UsedRows(np.astype(inputs[0], "i32"), always=self.sparse is True)}

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        found = np.take(params["weight"], np.astype(x, "i32"), axis=0)
        return found if self.padding_index is None else found * is_data(x[..., None], self.padding_index)
