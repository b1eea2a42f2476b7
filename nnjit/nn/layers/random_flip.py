"""`random_flip`: mirror some images in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.augmenting import Augmenting
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Number


@layers.register
class RandomFlip(Augmenting):
    """In training, mirror each image with probability `rate`.

    With both directions, each is drawn independently: at rate 0.5, a quarter of the images is turned by 180°.
    """

    type: Literal["random_flip"] = "random_flip"
    formula: ClassVar[str] = "in training, an image or its mirror image"
    direction: Literal["horizontal", "vertical", "both"] = "horizontal"
    """`horizontal` swaps left and right, `vertical` top and bottom."""
    rate: Number = Field(0.5, ge=0, le=1)
    """The probability of each direction, 0 <= rate <= 1."""

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if not context.training or is_exactly(self.rate, 0):
            return x
        axes = {"horizontal": (2,), "vertical": (1,), "both": (1, 2)}[self.direction]
        # One draw for both: a second one in this step would give the same numbers.
        is_flipped = context.uniform((x.shape[0], *(1,) * (x.ndim - 1), len(axes))) < self.rate
        for k, axis in enumerate(axes):
            x = np.where(is_flipped[..., k], np.flip(x, axis), x)
        return x
