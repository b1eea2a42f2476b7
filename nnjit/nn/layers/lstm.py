"""`lstm`: a recurrent layer with a memory behind gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import call, columns, joined, partial, symbol
from nnjit.nn.initializers import Altered
from nnjit.nn.layers.shared.cell import DELTA, Carried, Cell
from nnjit.nn.layers.shared.layer import Param, layers
from nnjit.nn.layers.shared.recurrent import Recurrent
from nnjit.nn.notation.recurrence import Step


@layers.register
class LSTM(Recurrent):
    """i, f, o = σ(…), g = tanh(…), of x @ weight + h @ recurrent_weight + bias; c ← f c + i g, h ← o tanh(c).

    The four parts of weights and bias are in the order i, f, g, o, as PyTorch has them; PyTorch's two biases
    are one.

    Reference: Hochreiter & Schmidhuber 1997; the forget gate, Gers et al. 2000.
    """

    type: Literal["lstm"] = "lstm"
    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    forget_bias: float = 1.0
    """What is added to the first bias of the forget gate, so that the memory lasts at the beginning.

    Reference: Jozefowicz et al. 2015.
    """

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        *weights, bias = super().params(*inputs)
        first, amount = self.bias_initializer, self.forget_bias
        raised = Altered(first=first, start=self.units, end=2 * self.units, amount=amount)
        return (*weights, Param(bias.name, bias.shape, raised, bias.penalized))

    def _steps(self) -> Cell:
        i, f, g, o, h, c = (symbol(f"{letter}ₜ") for letter in "ifgohc")
        sums, before = symbol("zₜ"), symbol("cₜ₋₁")
        parts = [columns(sums, k * self.units, (k + 1) * self.units) for k in range(4)]
        functions = ("sigmoid", "sigmoid", "tanh", "sigmoid")
        gates = zip((i, f, g, o), functions, parts, strict=True)
        squashed = call("tanh", c)
        forward = (
            Step(sums, symbol("sₜ") + symbol("hₜ₋₁") @ symbol("U"), (4 * self.units,)),
            *(Step(gate, call(function, part), (self.units,)) for gate, function, part in gates),
        )
        carried = (
            Carried("h", o * squashed),
            Carried("c", f * before + i * g, partial(h) * o * (1 - squashed**2), kept="f"),
        )
        of_c = partial(c)
        slopes = joined(
            of_c * g * (i * (1 - i)),
            of_c * before * (f * (1 - f)),
            of_c * i * (1 - g**2),
            partial(h) * squashed * (o * (1 - o)),
        )
        return Cell(forward, carried, (Step(DELTA, slopes, (4 * self.units,)),), DELTA)

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        h, c = state
        sums = given + np.matmul(h, params["recurrent_weight"])
        i, f, o = (np.sigmoid(self._gate(sums, k)) for k in (0, 1, 3))
        c = f * c + i * np.tanh(self._gate(sums, 2))
        return o * np.tanh(c), c
