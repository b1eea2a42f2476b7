"""`add`: the sum of several arrays, as a residual network's shortcut needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers


@layers.register
class Add(Layer):
    """x₁ + x₂ + …, all of one shape."""

    type: Literal["add"] = "add"
    takes_many: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        for shape in inputs[1:]:
            if shape != inputs[0]:
                raise GraphError(f"add takes inputs of one shape, got {inputs[0]} and {shape}")
        return inputs[0]

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        total = inputs[0]
        for x in inputs[1:]:
            total = total + x
        return total
