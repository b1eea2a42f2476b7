"""`activation`: a function of each element, or of the last axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise


@layers.register
class ActivationLayer(Elementwise):
    """function(x), for x of any shape."""

    type: Literal["activation"] = "activation"
    also_called: ClassVar[tuple[str, ...]] = tuple(ACTIVATIONS)
    function: ActivationName
    """The function to apply."""

    def without_activation(self) -> Self:
        return self.model_copy(update={"function": "identity"})

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return ACTIVATIONS[self.function](x)
