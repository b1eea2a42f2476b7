"""A recurrent layer's step as formulas, and the lines of its loop that follow from it.

With padding, a carried vector becomes mₜ ⊙ (its new value) + (1 − mₜ) ⊙ (its old one), where mₜ is 0 at a
step of padding, else 1; a derivative by values that only the step itself reads gets the factor mₜ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnjit.nn.formula import Formula, X, at, call, partial, symbol
from nnjit.nn.notation.recurrence import Step

DELTA = symbol("δₜ")  # ∂C/∂sₜ, with sₜ the product of the step's input
MASK = symbol("mₜ")


@dataclass(frozen=True)
class Carried:
    """One of the vectors carried from step to step.

    Args:
        letter: its letter, h of hₜ.
        value: its value after a step.
        slope: ∂C/∂(it) through the rest of its step; None for the output, which has the layer's derivative.
        kept: the letter of the factor with which the next step keeps it; None if not kept.
    """

    letter: str
    value: Formula
    slope: Formula | None = None
    kept: str | None = None

    def at(self, when: str) -> Formula:
        """The vector at step `ₜ`, or at the step before (`ₜ₋₁`) or after (`ₜ₊₁`)."""
        return symbol(self.letter + when)


@dataclass(frozen=True)
class Cell:
    """A step of a recurrent layer.

    Args:
        forward: its lines from s = x W + b to the vectors it carries.
        carried: these vectors, the output first; each may read those after it.
        backward: its lines from their derivatives to `DELTA` and `of_state`.
        of_state: the derivative of C by the state's product, in the columns of the recurrent weight.
        words: the meanings of its own letters.
    """

    forward: tuple[Step, ...]
    carried: tuple[Carried, ...]
    backward: tuple[Step, ...]
    of_state: Formula = DELTA
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unrolled:
    """The lines of a cell at step t of its loop.

    Args:
        width: the width of s, all gates together.
        is_masked: whether some steps are padding.
    """

    cell: Cell
    units: int
    width: int
    is_masked: bool

    def forward(self) -> tuple[Step, ...]:
        """From the step's input to the vectors it carries."""
        x = at(X, "t")
        mask = (Step(MASK, call("is_data", x), (1,)),) if self.is_masked else ()
        sums = Step(symbol("sₜ"), x @ symbol("W") + symbol("b"), (self.width,))
        return (*mask, sums, *self.cell.forward, *map(self._value, reversed(self.cell.carried)))

    def backward(self, output: Formula) -> tuple[Step, ...]:
        """From `output`, ∂C/∂hₜ through readers of hₜ outside the loop, to δₜ."""
        read = symbol(self.cell.of_state.text.replace("ₜ", "ₜ₊₁")) @ symbol("U").T
        derivatives = (self._derivative(carried, output + read) for carried in self.cell.carried)
        return (*derivatives, *map(self._only_at_data, self.cell.backward))

    def masked(self, x: Formula) -> Formula:
        """The formula, with 0 at a step of padding."""
        return MASK * x if self.is_masked else x

    def _only_at_data(self, step: Step) -> Step:
        """A line of the backward pass; values for the products outside the step are masked."""
        is_handed = step.left in (DELTA, self.cell.of_state)
        return replace(step, right=self.masked(step.right)) if is_handed else step

    def _value(self, carried: Carried) -> Step:
        value = self.masked(carried.value)
        kept = value + (1 - MASK) * carried.at("ₜ₋₁") if self.is_masked else value
        return Step(carried.at("ₜ"), kept, (self.units,))

    def _derivative(self, carried: Carried, of_output: Formula) -> Step:
        slope = of_output if carried.slope is None else self.masked(carried.slope)
        factor = self._kept(carried)
        if factor is not None:
            slope = slope + partial(carried.at("ₜ₊₁")) * factor
        return Step(partial(carried.at("ₜ")), slope, (self.units,))

    def _kept(self, carried: Carried) -> Formula | None:
        """The factor with which the next step keeps it."""
        factor = None if carried.kept is None else symbol(f"{carried.kept}ₜ₊₁")
        if not self.is_masked:
            return factor
        later = symbol("mₜ₊₁")
        return 1 - later if factor is None else later * factor + (1 - later)
