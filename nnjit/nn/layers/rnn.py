"""`rnn`: the simple recurrent layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import layers
from nnjit.nn.layers.shared.recurrent import Recurrent


@layers.register
class RNN(Recurrent):
    """h ← activation(x @ weight + h @ recurrent_weight + bias).

    Reference: Elman 1990, Finding structure in time.
    """

    type: Literal["rnn"] = "rnn"
    also_called: ClassVar[tuple[str, ...]] = ("simple_rnn", "elman")
    gates: ClassVar[int] = 1

    activation: ActivationName = "tanh"
    """The function applied to the sums."""

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        (h,) = state
        return (ACTIVATIONS[self.activation](given + np.matmul(h, params["recurrent_weight"])),)
