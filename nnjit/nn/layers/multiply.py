"""`multiply`: the product of several arrays, as for a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise


@layers.register
class Multiply(Elementwise):
    """x₁ · x₂ · …, element by element, all of one shape."""

    type: Literal["multiply"] = "multiply"
    takes_many: ClassVar[bool] = True

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        product = inputs[0]
        for x in inputs[1:]:
            product = product * x
        return product
