"""`scale`: a fixed linear function of each element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise
from nnjit.registry import Number


@layers.register
class Scale(Elementwise):
    """factor * x + offset, with two constants.

    Pixels of 0 to 255 become 0 to 1 by `factor: 0.00392157`, which is 1/255.
    """

    type: Literal["scale"] = "scale"
    also_called: ClassVar[tuple[str, ...]] = ("rescaling",)
    factor: Number = 1.0
    """Multiplies each element."""
    offset: Number = 0.0
    """Added to the product."""

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return x * self.factor + self.offset
