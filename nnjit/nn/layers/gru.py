"""`gru`: a recurrent layer with two gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import call, columns, joined, partial, symbol
from nnjit.nn.layers.shared.cell import DELTA, Carried, Cell
from nnjit.nn.layers.shared.layer import Param, layers
from nnjit.nn.layers.shared.recurrent import Recurrent
from nnjit.nn.notation.recurrence import Step


@layers.register
class GRU(Recurrent):
    """r, z = σ(x W + b + h U + c), n = tanh(x W + b + r (h U + c)), h ← n + z (h - n), each with its part.

    W is the weight, U the recurrent weight, b the bias and c the recurrent bias. Their three parts are in the
    order r, z, n, and the reset gate works on the product, as PyTorch has it.

    Reference: Cho et al. 2014, arXiv:1406.1078.
    """

    type: Literal["gru"] = "gru"
    gates: ClassVar[int] = 3

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        *weights, bias = super().params(*inputs)
        return (*weights, bias, Param("recurrent_bias", bias.shape, bias.initializer, penalized=False))

    def _steps(self) -> Cell:
        r, z, n, own, given = (symbol(f"{letter}ₜ") for letter in "rznus")
        u, before = symbol("U"), symbol("hₜ₋₁")
        xs, us = ([columns(x, k * self.units, (k + 1) * self.units) for k in range(3)] for x in (given, own))
        forward = (
            Step(own, before @ u + symbol("c"), (3 * self.units,)),
            Step(r, call("sigmoid", xs[0] + us[0]), (self.units,)),
            Step(z, call("sigmoid", xs[1] + us[1]), (self.units,)),
            Step(n, call("tanh", xs[2] + r * us[2]), (self.units,)),
        )
        hidden = Carried("h", n + z * (before - n), kept="z")
        of_h, of_n, of_own = partial(hidden.at("ₜ")), symbol("νₜ"), symbol("εₜ")
        of_r, of_z = of_n * us[2] * (r * (1 - r)), of_h * (before - n) * (z * (1 - z))
        backward = (
            Step(of_n, of_h * (1 - z) * (1 - n**2), (self.units,)),
            Step(DELTA, joined(of_r, of_z, of_n), (3 * self.units,)),
            Step(of_own, joined(of_r, of_z, of_n * r), (3 * self.units,)),
        )
        return Cell(forward, (hidden,), backward, of_own)

    def _words(self) -> dict[str, str]:
        return super()._words() | {"εₜ, νₜ": "∂C/∂uₜ, and ∂C/∂ what nₜ is the tanh of, before any mask"}

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        (h,) = state
        own = np.matmul(h, params["recurrent_weight"]) + params["recurrent_bias"]
        r, z = (np.sigmoid(self._gate(given, k) + self._gate(own, k)) for k in (0, 1))
        n = np.tanh(self._gate(given, 2) + r * self._gate(own, 2))
        return (n + z * (h - n),)
