"""`conv2d`: each place of a image, and what is around it, through the same filters."""

from __future__ import annotations

from typing import ClassVar, Literal

from nnjit.nn.layers.shared.convolution import Convolution
from nnjit.nn.layers.shared.layer import layers


@layers.register
class Conv2D(Convolution):
    """activation(Σ x · weight + bias) over the window at each place of an image (height, width, channels)."""

    type: Literal["conv2d"] = "conv2d"
    also_called: ClassVar[tuple[str, ...]] = ("conv", "convolution")
    axes: ClassVar[int] = 2
