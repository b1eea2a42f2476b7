"""`concat`: several arrays side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers


@layers.register
class Concat(Layer):
    """The inputs concatenated along their last axis; their other axes must be equal."""

    type: Literal["concat"] = "concat"
    also_called: ClassVar[tuple[str, ...]] = ("concatenate", "cat")
    takes_many: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        for shape in inputs:
            if not shape or len(shape) != len(first) or shape[:-1] != first[:-1]:
                raise GraphError(
                    f"concat takes inputs that differ only in the last axis, got {first} and {shape}"
                )
        return (*first[:-1], sum(shape[-1] for shape in inputs))

    def keeps_steps(self, *inputs: Shape) -> bool:
        return len(inputs[0]) > 1

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        return np.concatenate(inputs, axis=-1)
