"""The derivatives of the functions that layers apply, written out."""

from __future__ import annotations

from nnjit.nn.activations import ACTIVATIONS
from nnjit.nn.formula import A, Formula, G, Z, call, partial, pulled
from nnjit.nn.model.model import Model
from nnjit.nn.notation.line import Line, reached
from nnjit.nn.notation.table import recurrence_of
from nnjit.nn.notation.typeset import FUNCTIONS

NOTES = {
    "gelu": "Φ(z) is the normal distribution's probability of less than z, and φ its density",
    "softmax": "a is softmax(z); every element depends on all of z",
}
BRACKET_NOTE = "[…] is 1 where it holds, else 0"


def function_lines(model: Model) -> list[Line]:
    """σ′ of every function that derivatives reach; for softmax, which has no σ′, ∂C/∂z."""
    ends = reached(model)
    names = dict.fromkeys(recurrence_of(node).function for node in model.nodes if node.name in ends)
    return [_function_line(name) for name in names if name not in (None, "identity")]


def pull_back_rule(function: str) -> Formula:
    """∂C/∂z for a function of z, as a formula of `G`, `Z` and `A`."""
    return ACTIVATIONS[function].back or pulled(A, Z, G)


def _function_line(name: str) -> Line:
    rule = pull_back_rule(name)
    note = NOTES.get(name, BRACKET_NOTE if _has(rule, "positive") else "")
    if rule.op == "times" and rule.args[0] == G:
        return Line(call(f"{FUNCTIONS.get(name, name)}′", Z), rule.args[1], None, note)
    return Line(partial(Z), rule.filled({"g": partial(A)}), None, note)


def _has(formula: Formula, op: str) -> bool:
    return formula.op == op or any(_has(argument, op) for argument in formula.args)
