"""The base class of layers that change images only in training, each image by its own draw."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Layer
from nnjit.registry import Count, Index


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Sizes = Annotated[Count | tuple[Count, Count], BeforeValidator(_pair)]
"""[height, width], or one number for both; each >= 1."""
Pixels = Annotated[Index | tuple[Index, Index], BeforeValidator(_pair)]
"""[of the height, of the width], or one number for both; each >= 0."""


class Augmenting(Layer):
    """Images of shape (height, width) or (height, width, channels)."""

    def output_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) not in (2, 3):
            raise GraphError(
                f"{self.type} takes images of shape (height, width) or (height, width, channels), got "
                f"{inputs[0]}; put a reshape before it"
            )
        return inputs[0]


def both(given: int | tuple[int, int]) -> tuple[int, int]:
    """The numbers for height and width."""
    return (given, given) if isinstance(given, int) else given


def sides(x: Array) -> tuple[int, int]:
    """Height and width of images (B, H, W, …)."""
    height, width = static(np.shape(x)[1:3])
    return height, width


def drawn(u: Array, count: int) -> Any:
    """Map uniform numbers u in [0, 1) to whole numbers from 0 to `count` - 1."""
    return np.astype(np.floor(u * count), "i32")


def moved(x: Array, down: Array, right: Array, size: tuple[int, int], fill: float) -> Any:
    """Windows (B, *size, …) of images (B, H, W, …), with corners at `down`, `right`; `fill` outside.

    Args:
        down, right: (B,) whole numbers, one for each image.
    """
    height, width = sides(x)
    count, rest = x.shape[0], static(np.shape(x)[3:])
    ones = (1,) * len(rest)
    rows, columns = (
        np.arange(length) + np.astype(start, "i32")[:, None]
        for length, start in zip(size, (down, right), strict=True)
    )
    place = np.clip(rows, 0, height - 1)[:, :, None] * width + np.clip(columns, 0, width - 1)[:, None, :]
    flat = np.reshape(x, (count, height * width, *rest))
    index = np.reshape(place, (count, math.prod(size), *ones))
    found = np.reshape(np.take_along_axis(flat, index, axis=1), (count, *size, *rest))
    is_row, is_column = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
    is_inside = is_row[:, :, None] & is_column[:, None, :]
    return np.where(np.reshape(is_inside, (count, *size, *ones)), found, fill)
