"""The base class of layers that compute each element from the inputs' elements at the same position."""

from __future__ import annotations

from nnjit.errors import GraphError
from nnjit.nn.array import Shape
from nnjit.nn.layers.shared.base import Layer


class Elementwise(Layer):
    """Inputs of one shape, also the output's."""

    def output_shape(self, *inputs: Shape) -> Shape:
        for shape in inputs[1:]:
            if shape != inputs[0]:
                raise GraphError(f"{self.type} takes inputs of the same shape, got {inputs[0]} and {shape}")
        return inputs[0]

    def keeps_steps(self, *inputs: Shape) -> bool:
        return True
