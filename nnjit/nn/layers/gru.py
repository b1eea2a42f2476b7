"""`gru`: a recurrent layer with two gates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Param, layers
from nnjit.nn.layers.shared.recurrent import Recurrent


@layers.register
class GRU(Recurrent):
    """r, z = σ(x W + b + h U + c), n = tanh(x W + b + r (h U + c)), h ← n + z (h - n), each with its part.

    W is the weight, U the recurrent weight, b the bias and c the recurrent bias. Their three parts are in the
    order r, z, n, and the reset gate acts on the product, as in PyTorch.

    Reference: Cho et al. 2014, arXiv:1406.1078.
    """

    type: Literal["gru"] = "gru"
    gates: ClassVar[int] = 3

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        *weights, bias = super().params(*inputs)
        return (*weights, bias, Param("recurrent_bias", bias.shape, bias.initializer, penalized=False))

    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        (h,) = state
        own = np.matmul(h, params["recurrent_weight"]) + params["recurrent_bias"]
        r, z = (np.sigmoid(self._gate(given, k) + self._gate(own, k)) for k in (0, 1))
        n = np.tanh(self._gate(given, 2) + r * self._gate(own, 2))
        return (n + z * (h - n),)
