"""Evaluate lines, by a NumPy evaluator of formulas that shares no code with the layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnjit.nn.formula import Formula, G, X, at, symbol
from nnjit.nn.notation.line import Line
from nnjit.nn.notation.recurrence import Recurrence

Values = dict[Formula, np.ndarray]
Pull = Callable[[Formula, Formula, np.ndarray], np.ndarray]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=-1, keepdims=True))  # a row may be padding alone, at -1e9
    return e / e.sum(axis=-1, keepdims=True)


def normal(z: np.ndarray) -> np.ndarray:
    """Φ, the normal distribution's probability of less than z."""
    return np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))))(z)


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "sigmoid": sigmoid,
    "softmax": softmax,
    "tanh": np.tanh,
    "sign": np.sign,
    "exp": np.exp,
    "log": np.log,
    "clip": np.clip,
    "max": np.maximum,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.maximum(z, z / 100),
    "elu": lambda z: np.maximum(z, np.exp(np.minimum(z, 0)) - 1),
    "gelu": lambda z: z * normal(z),
    "silu": lambda z: z * sigmoid(z),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "Φ": normal,
    "φ": lambda z: np.exp(-z * z / 2) / math.sqrt(2 * math.pi),
}
OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "add": lambda f, x, y: x + y,
    "sub": lambda f, x, y: x - y,
    "times": lambda f, x, y: x * y,
    "scaled": lambda f, x, y: x * y,
    "over": lambda f, x, y: x / y,
    "matmul": lambda f, x, y: np.einsum("...j,jk->...k", x, y.reshape(-1, y.shape[-1])),
    "power": lambda f, x: x ** float(f.text),
    "transpose": lambda f, x: x.reshape(-1, x.shape[-1]).T,
    "positive": lambda f, x: np.where(x > 0, 1.0, 0.0),
    "over_rows": lambda f, x: x.sum(axis=tuple(range(x.ndim - 1))),
    "over_last": lambda f, x: x.sum(axis=-1, keepdims=True),
    "over_steps": lambda f, x: x.sum(axis=-2),  # of a sequence; `Loop` handles loops
    "joined": lambda f, *xs: np.concatenate(xs, axis=-1),
    "columns": lambda f, x: x[..., slice(*map(int, f.text.split(":"))) if ":" in f.text else int(f.text)],
    "permuted": lambda f, x: np.transpose(x, (0, *map(int, f.text.split(", ")))),
    "reshaped": lambda f, x: x.reshape(-1, *map(int, f.text.split(" × ")[1:])),
    "call": lambda f, *xs: FUNCTIONS[f.text](*xs),
    "number": lambda f: np.float64(f.text),
}


def evaluate(formula: Formula, values: Values, pull: Pull | None = None) -> np.ndarray:
    """The value of a formula, from the values of its symbols and partial derivatives."""
    if formula in values:
        return values[formula]
    if formula.op == "pulled":
        assert pull is not None, "only a layer that states no recurrence has such lines"
        return pull(formula.args[0], formula.args[1], evaluate(formula.args[2], values, pull))
    named = formula.args[0] if formula.op == "partial" else formula
    if named.op == "at":
        return part(evaluate(whole_of(formula), values, pull), *values[symbol(named.text)])
    if formula.op == "collected":
        return np.concatenate([evaluate(formula.args[0], own) for own in each_part(values, formula.text)], -1)
    assert formula.op in OPERATIONS, f"{formula} has no value yet"
    arguments = [evaluate(a, values, pull) for a in formula.args]
    return np.asarray(OPERATIONS[formula.op](formula, *arguments))


def part(x: np.ndarray, k: int, count: int) -> np.ndarray:
    """Part k of `count` equal parts of the last axis."""
    return np.split(x, count, axis=-1)[k]


def each_part(values: Values, index: str) -> list[Values]:
    """The values for each part that an index counts, given its first: [0, the number of parts]."""
    _, count = values[symbol(index)]
    return [{**values, symbol(index): np.array([k, count])} for k in range(count)]


def whole_of(left: Formula) -> Formula:
    """The left side of a line without its index, since it may state only a part."""
    return left.args[0] if left.op == "at" else replace(left, args=tuple(map(whole_of, left.args)))


class Loop:
    """The lines of a loop, followed step by step.

    Args:
        values: the values of x0 (B, steps, features) and the params.
        g: the derivative of C by its output at every step (B, steps, units).
    """

    def __init__(self, stated: Recurrence, values: Values, g: np.ndarray, *, reverse: bool) -> None:
        x = values[X]
        self._order = range(x.shape[1])[:: -1 if reverse else 1]
        self._every = [{**values, at(X, "t"): x[:, t], at(G, "t"): g[:, t]} for t in range(x.shape[1])]
        lines = (*stated.forward, *stated.backward)
        passes = ((stated.forward, self._order, "ₜ₋₁"), (stated.backward, self._order[::-1], "ₜ₊₁"))
        for steps, order, neighbour in passes:
            last: Values = {}
            for t in order:
                own = self._every[t]
                for line in lines:
                    own[_renamed(line.left, neighbour)] = last.get(line.left, np.zeros((len(x), *line.shape)))
                for step in steps:
                    own[step.left] = evaluate(step.right, own)
                    assert own[step.left].shape == (len(x), *step.shape), step
                last = own

    def __call__(self, formula: Formula) -> np.ndarray:
        """The value of the loop's result: its output, or a derivative."""
        (inner,) = formula.args
        values = [evaluate(inner, own) for own in self._every]
        if formula.op == "over_steps":
            return np.sum(values, axis=0)
        return np.stack(values, axis=1) if formula.op == "collected" else values[self._order[-1]]


def _renamed(name: Formula, neighbour: str) -> Formula:
    """A letter of step t, renamed for another step."""
    arguments = tuple(_renamed(a, neighbour) for a in name.args)
    return replace(name, text=name.text.replace("ₜ", neighbour), args=arguments)


def follow(lines: Sequence[Line], values: Values, pull: Pull | None = None) -> Values:
    """The values after each line in turn; each must have the shape its line states."""
    values, rows = dict(values), len(values[symbol("a", 0)])
    for line in lines:
        value = evaluate(line.right, values, pull)
        assert line.shape is not None
        assert value.shape == tuple(d if isinstance(d, int) else rows for d in line.shape), line
        assert line.left not in values, f"{line.left} is there twice"
        values[line.left] = value
    return values
