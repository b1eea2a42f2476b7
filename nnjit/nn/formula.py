"""Formulas as data, to print and to evaluate.

They are written with Python's operators: `x @ W + b` is a matrix product plus a vector, `*` the elementwise
product ⊙, `.T` the transpose. So a formula in the source reads as it prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

Operand: TypeAlias = "Formula | float"


@dataclass(frozen=True)
class Formula:
    """An operation and its arguments; a symbol or a number has none.

    Args:
        op: `symbol`, `number`, `words`, `call`, `pulled`, or a key of `typeset.STYLES`.
        text: a symbol's letter, a number's digits, words, a function's name, or an operation's index.
        layer: the number of a symbol's layer; None if it has none, or none yet.
    """

    op: str
    args: tuple[Formula, ...] = ()
    text: str = ""
    layer: int | None = None

    # fmt: off
    def __add__(self, other: Operand) -> Formula: return Formula("add", (self, as_formula(other)))
    def __radd__(self, other: float) -> Formula: return Formula("add", (as_formula(other), self))
    def __sub__(self, other: Operand) -> Formula: return Formula("sub", (self, as_formula(other)))
    def __rsub__(self, other: float) -> Formula: return Formula("sub", (as_formula(other), self))
    def __mul__(self, other: Formula) -> Formula: return Formula("times", (self, other))
    def __rmul__(self, factor: float) -> Formula: return scaled(as_formula(factor), self)
    def __matmul__(self, other: Formula) -> Formula: return Formula("matmul", (self, other))
    def __truediv__(self, other: Formula) -> Formula: return Formula("over", (self, other))
    def __pow__(self, exponent: float) -> Formula: return Formula("power", (self,), f"{exponent:g}")
    # fmt: on

    @property
    def T(self) -> Formula:  # noqa: N802  # NumPy's name
        """The transpose of a matrix."""
        return Formula("transpose", (self,))

    def filled(self, values: Mapping[str, Formula], layer: int | None = None) -> Formula:
        """Fill in the symbols without a layer.

        Args:
            values: formulas to insert, by the symbols' letters.
            layer: the layer for all other such symbols.
        """
        if self.op == "symbol" and self.layer is None:
            return values.get(self.text, replace(self, layer=layer))
        return replace(self, args=tuple(a.filled(values, layer) for a in self.args))

    def uses(self, letter: str) -> int:
        """How often a symbol without a layer occurs."""
        own = self.op == "symbol" and self.layer is None and self.text == letter
        return own + sum(a.uses(letter) for a in self.args)


def as_formula(value: Operand) -> Formula:
    """Convert a number to a formula; return a formula unchanged."""
    return value if isinstance(value, Formula) else Formula("number", text=repr(float(value)))


def scaled(factor: Formula, x: Formula) -> Formula:
    """A number times an array."""
    return x if factor == as_formula(1) else Formula("scaled", (factor, x))


def symbol(letter: str, layer: int | None = None) -> Formula:
    """A letter, such as W, or W⁽²⁾."""
    return Formula("symbol", text=letter, layer=layer)


def call(name: str, *args: Formula) -> Formula:
    """A function of its arguments."""
    return Formula("call", args, name)


def words(text: str) -> Formula:
    """Text as a formula, such as a loss's."""
    return Formula("words", text=text)


def positive(x: Formula) -> Formula:
    """[x > 0]: 1 where an element is positive, else 0 (Iverson's bracket)."""
    return Formula("positive", (x,))


def over_rows(x: Formula) -> Formula:
    """Σₖ x, the sum over all axes but the last: the examples and their positions or steps."""
    return Formula("over_rows", (x,))


def over_last(x: Formula) -> Formula:
    """Σⱼ x, the sum over the last axis, kept with length 1."""
    return Formula("over_last", (x,))


def over_steps(x: Formula) -> Formula:
    """Σₜ x, the sum over the steps of a loop, or of a sequence x (steps, features)."""
    return Formula("over_steps", (x,))


def at(x: Formula, index: str) -> Formula:
    """x[t], one step of a sequence; with any other index, one of equal parts of the last axis."""
    return Formula("at", (x,), index)


def collected(x: Formula, index: str) -> Formula:
    """[x]ₜ: x of every t, one after another; parts of the last axis side by side."""
    return Formula("collected", (x,), index)


def joined(*parts: Formula) -> Formula:
    """The arguments side by side, along their last axis."""
    return Formula("joined", parts)


def columns(x: Formula, start: int, stop: int) -> Formula:
    """The elements `start` to `stop` (excluded) of the last axis."""
    return Formula("columns", (x,), f"{start}:{stop}")


def column(x: Formula, k: int) -> Formula:
    """Element k of the last axis, without that axis."""
    return Formula("columns", (x,), str(k))


def reshaped(x: Formula, shape: tuple[int, ...]) -> Formula:
    """The same elements, with each example in another shape."""
    return Formula("reshaped", (x,), " × ".join(["n", *map(str, shape)]))


def permuted(x: Formula, axes: tuple[int, ...]) -> Formula:
    """The axes of an example in another order, counted from 1."""
    return Formula("permuted", (x,), ", ".join(map(str, axes)))


def partial(x: Formula) -> Formula:
    """∂C/∂x."""
    return Formula("partial", (x,))


def pulled(out: Formula, x: Formula, g: Formula) -> Formula:
    """(∂out/∂x)ᵀ g: g = ∂C/∂out pulled back through any operation."""
    return Formula("pulled", (out, x, g))


def input_symbol(index: int) -> Formula:
    """The input `index`, counted from 0, of a layer."""
    return symbol(f"x{index}")


# The symbols of activations, losses and layers' notation; building the lines gives them a layer.
X = input_symbol(0)
Z = symbol("z")  # a function's argument
A = symbol("a")  # its result: the layer's output
G = symbol("g")  # ∂C/∂a; before a function, δ = ∂C/∂z
Y = symbol("y")  # the targets, classes as one-hot rows
N = symbol("n")  # the examples of the batch
