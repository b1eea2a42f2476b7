"""`attention`: every step of a sequence reads all others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import AnyInitializer, GlorotUniform, Zeros
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer, layers
from nnjit.nn.layers.shared.masking import mask_of
from nnjit.registry import Count

PARTS = ("query", "key", "value")
PADDED = -1e9  # the score of padding: finite, so an example of padding alone does not divide by 0


@layers.register
class Attention(TrainedLayer):
    """softmax(Q Kᵀ / √d) V for each head, then @ output_weight + output_bias, for inputs (steps, features).

    Q, K and V are x @ weight + bias, each with its own weights. Each head reads its own d = features / heads
    columns; the results of the heads are concatenated before the last product.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.
    """

    type: Literal["attention"] = "attention"
    also_called: ClassVar[tuple[str, ...]] = ("self_attention", "multi_head_attention", "multihead_attention")
    heads: Count = 1
    """The number of heads, which share the features equally."""
    causal: bool = False
    """Whether each step reads only itself and earlier steps."""
    mask_value: float | None = None
    """Steps whose features all have this value in the unscaled data are padding, as in `lstm`: no step reads
    them, and their output is zero. null means no padding."""
    weight_initializer: AnyInitializer = GlorotUniform()
    """The initial weights."""
    bias_initializer: AnyInitializer = Zeros()
    """The initial biases."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) != 2:
            raise GraphError(f"attention takes inputs of shape (steps, features), got {x}")
        if x[1] % self.heads:
            raise GraphError(f"attention: {self.heads} heads do not divide {x[1]} features")
        return x

    def keeps_steps(self, *inputs: Shape) -> bool:
        return True

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        size = inputs[0][1]
        pairs = [
            (
                Param(f"{part}_weight", (size, size), self.weight_initializer, penalized=True),
                Param(f"{part}_bias", (size,), self.bias_initializer, penalized=False),
            )
            for part in (*PARTS, "output")
        ]
        return tuple(param for pair in pairs for param in pair)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        rows, (steps, size) = np.shape(x)[0], static(np.shape(x)[1:])
        query, key, value = (self._split(_projected(x, params, part)) for part in PARTS)
        scores = np.matmul(query, np.swapaxes(key, -1, -2)) * (1 / math.sqrt(size // self.heads))
        keep = mask_of(x, self.mask_value, context)
        if keep is not None:
            scores = np.where(np.reshape(keep, (rows, 1, 1, steps)) > 0, scores, PADDED)
        if self.causal:
            later = np.arange(steps)[None, :] > np.arange(steps)[:, None]
            scores = np.where(later, -np.inf, scores)
        found = np.matmul(np.softmax(scores), value)
        whole = np.reshape(np.swapaxes(found, 1, 2), (rows, steps, size))
        output = _projected(whole, params, "output")
        return output if keep is None else output * keep

    def _split(self, x: Any) -> Any:
        """Split x (B, steps, features) into the heads' parts (B, heads, steps, d)."""
        rows, steps, _ = np.shape(x)
        return np.swapaxes(np.reshape(x, (rows, steps, self.heads, -1)), 1, 2)


def _projected(x: Any, params: Mapping[str, Array], part: str) -> Any:
    return np.matmul(x, params[f"{part}_weight"]) + params[f"{part}_bias"]
