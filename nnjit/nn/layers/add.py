"""`add`: the sum of several arrays, as for a residual network's shortcut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise


@layers.register
class Add(Elementwise):
    """x₁ + x₂ + …, all of one shape."""

    type: Literal["add"] = "add"
    takes_many: ClassVar[bool] = True

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        total = inputs[0]
        for x in inputs[1:]:
            total = total + x
        return total
