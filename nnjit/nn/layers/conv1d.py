"""`conv1d`: the same filters at each position of a signal or sequence."""

from __future__ import annotations

from typing import ClassVar, Literal

from nnjit.nn.layers.shared.base import layers
from nnjit.nn.layers.shared.convolution import Convolution


@layers.register
class Conv1D(Convolution):
    """activation(Σ x · weight + bias) over a window at each position of signals (steps, channels)."""

    type: Literal["conv1d"] = "conv1d"
    axes: ClassVar[int] = 1
