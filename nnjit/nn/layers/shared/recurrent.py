"""The base class of recurrent layers: a cell that carries a state from step to step.

One product serves the inputs of all steps. Only what depends on the state is computed step by step, in a loop
compiled once, whatever its length.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import nnjit.numpy as np
from nnjit.autodiff import scan
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import AnyInitializer, GlorotUniform, Orthogonal, Zeros
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer
from nnjit.nn.layers.shared.masking import mask_of
from nnjit.registry import Count


class Recurrent(TrainedLayer):
    """A state of `units` numbers, zero before the first step, over inputs (steps, features)."""

    gates: ClassVar[int]
    """How many vectors of `units` numbers a cell computes from its input, and as many from its state."""
    states: ClassVar[int] = 1
    """How many vectors are carried from step to step; the first is the output."""

    units: Count
    """The size of the state, >= 1."""
    return_sequences: bool = False
    """Whether to return the output of every step (steps, units) instead of the last one (units,)."""
    reverse: bool = False
    """Whether to begin with the last step."""
    mask_value: float | None = None
    """Steps whose features all have this value in the unscaled data are padding: the state does not change,
    and the output is zero. The mask goes with the sequence through layers that keep its steps. 0 also takes
    the mask of an `embedding` with a `padding_index` or of an earlier masked layer. null means no padding."""
    weight_initializer: AnyInitializer = GlorotUniform()
    """The initial weights of the inputs."""
    recurrent_initializer: AnyInitializer = Orthogonal()
    """The initial recurrent weights."""
    bias_initializer: AnyInitializer = Zeros()
    """The initial biases."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) != 2:
            raise GraphError(
                f"{self.type} takes inputs of shape (steps, features), got {x}; put a reshape before it"
            )
        return (x[0], self.units) if self.return_sequences else (self.units,)

    def keeps_steps(self, *inputs: Shape) -> bool:
        return self.return_sequences

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        size, width = inputs[0][1], self.gates * self.units
        return (
            Param("weight", (size, width), self.weight_initializer, penalized=True),
            Param("recurrent_weight", (self.units, width), self.recurrent_initializer, penalized=True),
            Param("bias", (width,), self.bias_initializer, penalized=False),
        )

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        given, bias = np.matmul(x, params["weight"]), params["bias"]
        zero = np.zeros_like(given[:, 0, : self.units])
        keep = mask_of(x, self.mask_value, context)

        def step(state: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
            after = self._cell(now[0] + bias, state, params)
            if keep is None:
                return after, after[0]
            after = tuple(s + now[1] * (a - s) for s, a in zip(state, after, strict=True))
            return after, now[1] * after[0]

        stacks = (given,) if keep is None else (given, keep)
        last, every = scan(step, (zero,) * self.states, stacks, reverse=self.reverse, axis=1)
        return every if self.return_sequences else last[0]

    @abstractmethod
    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        """The state after a step.

        Args:
            given: (B, gates · units), the products of the cell's input, with the bias.
            state: each (B, units).
        """

    def _gate(self, sums: Any, k: int) -> Any:
        return sums[:, k * self.units : (k + 1) * self.units]
