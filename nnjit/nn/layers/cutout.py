"""`cutout`: in training, blank out a rectangle of each image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.augmenting import Augmenting, Sizes, both, drawn, sides
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Number


@layers.register
class Cutout(Augmenting):
    """In training, fill a rectangle of each image with `fill`, with probability `rate`.

    Its centre is equally likely at each pixel, so it may reach beyond the edges, as in the paper.
    Reference: DeVries & Taylor 2017, arXiv:1708.04552.
    """

    type: Literal["cutout"] = "cutout"
    formula: ClassVar[str] = "in training, an image with a blank rectangle"
    size: Sizes
    """[height, width] of the rectangle in pixels, or one number for both."""
    rate: Number = Field(1.0, ge=0, le=1)
    """The probability that an image gets one, 0 <= rate <= 1."""
    fill: float = 0.0
    """The value of its pixels, after scaling; 0 is black for images scaled by `unit`."""

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if not context.training or is_exactly(self.rate, 0):
            return x
        u = context.uniform((x.shape[0], 3))  # a second draw in this step would give the same numbers
        is_blank = (u[:, 2] < self.rate)[:, None, None]
        for axis, (length, own) in enumerate(zip(sides(x), both(self.size), strict=True)):
            place = np.arange(length) - (drawn(u[:, axis], length) - own // 2)[:, None]
            is_in = (place >= 0) & (place < own)
            is_blank = is_blank & (is_in[:, :, None] if axis == 0 else is_in[:, None, :])
        return np.where(is_blank if x.ndim == 3 else is_blank[..., None], self.fill, x)
