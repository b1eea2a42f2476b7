"""The gradient of a training step, compared with central differences of its cost: for `nnjit check`.

The step is the training's own, in float64, of a few rows of the data. Its gradient comes from the compiled
graph, the costs of the differences from the interpreter, which knows no derivative.

Kinks. Where the cost has a corner, as relu and max give it, a difference across it is no derivative. So an
element that both steps h₁ > h₂ find off is a kink where the differences themselves say so: either those of
both steps disagree (a corner between), or the one to the right and the one to the left do, at h₂ by more than
half as much as at h₁ (a corner at the place itself), while in a smooth cost that shrinks as h does. A wrong
derivative of a smooth cost has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit.codegen import Compiled
from nnjit.errors import DataError
from nnjit.ir import Graph, Node, interpret
from nnjit.nn import ParamEntry
from nnjit.optim import Clip, Optimizer
from nnjit.optim.array import Array, Slots, Update
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import Setup

MOST_ROWS = 8
ALL_OF = 200  # elements of a tensor of which every one is checked; of a larger one,
SOME = 50  # so many
MOVED = 0.05  # the deviation by which params are moved, since a derivative that is wrong may not show at 0

# Rounding leaves 2e-16 |C| / h of a difference, some 1e-10 |C|; the steps' own error, h² C‴ / 6, is as small.
STEPS = (1e-5, 2e-6)
TOLERANCE = 1e-5  # of an element, relative to its size, or to
LEAST = 1e-4  # times the cost, where it is smaller
COMPILED_TOLERANCE = 1e-9  # of compiled code, relative to the tensor's largest element: sums in another order

Cost = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Element:
    """One derivative and its comparison.

    Args:
        error: |derivative - difference| relative to the larger; nan at a kink.
    """

    index: tuple[int, ...]
    derivative: float
    difference: float
    error: float

    @property
    def is_kink(self) -> bool:
        return bool(np.isnan(self.error))


@dataclass(frozen=True)
class TensorCheck:
    """The elements of one param that were checked.

    Args:
        compiled_error: between the compiled and the interpreted gradient, relative to its largest element.
    """

    name: str
    shape: tuple[int, ...]
    elements: tuple[Element, ...]
    compiled_error: float

    @property
    def kinks(self) -> int:
        """How many elements were skipped."""
        return sum(e.is_kink for e in self.elements)

    @property
    def worst(self) -> Element | None:
        """The element with the largest error; None where all are kinks."""
        compared = [e for e in self.elements if not e.is_kink]
        return max(compared, key=lambda e: e.error, default=None)

    @property
    def is_right(self) -> bool:
        """Whether derivatives are those of differences."""
        return self.worst is None or self.worst.error <= TOLERANCE

    @property
    def is_compiled_right(self) -> bool:
        """Whether compiled code gives what the interpreter gives."""
        return self.compiled_error <= COMPILED_TOLERANCE


@dataclass(frozen=True)
class GradientCheck:
    """The comparison of a whole gradient.

    Args:
        rows: examples in the batch.
        cost: of the batch, with penalty.
    """

    rows: int
    cost: float
    tensors: tuple[TensorCheck, ...]

    @property
    def is_right(self) -> bool:
        return all(t.is_right and t.is_compiled_right for t in self.tensors)


class _Bare(Optimizer):
    """θ ← g: a step of it leaves the gradient where the params were."""

    type: Literal["bare"] = "bare"

    def _update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        return grad, slots


def check_gradient(setup: Setup, theta: np.ndarray) -> GradientCheck:
    """Check the gradient of the cost of a few rows of the training part, drawn by the seed.

    Args:
        setup: of an experiment in float64.
        theta: the params, which are moved a little first, and behind them any state, of which no cost of a
            training step depends.

    Raises:
        DataError: the cost is not finite there.
    """
    rng = np.random.default_rng([setup.experiment.seed, len(theta)])
    theta = setup.model.split(theta)[0]
    theta = theta + MOVED * rng.standard_normal(len(theta))
    graph, cost_graph, arguments = _step(setup, rng)

    def cost(at: np.ndarray) -> float:
        return float(interpret(cost_graph, [at, *arguments])[0])

    here = cost(theta)
    if not np.isfinite(here):
        mend = "scale the data (data.scale: standard), or begin with smaller weights"
        raise DataError(f"the cost of the first weights is {here}, so it has no gradient to check; {mend}")
    compiled = Compiled(graph, title="The gradient of a few rows.")(theta, *arguments)[0]
    interpreted = interpret(graph, [theta, *arguments])[0]
    tensors = []
    for entry in setup.model.table:
        elements = tuple(
            replace(compare(cost, theta, k, compiled[k], here), index=_index(k, entry))
            for k in _chosen(entry, rng)
        )
        own = slice(entry.offset, entry.offset + entry.size)
        error = _difference(compiled[own], interpreted[own], LEAST * max(1.0, abs(here)))
        tensors.append(TensorCheck(entry.name, entry.shape, elements, error))
    return GradientCheck(len(arguments[-1]), here, tuple(tensors))


def compare(cost: Cost, theta: np.ndarray, place: int, derivative: float, here: float) -> Element:
    """Compare the derivative by one element of `theta` with central differences.

    Args:
        here: the cost at `theta`.
    """
    least = LEAST * max(1.0, abs(here))
    differences, corners, off = [], [], 0.0
    for step in STEPS:
        h = step * max(1.0, abs(float(theta[place])))
        up, down = (cost(_moved(theta, place, move)) for move in (h, -h))
        difference = (up - down) / (2 * h)
        size = max(abs(derivative), abs(difference), least)
        off = abs(derivative - difference)
        if off <= TOLERANCE * size:
            return Element((place,), float(derivative), difference, off / size)
        differences.append(difference)
        corners.append(abs(up - 2 * here + down) / h)
    is_bent = corners[1] > max(corners[0], off) / 2
    is_kink = is_bent or abs(differences[0] - differences[1]) > off / 10
    error = np.nan if is_kink else off / size if np.isfinite(off) else np.inf
    return Element((place,), float(derivative), differences[1], float(error))


def _moved(theta: np.ndarray, place: int, by: float) -> np.ndarray:
    moved = theta.copy()
    moved[place] += by
    return moved


def _step(setup: Setup, rng: np.random.Generator) -> tuple[Graph, Graph, list[np.ndarray]]:
    """The graphs of the gradient and of the cost, functions of θ and of the arguments that are returned."""
    task = replace(setup.task, optimizer=_Bare(), clip=Clip(), metrics=())
    graph, interface = step_graph(task, sparse=False)
    gradient = interface.updated(graph)["theta"]
    total, weight, penalty = interface.totals_of(graph)[:3]
    given = _arguments(setup, rng)
    inputs = zip(graph.names[1:], graph.inputs[1:], strict=True)
    arguments = [given[name] if name in given else _zeros(node) for name, node in inputs]
    outputs = ((gradient,), (total / weight + penalty,))
    of_gradient, of_cost = (Graph(graph.inputs, nodes, graph.names) for nodes in outputs)
    return of_gradient, of_cost, arguments


def _arguments(setup: Setup, rng: np.random.Generator) -> dict[str, np.ndarray]:
    train = setup.data.train
    rows = np.sort(rng.choice(len(train.x), min(MOST_ROWS, len(train.x)), replace=False))
    return {
        "key": np.asarray(setup.experiment.seed % 2**32, np.uint32),
        "step": np.asarray(1, np.uint32),
        "lr": np.asarray(1.0),
        "x": np.ascontiguousarray(train.x[rows]),
        "y": np.ascontiguousarray(train.y[rows]),
        "w": np.ones(len(rows)),
    }


def _zeros(node: Node) -> np.ndarray:
    """For an input that no gradient depends on."""
    return np.zeros(node.type.row_shape, node.dtype)


def _chosen(entry: ParamEntry, rng: np.random.Generator) -> Sequence[int]:
    """The places in the vector of the elements to check."""
    if entry.size <= ALL_OF:
        return range(entry.offset, entry.offset + entry.size)
    return sorted(int(k) for k in entry.offset + rng.choice(entry.size, SOME, replace=False))


def _index(place: int, entry: ParamEntry) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(place - entry.offset, entry.shape))


def _difference(a: np.ndarray, b: np.ndarray, least: float) -> float:
    if not a.size:
        return 0.0
    return float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(b))), least))
