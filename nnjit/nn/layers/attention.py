"""`attention`: every step of a sequence reads all others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import Formula, G, X, at, call, over_last, over_rows, partial, symbol
from nnjit.nn.initializers import AnyInitializer, GlorotUniform, Zeros
from nnjit.nn.layers.shared.layer import Context, Layer, Param, layers
from nnjit.nn.layers.shared.masking import IS_DATA, is_data
from nnjit.nn.notation.recurrence import Recurrence, Step, letter

PARTS = ("query", "key", "value")
MASK = symbol("m")
PADDED = -1e9  # the score of padding: finite, lest an example of nothing else be divided by 0


@layers.register
class Attention(Layer):
    """softmax(Q Kᵀ / √d) V @ output_weight + output_bias for each head, of inputs (steps, features).

    Q, K and V are x @ weight + bias with weights of their own, of which each head reads its own d columns,
    d = features / heads; the heads' results are side by side before the last product.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.
    """

    type: Literal["attention"] = "attention"
    also_called: ClassVar[tuple[str, ...]] = ("self_attention", "multi_head_attention", "multihead_attention")
    heads: int = Field(1, ge=1)
    """How many heads there are; they divide the features among them."""
    causal: bool = False
    """Whether a step reads only itself and the steps before it."""
    mask_value: float | None = None
    """Steps whose features all have this value are padding: no step reads them, their output is zero. null
    means that there is no padding."""
    weight_initializer: AnyInitializer = GlorotUniform()
    """How the weights begin."""
    bias_initializer: AnyInitializer = Zeros()
    """How the biases begin."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) != 2:
            raise GraphError(f"attention takes inputs of shape (steps, features), got {x}")
        if x[1] % self.heads:
            raise GraphError(f"attention: {self.heads} heads do not divide {x[1]} features")
        return x

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

    def recurrence(self, *inputs: Shape) -> Recurrence:
        (x,) = inputs
        kinds, names = ("weight", "bias"), (*PARTS, "output")
        w, b = ({part: symbol(letter(f"{part}_{kind}")) for part in names} for kind in kinds)
        whole = [symbol(name) for name in "QKVH"]
        parts = zip(whole, PARTS, strict=False)
        forward = (*(Step(q, X @ w[part] + b[part], x) for q, part in parts), *self._head_forward(x))
        g = self._of_data(G)
        backward = (Step(partial(whole[-1]), g @ w["output"].T, x), *self._head_backward(x))
        handed = dict(zip(names, (*map(partial, whole[:3]), g), strict=True))
        taken = dict.fromkeys(PARTS, X) | {"output": whole[-1]}
        gradients = {f"{part}_weight": taken[part].T @ g for part, g in handed.items()}
        gradients |= {f"{part}_bias": over_rows(g) for part, g in handed.items()}
        first, *rest = (handed[part] @ w[part].T for part in PARTS)
        said = {"Q, K, V, S, P, H": "of each example a matrix, so that Q Kᵀ is steps × steps"}
        said |= {"Q[h]": "its columns for head h, an equal part of them"} if self.heads > 1 else {}
        if self.mask_value is not None:
            forward = (Step(MASK, call("is_data", X), (x[0], 1)), *forward)
            said |= IS_DATA | {"masked(S)": "S, but −10⁹ where a step would read one of padding"}
        said |= {"causal(S)": "S, but −∞ where a step would read a later one"} if self.causal else {}
        return Recurrence(
            self._of_data(whole[-1] @ w["output"] + b["output"]), (sum(rest, first),), gradients,
            words=said, forward=forward, backward=backward,
        )  # fmt: skip

    def _head_forward(self, x: Shape) -> tuple[Step, ...]:
        """From Q, K and V to H, of each head."""
        query, key, value, score, share, found = map(self._of_head, "QKVSPH")
        product, square = self._scale(x[1]) * (query @ key.T), (x[0], x[0])
        product = product if self.mask_value is None else call("masked", product)
        return (
            Step(score, call("causal", product) if self.causal else product, square),
            Step(share, call("softmax", score), square),
            Step(found, share @ value, (x[0], x[1] // self.heads)),
        )

    def _head_backward(self, x: Shape) -> tuple[Step, ...]:
        """From ∂C/∂H to the derivatives by Q, K and V, of each head."""
        query, key, value, score, share, found = map(self._of_head, "QKVSPH")
        scale, own = self._scale(x[1]), (x[0], x[1] // self.heads)
        of_share = partial(found) @ value.T
        return (
            Step(partial(value), share.T @ partial(found), own),
            Step(partial(score), share * (of_share - over_last(share * of_share)), (x[0], x[0])),
            Step(partial(query), scale * (partial(score) @ key), own),
            Step(partial(key), scale * (partial(score).T @ query), own),
        )

    def _of_data(self, x: Formula) -> Formula:
        """X, but 0 at the steps of padding."""
        return x if self.mask_value is None else MASK * x

    def _of_head(self, name: str) -> Formula:
        return symbol(name) if self.heads == 1 else at(symbol(name), "h")

    def _scale(self, features: int) -> float:
        return 1 / math.sqrt(features // self.heads)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        rows, (steps, size) = np.shape(x)[0], static(np.shape(x)[1:])
        query, key, value = (self._split(_projected(x, params, part)) for part in PARTS)
        scores = np.matmul(query, np.swapaxes(key, -1, -2)) * self._scale(size)
        keep = None if self.mask_value is None else is_data(x, self.mask_value)
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
        """The parts (B, heads, steps, d) that the heads read of x (B, steps, features)."""
        rows, steps, _ = np.shape(x)
        return np.swapaxes(np.reshape(x, (rows, steps, self.heads, -1)), 1, 2)


def _projected(x: Any, params: Mapping[str, Array], part: str) -> Any:
    return np.matmul(x, params[f"{part}_weight"]) + params[f"{part}_bias"]
