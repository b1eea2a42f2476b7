"""Compare the gradient of a training step with central differences of its cost: `nnjit check`.

The step is the training's own, in float64, on a few rows of the data. Its gradient comes from the compiled
graph, the costs of the differences from the interpreter, which knows no derivatives.

Kinks. If the cost has a corner, as with relu and max, a difference across it is not a derivative. So an
element that is off with both steps h₁ > h₂ counts as a kink if the differences themselves show one: either
the differences with both steps disagree (a corner nearby), or the left and right differences do, at h₂ by
more than half as much as at h₁ (a corner at the point itself); in a smooth cost that gap shrinks with h. A
wrong derivative of a smooth cost shows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit import codegen
from nnjit.errors import DataError
from nnjit.ir import Graph, Node, interpret
from nnjit.nn import ParamEntry
from nnjit.optim import Clip, Optimizer
from nnjit.optim.array import Array, NoSlots, Update
from nnjit.training.graphs.mixing import mirrored
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import Setup

MOST_ROWS = 8
ALL_OF = 200  # elements; all elements of a tensor up to this size are checked,
SOME = 50  # and this many elements of a larger one
MOVED = 0.05  # standard deviation of the noise added to params; a wrong derivative may not show at 0

# Rounding adds 2e-16 |C| / h to a difference, about 1e-10 |C|; the truncation error, h² C‴ / 6, is as small.
STEPS = (1e-5, 2e-6)
TOLERANCE = 1e-5  # of an element, relative to its size or, if larger, to
LEAST = 1e-4  # times the cost
COMPILED_TOLERANCE = (
    1e-9  # of compiled code, which sums in another order, relative to the tensor's largest element
)

Cost = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Element:
    """One derivative, compared with its difference.

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
    """The checked elements of one param.

    Args:
        compiled_error: between the compiled and the interpreted gradient, relative to the largest element.
    """

    name: str
    shape: tuple[int, ...]
    elements: tuple[Element, ...]
    compiled_error: float

    @property
    def kinks(self) -> int:
        """The number of skipped elements."""
        return sum(e.is_kink for e in self.elements)

    @property
    def worst(self) -> Element | None:
        """The element with the largest error; None if all are kinks."""
        compared = [e for e in self.elements if not e.is_kink]
        return max(compared, key=lambda e: e.error, default=None)

    @property
    def is_right(self) -> bool:
        """Whether the derivatives agree with the differences."""
        return self.worst is None or self.worst.error <= TOLERANCE

    @property
    def is_compiled_right(self) -> bool:
        """Whether the compiled gradient agrees with the interpreted one."""
        return self.compiled_error <= COMPILED_TOLERANCE


@dataclass(frozen=True)
class GradientCheck:
    """The comparison of a whole gradient.

    Args:
        rows: examples in the batch.
        cost: the cost of the batch, with penalty.
        frozen: the frozen layers, which have no gradient.
    """

    rows: int
    cost: float
    tensors: tuple[TensorCheck, ...]
    frozen: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        return all(t.is_right and t.is_compiled_right for t in self.tensors)


class _Bare(Optimizer):
    """θ ← g: a step returns the gradient as the new params."""

    type: Literal["bare"] = "bare"

    def _update(self, theta: Array, grad: Array, slots: NoSlots, *, lr: Array, step: Array) -> Update:
        return grad, slots


def check_gradient(setup: Setup, theta: np.ndarray) -> GradientCheck:
    """Check the gradient of the cost of a few training rows, drawn with the seed.

    Args:
        setup: the setup of an experiment in float64.
        theta: all arrays of the model; noise is added to the params first.

    Raises:
        DataError: the cost is not finite there.
    """
    rng = np.random.default_rng([setup.experiment.seed, len(theta)])
    vectors = setup.model.split(theta)
    theta = vectors["theta"] + MOVED * rng.standard_normal(setup.model.table.size)
    graph, cost_graph, arguments = _step(setup, rng, vectors)

    def cost(at: np.ndarray) -> float:
        return float(interpret(cost_graph, [at, *arguments])[0])

    here = cost(theta)
    if not np.isfinite(here):
        mend = "scale the data (data.scale: standard), or start from smaller weights"
        raise DataError(f"the cost of the first weights is {here} and has no gradient to check; {mend}")
    compiled = codegen.Compiled(graph, title="The gradient of a few rows.")(theta, *arguments)[0]
    interpreted = interpret(graph, [theta, *arguments])[0]
    tensors = []
    for entry in setup.model.table:
        elements = tuple(
            replace(compare(cost, theta, k, compiled[k], here), index=_index(k, entry))
            for k in _chosen(entry, rng)
        )
        at = slice(entry.offset, entry.offset + entry.size)
        error = _difference(compiled[at], interpreted[at], LEAST * max(1.0, abs(here)))
        tensors.append(TensorCheck(entry.name, entry.shape, elements, error))
    frozen = tuple(node.name for node in setup.model.nodes if node.is_frozen)
    return GradientCheck(len(arguments[-1]), here, tuple(tensors), frozen)


def compare(cost: Cost, theta: np.ndarray, k: int, derivative: float, here: float) -> Element:
    """Compare the derivative with respect to element `k` of `theta` with central differences.

    Args:
        here: the cost at `theta`.
    """
    least = LEAST * max(1.0, abs(here))
    differences, corners, off = [], [], 0.0
    for step in STEPS:
        h = step * max(1.0, abs(float(theta[k])))
        up, down = (cost(_moved(theta, k, move)) for move in (h, -h))
        difference = (up - down) / (2 * h)
        size = max(abs(derivative), abs(difference), least)
        off = abs(derivative - difference)
        if off <= TOLERANCE * size:
            return Element((k,), float(derivative), difference, off / size)
        differences.append(difference)
        corners.append(abs(up - 2 * here + down) / h)
    is_bent = corners[1] > max(corners[0], off) / 2
    is_kink = is_bent or abs(differences[0] - differences[1]) > off / 10
    error = np.nan if is_kink else off / size if np.isfinite(off) else np.inf
    return Element((k,), float(derivative), differences[1], float(error))


def _moved(theta: np.ndarray, k: int, by: float) -> np.ndarray:
    moved = theta.copy()
    moved[k] += by
    return moved


def _step(
    setup: Setup, rng: np.random.Generator, vectors: Mapping[str, np.ndarray]
) -> tuple[Graph, Graph, list[np.ndarray]]:
    """The graphs of the gradient and of the cost, and their arguments except θ.

    Args:
        vectors: the model's vectors by name.
    """
    task = replace(setup.task, optimizer=_Bare(), clip=Clip(), metrics=())
    graph, interface = step_graph(task, sparse=False)
    gradient = interface.updated(graph)["theta"]
    total, weight, penalty = interface.totals_of(graph)[:3]
    named = {**vectors, **_arguments(setup, rng)}
    inputs = zip(graph.names[1:], graph.inputs[1:], strict=True)
    arguments = [named[name] if name in named else _zeros(node) for name, node in inputs]
    outputs = ((gradient,), (total / weight + penalty,))
    of_gradient, of_cost = (Graph(graph.inputs, nodes, graph.names) for nodes in outputs)
    return of_gradient, of_cost, arguments


def _arguments(setup: Setup, rng: np.random.Generator) -> dict[str, np.ndarray]:
    train = setup.data.train
    most = min(MOST_ROWS, train.most_at_once)
    rows = train.take(np.sort(rng.choice(len(train), most, replace=False)))
    batch = {"x": rows.x, "y": rows.y, "w": np.ones(len(rows))}
    return {
        "key": np.asarray(setup.experiment.seed % 2**32, np.uint32),
        "step": np.asarray(1, np.uint32),
        "lr": np.asarray(1.0),
        **batch,
        **mirrored(batch),
    }


def _zeros(node: Node) -> np.ndarray:
    """The argument for an input that the gradient does not depend on."""
    return np.zeros(node.type.row_shape, node.dtype)


def _chosen(entry: ParamEntry, rng: np.random.Generator) -> Sequence[int]:
    """The indices of the elements to check, in the vector."""
    if entry.size <= ALL_OF:
        return range(entry.offset, entry.offset + entry.size)
    return sorted(int(k) for k in entry.offset + rng.choice(entry.size, SOME, replace=False))


def _index(k: int, entry: ParamEntry) -> tuple[int, ...]:
    """Element `k` of the vector as an index of its tensor."""
    return tuple(int(axis) for axis in np.unravel_index(k - entry.offset, entry.shape))


def _difference(a: np.ndarray, b: np.ndarray, least: float) -> float:
    if not a.size:
        return 0.0
    return float(np.max(np.abs(a - b)) / max(float(np.max(np.abs(b))), least))
