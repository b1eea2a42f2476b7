"""`random_shift`: move images by some pixels in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nnjit.nn.array import Array
from nnjit.nn.layers.shared.augmenting import Augmenting, Pixels, both, drawn, moved, sides
from nnjit.nn.layers.shared.base import Context, layers


@layers.register
class RandomShift(Augmenting):
    """In training, shift each image up or down and left or right by whole pixels.

    All distances up to the largest are equally likely. New pixels at the edges are `fill`.
    """

    type: Literal["random_shift"] = "random_shift"
    formula: ClassVar[str] = "in training, an image moved by some pixels"
    pixels: Pixels | None = None
    """The largest distance in pixels, vertically and horizontally, or one number for both."""
    fraction: float | None = Field(None, ge=0, le=1)
    """The largest distance as a fraction of height and width, instead of `pixels`."""
    fill: float = 0.0
    """The value of new pixels, after scaling; 0 is black for images scaled by `unit`."""

    @model_validator(mode="after")
    def _has_one_distance(self) -> Self:
        if (self.pixels is None) == (self.fraction is None):
            raise ValueError("give the largest distance either as pixels or as fraction")
        return self

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        most = self._most(x)
        if not context.training or most == (0, 0):
            return x
        u = context.uniform((x.shape[0], 2))  # a second draw in this step would give the same numbers
        down, right = (drawn(u[:, k], 2 * most[k] + 1) - most[k] for k in range(2))
        shifted: Array = moved(x, down, right, sides(x), self.fill)
        return shifted

    def _most(self, x: Array) -> tuple[int, int]:
        """The largest distance along height and width."""
        if self.pixels is not None:
            return both(self.pixels)
        assert self.fraction is not None  # as validated
        height, width = sides(x)
        return round(self.fraction * height), round(self.fraction * width)
