"""Measure signs that a layer learns little: units that are always 0, outputs at their bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import nnjit.numpy as np
from nnjit.autodiff import as_node
from nnjit.ir import Graph, new_input, tracing
from nnjit.training.graphs.task import Task

NEAR = 0.99  # close to a bound of 1


def _dead(a: Any) -> Any:
    peak = np.max(np.abs(a), axis=tuple(range(a.ndim - 1)))
    return np.mean(np.astype(peak == 0, "f64"))


def _share(holds: Any) -> Any:
    """The fraction of true elements (n, …)."""
    holds = np.astype(holds, "f64")
    return np.sum(holds) / np.sum(np.ones_like(holds))


# fmt: off
# By activation, what outputs (n, …, units) are a sign of: the column, and the fraction of units (channels for
# images) or of outputs.
SIGNS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "relu":    ("dead",      _dead),
    "sigmoid": ("saturated", lambda a: _share(np.abs(2 * a - 1) > NEAR)),
    "tanh":    ("saturated", lambda a: _share(np.abs(a) > NEAR)),
}
# fmt: on


class Watched(NamedTuple):
    """A hidden layer whose outputs can show a sign."""

    layer: str
    activation: str


def watched(task: Task) -> list[Watched]:
    """The hidden layers whose outputs can show a sign."""
    hidden = [(n.name, n.layer) for n in task.model.nodes if n.name != task.model.output]
    named = [Watched(name, _activation(layer)) for name, layer in hidden]
    return [w for w in named if w.activation in SIGNS]


@tracing()
def signs_graph(task: Task) -> Graph:
    """(θ, [state, frozen,] x) → a float64 fraction for each watched layer, without dropout."""
    vectors, x = task.vectors(), new_input(task.rows(), "input")
    outputs = task.model.outputs(task.named(vectors), x)
    signs = [as_node(SIGNS[w.activation][1](outputs[w.layer])) for w in watched(task)]
    return Graph((*vectors.values(), x), tuple(signs), (*vectors, "x"))


def _activation(layer: Any) -> str:
    return getattr(layer, "activation", None) or getattr(layer, "function", None) or ""
