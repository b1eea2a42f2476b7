"""`activation`: a function of each element, or of the last axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers


@layers.register
class ActivationLayer(Layer):
    """function(x), for x of any shape."""

    type: Literal["activation"] = "activation"
    also_called: ClassVar[tuple[str, ...]] = tuple(ACTIVATIONS)
    function: ActivationName
    """Which function."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return x

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return ACTIVATIONS[self.function](x)
