"""`conv1d`: each place of a signal or sequence, and what is around it, through the same filters."""

from __future__ import annotations

from typing import ClassVar, Literal

from nnjit.nn.layers.shared.convolution import Convolution
from nnjit.nn.layers.shared.layer import layers


@layers.register
class Conv1D(Convolution):
    """activation(Σ x · weight + bias) over the window at each place of a signal (steps, channels)."""

    type: Literal["conv1d"] = "conv1d"
    axes: ClassVar[int] = 1
