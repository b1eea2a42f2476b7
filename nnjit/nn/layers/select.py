"""`select`: some columns of the data, or of a layer's output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers
from nnjit.registry import Index


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


@layers.register
class Select(Layer):
    """The elements x[…, columns] of the last axis.

    `columns: [2, 5]` selects the three columns 2, 3 and 4 and keeps the axis (…, 3). `columns: 2` selects one
    and drops the axis (…,), as in NumPy: so an `embedding` can take a column of the data.
    """

    type: Literal["select"] = "select"
    only_moves: ClassVar[bool] = True
    columns: Annotated[Index | tuple[Index, Index], BeforeValidator(_pair)]
    """One column, counted from 0, or [first, end), without the end."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not x:
            raise GraphError("select takes at least one axis of an example, got ()")
        first, end = (self.columns, self.columns + 1) if isinstance(self.columns, int) else self.columns
        if not first < end <= x[-1]:
            given = self.columns if isinstance(self.columns, int) else list(self.columns)
            raise GraphError(
                f"select takes columns of the {x[-1]} in inputs of shape {x}, one from 0 to {x[-1] - 1} or "
                f"[first, end) with first < end <= {x[-1]}, got {given}"
            )
        return x[:-1] if isinstance(self.columns, int) else (*x[:-1], end - first)

    def keeps_steps(self, *inputs: Shape) -> bool:
        return len(inputs[0]) > 1

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return x[..., self.columns if isinstance(self.columns, int) else slice(*self.columns)]
