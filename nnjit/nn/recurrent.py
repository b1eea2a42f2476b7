"""What the recurrent layers share: a state that goes from step to step through a cell.

What the cell reads of its input is one product for all steps; only what depends on the state is computed step
by step, in a loop that is compiled once, whatever its length.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

import nnjit.numpy as np
from nnjit.autodiff import scan
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.formula import Formula, X, at_step, call, over_rows, over_steps, symbol
from nnjit.nn.initializers import AnyInitializer, GlorotUniform, Orthogonal, Zeros
from nnjit.nn.layer import Context, Layer, Param
from nnjit.nn.masking import is_data
from nnjit.nn.recurrence import Recurrence, Step

DELTA = symbol("δₜ")  # ∂C/∂s of a step, s being what it reads of its input


@dataclass(frozen=True)
class Cell:
    """A step of a recurrent layer as formulas.

    Args:
        forward, backward: its lines behind that of s = x W + b; ∂C/∂h of the step begins with `at_step(G)`.
        of_state: ∂C/∂ the product of the state, in the columns of the recurrent weight.
    """

    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    of_state: Formula


class Recurrent(Layer):
    """A state of `units` numbers, zero before the first step, of inputs (steps, features)."""

    gates: ClassVar[int]
    """How many vectors of `units` numbers a cell computes of its input, and as many of its state."""
    states: ClassVar[int] = 1
    """How many vectors go from step to step; the first is the output."""

    units: int = Field(ge=1)
    """How many numbers the state has, >= 1."""
    return_sequences: bool = False
    """Whether the output is that of every step (steps, units); else that of the last one (units,)."""
    reverse: bool = False
    """Whether it begins with the last step."""
    mask_value: float | None = None
    """Steps whose features all have this value are padding: the state stays as it is, the output is zero.
    null means that there is no padding."""
    weight_initializer: AnyInitializer = GlorotUniform()
    """How the weights of the inputs begin."""
    recurrent_initializer: AnyInitializer = Orthogonal()
    """How the weights of the state begin."""
    bias_initializer: AnyInitializer = Zeros()
    """How the biases begin."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) != 2:
            raise GraphError(
                f"{self.type} takes inputs of shape (steps, features), got {x}; put a reshape before it"
            )
        return (x[0], self.units) if self.return_sequences else (self.units,)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        size, width = inputs[0][1], self.gates * self.units
        return (
            Param("weight", (size, width), self.weight_initializer, penalized=True),
            Param("recurrent_weight", (self.units, width), self.recurrent_initializer, penalized=True),
            Param("bias", (width,), self.bias_initializer, penalized=False),
        )

    def recurrence(self, *inputs: Shape) -> Recurrence | None:
        if self.mask_value is not None:
            return None
        cell, x = self._steps(), at_step(X)
        before = symbol("hₜ₋₁")
        gradients = {
            "weight": over_steps(x.T @ DELTA),
            "recurrent_weight": over_steps(before.T @ cell.of_state),
            "bias": over_steps(over_rows(DELTA)),
            "recurrent_bias": over_steps(over_rows(cell.of_state)),
        }
        own = {param.name: gradients[param.name] for param in self.params(*inputs)}
        note = f"t counts the steps{' from the last to the first' * self.reverse}; the letters of t − 1 and "
        note += "t + 1 are 0 where there is no such step"
        if not self.return_sequences:
            note += "; ∂C/∂a[t] is 0 but for the last one, where it is ∂C/∂a"
        gate = self.gates * self.units
        sums = Step(symbol("sₜ"), x @ symbol("W") + symbol("b"), (gate,))
        back = call("steps", DELTA @ symbol("W").T)
        out = call("steps" if self.return_sequences else "last", symbol("hₜ"))
        return Recurrence(out, (back,), own, note=note, forward=(sums, *cell.forward), backward=cell.backward)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        given = np.matmul(x, params["weight"]) + params["bias"]
        zero = np.zeros_like(given[:, 0, : self.units])
        keep = None if self.mask_value is None else is_data(x, self.mask_value)

        def step(state: tuple[Any, ...], now: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
            after = self._cell(now[0], state, params)
            if keep is None:
                return after, after[0]
            after = tuple(s + now[1] * (a - s) for s, a in zip(state, after, strict=True))
            return after, now[1] * after[0]

        stacks = (given,) if keep is None else (given, keep)
        last, every = scan(step, (zero,) * self.states, stacks, reverse=self.reverse, axis=1)
        return every if self.return_sequences else last[0]

    @abstractmethod
    def _steps(self) -> Cell:
        """`_cell` as formulas, and its derivative."""

    @abstractmethod
    def _cell(self, given: Any, state: tuple[Any, ...], params: Mapping[str, Array]) -> tuple[Any, ...]:
        """The state after a step.

        Args:
            given: (B, gates · units), what the cell reads of its input, with the bias.
            state: each (B, units).
        """

    def _gate(self, sums: Any, k: int) -> Any:
        return sums[:, k * self.units : (k + 1) * self.units]
