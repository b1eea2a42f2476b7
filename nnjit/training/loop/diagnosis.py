"""Measure what a step does to each layer, some five to fifty times in a training, for `diagnosis.csv`.

A look interprets two graphs with NumPy on some rows of the training part, so it compiles nothing and
changes nothing: the step, for its update, and the gradient with the layers' outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.autodiff import as_node
from nnjit.data import spread_evenly
from nnjit.ir import Graph, interpret, tracing
from nnjit.nn import Model
from nnjit.passes import optimize
from nnjit.runs.diagnosis import DiagnosisFile
from nnjit.training.graphs.mixing import mirrored
from nnjit.training.graphs.step import batch_inputs, flat_gradient, mean_cost, params_of
from nnjit.training.graphs.task import Task
from nnjit.training.loop.epochs import longest_span
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

ROWS: Mapping[bool | str, int] = {True: 256, "auto": 64, False: 64}
"""The most rows of a look, by the option `diagnosis`."""


# fmt: off
# What outputs (n, ..., units) are a sign of, by their activation: the column, and the fraction of the units
# (for images, the channels) or of the outputs.
SIGNS: Mapping[str, tuple[str, Callable[[np.ndarray], float]]] = {
    "relu":    ("dead",      lambda a: float(np.mean((a == 0).reshape(-1, a.shape[-1]).all(axis=0)))),
    "sigmoid": ("saturated", lambda a: float(np.mean(np.abs(2 * a - 1) > 0.99))),
    "tanh":    ("saturated", lambda a: float(np.mean(np.abs(a) > 0.99))),
}
# fmt: on


class Looks:
    """Looks into the layers after spans of epochs: at most every `longest_span`, and after the last one.

    Args:
        file: where the values are written; None if the experiment asks for none.
    """

    def __init__(self, setup: Setup, file: DiagnosisFile | None) -> None:
        self._file, self._probe, self._due = file, Probe(setup), 0
        self._stride, self._last = longest_span(setup), setup.experiment.training.epochs

    @classmethod
    def at(cls, setup: Setup, folder: Path, *, keep: int) -> Looks:
        """The looks of a training.

        Args:
            keep: epochs whose rows of an existing file stay; a resumed run writes the later ones again.
        """
        experiment = setup.experiment
        are_asked_for = experiment.training.looks and experiment.optimizer.full_batch is None
        return cls(setup, DiagnosisFile(folder, keep=keep) if are_asked_for else None)

    def __call__(self, state: State, history: Columns) -> None:
        """Look, if it is due.

        Args:
            history: the rows of a span, by column.
        """
        if self._file is None or self._last > state.epoch < self._due:
            return
        self._due = state.epoch + self._stride
        self._file.write(state.epoch, self._probe(state, float(history["learning_rate"][-1])))

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by its name, with every look so far; empty if there is none."""
        return {} if self._file is None else self._file.contents


@dataclass(frozen=True)
class Probe:
    """Looks at the layers of a training, on rows spread evenly over the training part."""

    setup: Setup

    def __call__(self, state: State, lr: float) -> dict[str, dict[str, float]]:
        """The values of each layer that is trained or has an activation with a sign, by column.

        A norm is the root of the sum of squares over all params of a layer.
        """
        vectors = self._model.split(state.theta)
        params = vectors["theta"]
        gradient, *outputs = interpret(self._graph, [*vectors.values(), *self._rows])
        updated = interpret(self._step, [self._arguments(state, lr)[name] for name in self._step.names])[0]
        of_params = {"gradient_norm": gradient, "param_norm": params, "update": updated - params}
        values: dict[str, dict[str, float]] = {}
        for node in self._model.nodes:
            norms = {name: _norm(self._model, vector, node.name) for name, vector in of_params.items()}
            change = norms.pop("update")
            if node.params and not node.is_frozen:
                size = norms["param_norm"]
                values[node.name] = {**norms, "update_ratio": change / size if size else 0.0}
        for (layer, activation), output in zip(self._watched, outputs, strict=True):
            column, fraction = SIGNS[activation]
            values.setdefault(layer, {})[column] = fraction(output)
        return values

    @property
    def _model(self) -> Model:
        return self.setup.task.model

    @property
    def _step(self) -> Graph:
        return self.setup.compiled.epoch.graph

    @cached_property
    def _watched(self) -> list[tuple[str, str]]:
        """The hidden layers whose outputs have a sign, with their activations."""
        named = [(n.name, _activation(n.layer)) for n in self._model.nodes if n.name != self._model.output]
        return [(name, activation) for name, activation in named if activation in SIGNS]

    @cached_property
    def _graph(self) -> Graph:
        return probe_graph(self.setup.task, [name for name, _ in self._watched])

    @cached_property
    def _rows(self) -> list[np.ndarray]:
        train = self.setup.data.train
        most = min(ROWS[self.setup.experiment.training.diagnosis], train.most_at_once)
        rows = train.take(spread_evenly(most, len(train)))
        return [rows.x, rows.y, rows.w]

    def _arguments(self, state: State, lr: float) -> dict[str, Any]:
        """The arguments of the step that would come next, by name."""
        experiment = self.setup.experiment
        scalars = {
            "key": np.uint32(experiment.seed % 2**32),
            "step": np.uint32(state.epoch * self.setup.steps + 1),
            "lr": state.theta.dtype.type(lr),
            "fraction": state.theta.dtype.type(0),  # of the new params in their mean, which is not looked at
        }
        slots = dict(zip(self.setup.task.slots, state.slots, strict=True))
        rows = dict(zip("xyw", self._rows, strict=True))
        arrays = self._model.split(state.theta) | slots | rows | mirrored(rows)
        return arrays | {name: np.asarray(value) for name, value in scalars.items()}


@tracing()
def probe_graph(task: Task, layers: list[str]) -> Graph:
    """(θ, [state, frozen,] x, y, w) → (the gradient of the cost without dropout and penalty; some outputs).

    Args:
        layers: the names of those whose outputs it gives.
    """
    vectors, batch = task.vectors(), batch_inputs(task)
    named = {name: as_node(array) for name, array in task.named(vectors).items()}
    gradient = flat_gradient(mean_cost(task, named, *batch), params_of(task, named))
    outputs = [as_node(replace(task.model, output=name)(named, batch[0])) for name in layers]
    inputs, names = (*vectors.values(), *batch), (*vectors, "x", "y", "w")
    return optimize(Graph(inputs, (gradient, *outputs), names))


def _activation(layer: Any) -> str:
    return getattr(layer, "activation", None) or getattr(layer, "function", None) or ""


def _norm(model: Model, vector: np.ndarray, layer: str) -> float:
    parts = [vector[e.offset : e.offset + e.size] for e in model.table if e.layer == layer]
    with np.errstate(over="ignore"):  # shortly before it diverges
        return float(np.sqrt(sum(np.square(part.astype(np.float64)).sum() for part in parts)))
