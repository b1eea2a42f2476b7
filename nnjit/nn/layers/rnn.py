"""`rnn`: the simple recurrent layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array
from nnjit.nn.formula import call, partial, symbol
from nnjit.nn.layers.shared.cell import DELTA, Carried, Cell
from nnjit.nn.layers.shared.layer import layers
from nnjit.nn.layers.shared.recurrent import Recurrent
from nnjit.nn.notation.recurrence import Step


@layers.register
class RNN(Recurrent):
    """h ← activation(x @ weight + h @ recurrent_weight + bias).

    Reference: Elman 1990, Finding structure in time.
    """

    type: Literal["rnn"] = "rnn"
    also_called: ClassVar[tuple[str, ...]] = ("simple_rnn", "elman")
    gates: ClassVar[int] = 1

    activation: ActivationName = "tanh"
    """The function of the sums."""

    def _steps(self) -> Cell:
        h, u, z = symbol("hₜ"), symbol("U"), symbol("zₜ")
        rule = ACTIVATIONS[self.activation].back
        assert rule is not None  # every activation states it
        slope = rule.filled({"g": partial(h), "z": z, "a": h})
        forward = Step(z, symbol("sₜ") + symbol("hₜ₋₁") @ u, (self.units,))
        value = z if self.activation == "identity" else call(self.activation, z)
        return Cell((forward,), (Carried("h", value),), (Step(DELTA, slope, (self.units,)),), DELTA)

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        (h,) = state
        return (ACTIVATIONS[self.activation](given + np.matmul(h, params["recurrent_weight"])),)
