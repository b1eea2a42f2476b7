"""`lstm`: a recurrent layer with a gated memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Altered
from nnjit.nn.layers.shared.base import Param, layers
from nnjit.nn.layers.shared.recurrent import Recurrent
from nnjit.registry import Number


@layers.register
class LSTM(Recurrent):
    """i, f, o = σ(…), g = tanh(…), of x @ weight + h @ recurrent_weight + bias; c ← f c + i g, h ← o tanh(c).

    The four parts of weights and bias are in the order i, f, g, o, as in PyTorch, whose two biases are one
    here.

    Reference: Hochreiter & Schmidhuber 1997; the forget gate, Gers et al. 2000.
    """

    type: Literal["lstm"] = "lstm"
    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2

    forget_bias: Number = 1.0
    """Added to the initial bias of the forget gate, so that memory lasts at first.

    Reference: Jozefowicz et al. 2015.
    """

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        *weights, bias = super().params(*inputs)
        first, amount = self.bias_initializer, self.forget_bias
        raised = Altered(first=first, start=self.units, end=2 * self.units, amount=amount)
        return (*weights, Param(bias.name, bias.shape, raised, bias.penalized))

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        h, c = state
        sums = given + np.matmul(h, params["recurrent_weight"])
        i, f, o = (np.sigmoid(self._gate(sums, k)) for k in (0, 1, 3))
        c = f * c + i * np.tanh(self._gate(sums, 2))
        return o * np.tanh(c), c
