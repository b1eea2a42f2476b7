"""The lecture's recurrence of one layer, forward and backward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nnjit.nn.array import Shape
from nnjit.nn.formula import Formula


@dataclass(frozen=True)
class Step:
    """left = right on the way to the output, or back; in a loop, at its step t.

    Args:
        shape: the shape of both, for one example.
    """

    left: Formula
    right: Formula
    shape: Shape


@dataclass(frozen=True)
class Recurrence:
    """How a layer computes its output, and the derivatives of C by its inputs and params.

    Its formulas use `X` (`input_symbol(k)` for several inputs), a symbol for each param by its letter
    (`LETTERS`), `Z` and `A`, and `G`, the derivative of the cost by `output`. Other letters are the layer's
    own, such as dropout's m.

    Args:
        output: a formula of the inputs and params; the argument of `function`, if there is one.
        back: for each input, the derivative of the cost by it.
        gradients: for each param by name, the derivative of the cost by it.
        function: the name of the activation applied to it; None if a = output.
        note: what the formulas leave open, in words.
        words: the meanings of their functions and indices, the same for all layers that use them.
        forward: steps before the output; in a loop, letters with t - 1 are 0 at first.
        backward: steps before the derivatives; in a loop, last step first, and letters with t + 1 are 0 after
            the last.
    """

    output: Formula
    back: tuple[Formula, ...]
    gradients: Mapping[str, Formula] = field(default_factory=dict)
    function: str | None = None
    note: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    forward: tuple[Step, ...] = ()
    backward: tuple[Step, ...] = ()


LETTERS = {"weight": "W", "bias": "b", "recurrent_weight": "U", "recurrent_bias": "c"} | {
    f"{part}_{kind}": f"{letter}_{part[0].upper()}"
    for part in ("query", "key", "value", "output")
    for kind, letter in (("weight", "W"), ("bias", "b"))
}
"""The lecture's letters for params; all others keep their names."""


def letter(param: str) -> str:
    """The letter of a param."""
    return LETTERS.get(param, param)
