"""`conv2d`: the same filters at each position of an image."""

from __future__ import annotations

from typing import ClassVar, Literal

from nnjit.nn.layers.shared.base import layers
from nnjit.nn.layers.shared.convolution import Convolution


@layers.register
class Conv2D(Convolution):
    """activation(Σ x · weight + bias) over a window at each position of images (height, width, channels)."""

    type: Literal["conv2d"] = "conv2d"
    also_called: ClassVar[tuple[str, ...]] = ("conv", "convolution")
    axes: ClassVar[int] = 2
