"""The graphs of a training: the whole step, the evaluation of a split, and the prediction.

Everything in them is traced code: the model, the loss, the chain rule, the penalty, the clipping, the
optimizer and the metrics. C = Σ wₖ Cₖ / Σ wₖ is the cost of a batch, where wₖ is the weight of the row times
that of its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.autodiff import as_node, pull_back
from nnjit.codegen import Interface
from nnjit.data.scaling import Affine
from nnjit.ir import ArrayType, B, Graph, Node, array_type, constant, new_input, scope, tracing
from nnjit.nn import Loss, Metric, Model, SummedMetric, UsedRows, WholeMetric
from nnjit.optim import Clip, FullBatchOptimizer, Optimizer, Penalty, blend
from nnjit.primitives import full_like
from nnjit.primitives.tables import used_p, where_used_p
from nnjit.training.graphs.class_weights import of_rows


@dataclass(frozen=True)
class Task:
    """What is trained, apart from the data's numbers.

    Args:
        dtype: "f32" or "f64".
        target: the type of the targets of a batch, `i32[B]` classes or floats `[B,O]`.
        unit: undoes the scaling of target values for metrics that have a unit; None where there is none.
        class_weights: how much the rows of each class count in the cost; None where all count alike.
        is_averaged: whether a mean of the params is carried from step to step, as the last slot.
    """

    model: Model
    loss: Loss
    metrics: tuple[Metric, ...]
    optimizer: Optimizer | FullBatchOptimizer
    penalty: Penalty
    clip: Clip
    dtype: str
    target: ArrayType
    unit: Affine | None = None
    class_weights: tuple[float, ...] | None = None
    is_averaged: bool = False

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that a step carries beside the params."""
        return (*self.optimizer.slots, *["average"] * self.is_averaged)

    @property
    def sums(self) -> tuple[SummedMetric, ...]:
        """The metrics that are summed while a split streams by."""
        return tuple(m for m in self.metrics if isinstance(m, SummedMetric))

    @property
    def wholes(self) -> tuple[WholeMetric, ...]:
        """The metrics that need the answers for all rows of a split at once."""
        return tuple(m for m in self.metrics if isinstance(m, WholeMetric))

    @property
    def has_own_weight(self) -> bool:
        """Whether metrics weigh rows otherwise than the cost: then their Σ w comes before the sums."""
        return self.class_weights is not None and bool(self.sums)

    def vector(self) -> ArrayType:
        """The type of the params and of each slot."""
        return array_type(self.dtype, (self.model.table.size,))

    def arrays(self) -> tuple[Node, ...]:
        """Inputs for the params and, where the model has any, for the state of its layers."""
        state = array_type(self.dtype, (self.model.state_table.size,))
        params = new_input(self.vector(), "params")
        return (params, new_input(state, "state")) if self.model.state_table.size else (params,)

    def rows(self) -> ArrayType:
        """The type of a batch of examples."""
        return array_type(self.dtype, (B, *self.model.input_shape))


@tracing()
def step_graph(task: Task, *, in_order: bool = False, sparse: bool = True) -> tuple[Graph, Interface]:
    """One update: (θ, slots, key, step, lr, x, y, w) → (θ′, slots′, Σ w C, Σ w, penalty, metric sums).

    Where the params are averaged, their mean is the last slot, and what is kept of the best epoch; after lr
    comes the share of the new params in it. Where layers have state, the graph takes it behind the slots and
    gives it anew behind the new slots.

    Args:
        in_order: whether epochs take the examples in the order of the data.
        sparse: whether layers may have only those rows updated that a batch used.
    """
    assert isinstance(task.optimizer, Optimizer)  # a full-batch method has no step
    theta, *state = task.arrays()
    slots = tuple(new_input(task.vector(), "optimizer") for _ in task.slots)
    key, step = new_input(array_type("u32")), new_input(array_type("u32"))
    rate, (x, y, w) = new_input(array_type(task.dtype)), batch_inputs(task)
    parts = (new_input(array_type(task.dtype)),) * task.is_averaged
    params = {name: as_node(p) for name, p in task.model.table.unflatten(theta).items()}
    held = _held(task, state)
    trained = task.model.train(params | held, x, key=key, step=step, weights=w)
    output = trained.output
    with scope("loss"):
        costs = task.loss(output, y)
        share = _share(task, y, w)
        total, weight = np.sum(costs * share), np.sum(share)
    # Divided only now: the backward pass need not wait for the sum of the weights, which takes all rows.
    gradient = flat_gradient(total, list(params.values())) / weight
    with scope("penalty"):
        penalty = _penalty(task, theta)
    if penalty is not None:
        gradient = gradient + pull_back([penalty], [theta], [full_like(penalty, 1)])[0]
    with scope("clip"):
        gradient = task.clip(gradient)
    with scope("optimizer"):
        time = np.astype(step, task.dtype)
        own = slots[: len(task.optimizer.slots)]
        updated, moved = task.optimizer.update(theta, gradient, own, lr=rate, step=time)
        if sparse:
            is_exact = task.optimizer.keeps_still and penalty is None
            used = {name: u for name, u in trained.used.items() if u.always or is_exact}
            updated, *rest = _only_used(task, used, is_exact, (updated, *moved), (theta, *own))
            moved = tuple(rest)
    with scope("averaging"):
        moved = (*moved, *(blend(slots[-1], updated, part) for part in parts))
    totals = [np.sum(np.astype(costs * share, "f64")), np.sum(np.astype(share, "f64"))]
    totals.append(constant(0.0) if penalty is None else np.astype(penalty, "f64"))
    totals += _metric_sums(task, output, y, w)
    updates = [updated, *moved, *([trained.state] if state else [])]
    names = ("theta", *task.slots, *_names(state))
    per_step = ("step", "lr", *(["fraction"] if task.is_averaged else []))
    graph = Graph(
        (theta, *slots, *state, key, step, rate, *parts, x, y, w),
        (*updates, *totals),
        (*names, "key", *per_step, "x", "y", "w"),
    )
    return graph, Interface(
        updates=names,
        per_step=per_step,
        totals=len(totals),
        is_guarded=True,
        kept=(_judged(task), *_names(state)),
        in_order=in_order,
        weight="w",
        evaluation_weight="held_w",
    )


@tracing()
def evaluation_graph(task: Task) -> Graph:
    """(θ, [state,] x, y, w) → (Σ w C, Σ w, metric sums), all float64, without dropout and its like."""
    (theta, *state), (x, y, w) = task.arrays(), batch_inputs(task)
    output = task.model(named_arrays(task, theta, state), x)
    with scope("loss"):
        costs, share = task.loss(output, y), _share(task, y, w)
    figures = [np.sum(np.astype(costs * share, "f64")), np.sum(np.astype(share, "f64"))]
    figures += _metric_sums(task, output, y, w)
    names = (_judged(task), *_names(state), "held_x", "held_y", "held_w")
    return Graph((theta, *state, x, y, w), tuple(figures), names)


@tracing()
def prediction_graph(task: Task) -> Graph:
    """(θ, [state,] x) → what the loss makes of the output: probabilities, or values as they are learned."""
    (theta, *state), x = task.arrays(), new_input(task.rows(), "input")
    answer = as_node(task.loss.predict(task.model(named_arrays(task, theta, state), x)))
    return Graph((theta, *state, x), (answer,), ("theta", *_names(state), "x"))


def _only_used(
    task: Task, used: Mapping[str, UsedRows], is_exact: bool, new: Sequence[Any], old: Sequence[Node]
) -> list[Any]:
    """The new vectors, but the old ones in the rows of tables that were not used.

    Args:
        is_exact: whether the new ones are the same there.
    """
    entries = [e for e in task.model.table if e.name in used]
    if not entries:
        return list(new)
    rows = [used_p(used[e.name].index, entries=e.shape[0]) for e in entries]
    segments = tuple((e.offset, e.shape[0], e.size // e.shape[0]) for e in entries)
    return [
        where_used_p(n, o, *rows, segments=segments, is_exact=is_exact) for n, o in zip(new, old, strict=True)
    ]


def named_arrays(task: Task, theta: Node, state: Sequence[Node]) -> dict[str, Any]:
    """The params and the layers' state by name."""
    return task.model.table.unflatten(theta) | _held(task, state)


def _held(task: Task, state: Sequence[Node]) -> dict[str, Any]:
    return task.model.state_table.unflatten(state[0]) if state else {}


def _judged(task: Task) -> str:
    """The name of the params that are evaluated and kept, in the memory of the step."""
    return "average" if task.is_averaged else "theta"


def _names(state: Sequence[Node]) -> list[str]:
    return ["state"] * len(state)


def mean_cost(task: Task, named: Mapping[str, Any], x: Node, y: Node, w: Node) -> Node:
    """Σ w C / Σ w of a batch, without dropout and its like, and without the penalty."""
    costs, share = task.loss(task.model(named, x), y), _share(task, y, w)
    return as_node(np.sum(costs * share) / np.sum(share))


def batch_inputs(task: Task) -> tuple[Node, Node, Node]:
    """The rows, targets and weights of a batch."""
    rows = new_input(task.rows(), "input")
    return rows, new_input(task.target, "target"), new_input(array_type(task.dtype, (B,)), "weight")


def _share(task: Task, y: Node, w: Node) -> Any:
    """How much each row counts in the cost."""
    if task.class_weights is None:
        return w
    return w * of_rows(task.class_weights, y, w.dtype)


def _penalty(task: Task, theta: Node) -> Node | None:
    """The penalty, of one vector with zeros for what has none: so it is one loop for any number of layers."""
    if not (task.penalty.l1 or task.penalty.l2):
        return None
    counts = [numpy.full(e.size, e.penalized, theta.dtype) for e in task.model.table]
    mask = numpy.concatenate(counts) if counts else numpy.zeros(0, theta.dtype)
    return as_node(task.penalty(theta if mask.all() else theta * mask))


def flat_gradient(cost: Node, params: Sequence[Node]) -> Any:
    """The gradient as one vector, in the order of the params."""
    return np.concatenate([np.ravel(g) for g in pull_back([cost], params, [full_like(cost, 1)])])


def _metric_sums(task: Task, output: Node, y: Node, w: Node) -> list[Any]:
    with scope("metrics"):
        prediction, target, weight = task.loss.predict(output), y, np.expand_dims(np.astype(w, "f64"), 1)
        if task.unit is not None and y.type.is_float:
            prediction, target = (
                np.astype(v, "f64") * task.unit.scale + task.unit.shift for v in (prediction, y)
            )
        own = [np.sum(weight)] if task.has_own_weight else []
        read = {"prediction": prediction, "output": output}
        return own + [np.sum(m.sums(read[m.reads], target) * weight, axis=0) for m in task.sums]
