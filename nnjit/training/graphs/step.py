"""Build the graphs of training: the whole step, the evaluation of a split, and the prediction.

Everything in them is traced code: model, loss, chain rule, penalty, clipping, optimizer and metrics. The cost
of a batch is C = Σ wₖ Cₖ / Σ wₖ, where wₖ is the weight of row k times that of its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy

import nnjit.numpy as np
from nnjit.autodiff import as_node, pull_back
from nnjit.codegen import Interface
from nnjit.ir import B, Graph, Node, array_type, constant, new_input, scope, tracing
from nnjit.nn import UsedRows
from nnjit.optim import Optimizer, blend
from nnjit.primitives import full_like
from nnjit.primitives.tables import used_p, where_used_p
from nnjit.training.graphs.class_weights import class_weight_of_rows
from nnjit.training.graphs.mixing import PARTNERS, Examples, mixed
from nnjit.training.graphs.reading import metric_totals
from nnjit.training.graphs.task import Task


class _Inputs(NamedTuple):
    """The inputs of a step, in the order of its graph.

    Args:
        vectors: the model's vectors by name.
        slots: the optimizer's slots.
        averages: the averages of params and layer state.
        fraction: the fraction of the new values in the averages; () without averages.
        batch: rows, targets and weights.
        partners: those of the partners; () without mixing.
    """

    vectors: Mapping[str, Node]
    slots: tuple[Node, ...]
    averages: tuple[Node, ...]
    key: Node
    step: Node
    lr: Node
    fraction: tuple[Node, ...]
    batch: tuple[Node, Node, Node]
    partners: tuple[Node, ...]

    @property
    def theta(self) -> Node:
        """The params."""
        return self.vectors["theta"]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All of them."""
        others = [node for name, node in self.vectors.items() if name != "theta"]
        arrays = (self.theta, *self.slots, *self.averages, *others)
        return (*arrays, self.key, self.step, self.lr, *self.fraction, *self.batch, *self.partners)

    @property
    def per_step(self) -> tuple[str, ...]:
        """The names of scalars with one value per step."""
        return ("step", "lr", "fraction") if self.fraction else ("step", "lr")


class _Cost(NamedTuple):
    """The cost of a batch: w C and w of each row, and their sums."""

    rows: Any
    row_weight: Any
    total: Any
    weight: Any


@tracing()
def step_graph(task: Task, *, in_order: bool = False, sparse: bool = True) -> tuple[Graph, Interface]:
    """An update: (θ, slots, key, step, lr, x, y, w) → (θ′, slots′, Σ w C, Σ w, penalty, metrics, ∇ Σ w C).

    With averaging, the average of the params follows the slots, then that of the layer state if it is
    averaged too; the best epoch's averages are kept instead of its params and state. The input after lr is
    then the fraction of the new values in the averages. Layer state comes after all these, in the inputs and
    in the outputs. Frozen arrays come after that, and no derivative with respect to them is computed. With
    mixing, the partners follow x, y and w.

    Args:
        in_order: whether epochs take the examples, but not their partners, in the order of the data.
        sparse: whether layers may restrict the update to the rows that a batch used.
    """
    inputs = _step_inputs(task)
    theta, (_, y, w) = inputs.theta, inputs.batch
    named = {name: as_node(array) for name, array in task.named(inputs.vectors).items()}
    examples = _examples(task, inputs)
    draws = {"key": inputs.key, "step": inputs.step, "weights": examples.weights}
    trained = task.model.train(named, examples.x, **draws)
    cost = _cost(task, trained.output, examples)
    # Divide only now, so the backward pass need not wait for the sum of the weights of all rows.
    whole = as_node(flat_gradient(cost.total, params_of(task, named)))
    gradient = whole / cost.weight
    penalty, gradient = _with_penalty(task, theta, gradient)
    with scope("clip"):
        gradient = task.clip(gradient)
    used = trained.used if sparse else None
    updated = _update(task, inputs, gradient, used, is_penalized=penalty is not None)
    updated += _averages(inputs, (updated[0], trained.state))
    totals = [*_cost_sums(cost), constant(0.0) if penalty is None else np.astype(penalty, "f64")]
    logits = trained.output
    if task.needs_logits:
        logits = task.logits_model.train(named, examples.x, **draws).output
    totals += _metric_totals(task, trained.output, logits, y, w)
    if "state" in inputs.vectors:
        updated.append(trained.state)
    interface = _interface(task, inputs, len(totals), in_order=in_order)
    names = (*interface.updates, *_frozen(task), "key", *inputs.per_step, "x", "y", "w", *interface.partners)
    return Graph(inputs.nodes, (*updated, *totals, whole), names), interface


@tracing()
def state_graph(task: Task) -> Graph:
    """(θ, state, [frozen,] x, w) → (the state of layers that have seen only this batch, Σ w).

    Dropout and the like are on, as in training, with the random numbers of step 0.
    """
    vectors, (x, _, w) = task.vectors(), batch_inputs(task)
    layers = (replace(n, layer=n.layer.without_memory()) for n in task.model.nodes)
    model, zero = replace(task.model, nodes=tuple(layers)), constant(numpy.uint32(0))
    trained = model.train(task.named(vectors), x, key=zero, step=zero, weights=w)
    return Graph((*vectors.values(), x, w), (as_node(trained.state), as_node(np.sum(np.astype(w, "f64")))))


@tracing()
def evaluation_graph(task: Task) -> Graph:
    """(θ, [state, frozen,] x, y, w) → (Σ w C, Σ w, metric sums), float64, without dropout and the like."""
    vectors, (x, y, w) = task.vectors(), batch_inputs(task)
    named = task.named(vectors)
    output = task.model(named, x)
    with scope("loss"):
        costs, weight = task.loss(output, y), row_weight(task, y, w)
    totals = [np.sum(np.astype(costs * weight, "f64")), np.sum(np.astype(weight, "f64"))]
    logits = task.logits_model(named, x) if task.needs_logits else output
    totals += _metric_totals(task, output, logits, y, w)
    names = (*_kept(task), *_frozen(task), "held_out_x", "held_out_y", "held_out_w")
    return Graph((*vectors.values(), x, y, w), tuple(totals), names)


@tracing()
def gradient_graph(task: Task) -> Graph:
    """(θ, [state, frozen,] x, y, w) → the gradient of the mean cost, without dropout and penalty."""
    vectors, batch = task.vectors(), batch_inputs(task)
    named = {name: as_node(array) for name, array in task.named(vectors).items()}
    gradient = flat_gradient(mean_cost(task, named, *batch), params_of(task, named))
    return Graph((*vectors.values(), *batch), (gradient,), (*vectors, "x", "y", "w"))


@tracing()
def prediction_graph(task: Task) -> Graph:
    """(θ, [state, frozen,] x) → the loss's prediction: probabilities, or values in the unit of training."""
    vectors, x = task.vectors(), new_input(task.rows(), "input")
    prediction = as_node(task.loss.predict(task.model(task.named(vectors), x)))
    return Graph((*vectors.values(), x), (prediction,), (*vectors, "x"))


@tracing()
def logits_graph(task: Task) -> Graph:
    """(θ, [state, frozen,] x) → the output before any sigmoid or softmax."""
    vectors, x = task.vectors(), new_input(task.rows(), "input")
    logits = as_node(task.logits_model(task.named(vectors), x))
    return Graph((*vectors.values(), x), (logits,), (*vectors, "x"))


def params_of(task: Task, named: Mapping[str, Any]) -> list[Any]:
    """Select the params from all arrays, in order."""
    return [named[entry.name] for entry in task.model.table]


def mean_cost(task: Task, named: Mapping[str, Any], x: Node, y: Node, w: Node) -> Node:
    """Σ w C / Σ w of a batch, without dropout and the like, and without the penalty."""
    costs, weight = task.loss(task.model(named, x), y), row_weight(task, y, w)
    return as_node(np.sum(costs * weight) / np.sum(weight))


def batch_inputs(task: Task) -> tuple[Node, Node, Node]:
    """Make inputs for the rows, targets and weights of a batch."""
    rows = new_input(task.rows(), "input")
    return rows, new_input(task.target_type, "target"), new_input(array_type(task.dtype, (B,)), "weight")


def row_weight(task: Task, y: Node, w: Node) -> Any:
    """The weight (B,) of each row in the cost: its own times that of its class."""
    if task.class_weights is None:
        return w
    return w * class_weight_of_rows(task.class_weights, y, w.dtype)


def penalty_of(task: Task, theta: Node) -> Node | None:
    """The penalty; None without one.

    It is computed on one vector with zeros for params without a penalty: one loop for any number of layers.
    """
    if task.penalty.is_none:
        return None
    counts = [numpy.full(e.size, e.penalized, theta.dtype) for e in task.model.table]
    mask = numpy.concatenate(counts) if counts else numpy.zeros(0, theta.dtype)
    return as_node(task.penalty(theta if mask.all() else theta * mask))


def flat_gradient(cost: Node, params: Sequence[Node]) -> Any:
    """The gradient as one vector, in the order of the params."""
    return np.concatenate([np.ravel(g) for g in pull_back([cost], params, [full_like(cost, 1)])])


def _step_inputs(task: Task) -> _Inputs:
    vectors = task.vectors()
    slots = tuple(new_input(task.vector(), "optimizer") for _ in task.optimizer.slots)
    averaged = zip(task.averages, vectors.values(), strict=False)
    averages = tuple(new_input(node.type, "averaging") for _, node in averaged)
    key, step = new_input(array_type("u32")), new_input(array_type("u32"))
    lr, batch = new_input(array_type(task.dtype)), batch_inputs(task)
    fraction = (new_input(array_type(task.dtype)),) if averages else ()
    partners = () if task.mixup is None else batch_inputs(task)
    return _Inputs(vectors, slots, averages, key, step, lr, fraction, batch, partners)


def _examples(task: Task, inputs: _Inputs) -> Examples:
    """The examples to train on: the rows, or mixtures with their partners."""
    x, y, w = inputs.batch
    if task.mixup is None:
        return Examples(x, ((y, w),))
    stream = len(task.model.nodes)  # lower ones belong to the layers
    x2, y2, w2 = inputs.partners
    return mixed(task.mixup, inputs.key, inputs.step, stream, inputs.batch, (x2, y2, w2))


def _interface(task: Task, inputs: _Inputs, totals: int, *, in_order: bool) -> Interface:
    """The roles of the inputs and outputs of a step with this number of totals."""
    return Interface(
        updates=("theta", *task.slots, *(name for name in inputs.vectors if name == "state")),
        per_step=inputs.per_step,
        totals=totals,
        watched=1,
        is_guarded=True,
        kept=_kept(task),
        in_order=in_order and not inputs.partners,
        weight="w",
        evaluation_weight="held_out_w",
        partners=PARTNERS if inputs.partners else (),
        partner_weight="partner_w" if inputs.partners else None,
    )


def _cost(task: Task, output: Node, examples: Examples) -> _Cost:
    with scope("loss"):
        weights = [row_weight(task, y, w) for y, w in examples.targets]
        costs = [task.loss(output, y) * w for (y, _), w in zip(examples.targets, weights, strict=True)]
        rows, weight = sum(costs[1:], costs[0]), sum(weights[1:], weights[0])
        return _Cost(rows, weight, np.sum(rows), np.sum(weight))


def _cost_sums(cost: _Cost) -> list[Any]:
    """Σ w C and Σ w in float64."""
    return [np.sum(np.astype(cost.rows, "f64")), np.sum(np.astype(cost.row_weight, "f64"))]


def _with_penalty(task: Task, theta: Node, gradient: Any) -> tuple[Node | None, Any]:
    """The penalty, None without one, and the gradient of the cost including it."""
    with scope("penalty"):
        penalty = penalty_of(task, theta)
    if penalty is None:
        return None, gradient
    return penalty, gradient + pull_back([penalty], [theta], [full_like(penalty, 1)])[0]


def _update(
    task: Task, inputs: _Inputs, gradient: Any, used: Mapping[str, UsedRows] | None, *, is_penalized: bool
) -> list[Any]:
    """The new params and slots.

    Args:
        used: the rows of params that layers used; None to update all rows.
    """
    assert isinstance(task.optimizer, Optimizer)  # a full-batch method has no step
    with scope("optimizer"):
        time, factors = np.astype(inputs.step, task.dtype), task.learning_rate_factors
        lr = inputs.lr if factors is None else inputs.lr * factors
        theta, slots = task.optimizer.update(inputs.theta, gradient, inputs.slots, lr=lr, step=time)
        updated = [theta, *slots]
        if used is not None:
            is_exact = task.optimizer.keeps_still and not is_penalized
            used = {name: u for name, u in used.items() if u.always or is_exact}
            updated = _only_used(task, used, is_exact, updated, (inputs.theta, *inputs.slots))
    return updated


def _averages(inputs: _Inputs, new: Sequence[Any]) -> list[Any]:
    """Update the averages with the new params and state."""
    with scope("averaging"):
        return [blend(old, v, inputs.fraction[0]) for old, v in zip(inputs.averages, new, strict=False)]


def _only_used(
    task: Task, used: Mapping[str, UsedRows], is_exact: bool, new: Sequence[Any], old: Sequence[Node]
) -> list[Any]:
    """The new vectors, but with the old values in unused rows of tables.

    Args:
        is_exact: whether new and old values are equal there.
    """
    entries = [e for e in task.model.table if e.name in used]
    if not entries:
        return list(new)
    rows = [used_p(used[e.name].index, entries=e.shape[0]) for e in entries]
    segments = tuple((e.offset, e.shape[0], e.size // e.shape[0]) for e in entries)
    return [
        where_used_p(n, o, *rows, segments=segments, is_exact=is_exact) for n, o in zip(new, old, strict=True)
    ]


def _kept(task: Task) -> tuple[str, ...]:
    """The names, in the step's memory, of the params and state that are evaluated and kept."""
    names = [name for name in task.model.tables if name != "frozen"]
    return (*task.averages, *names[len(task.averages) :])


def _frozen(task: Task) -> tuple[str, ...]:
    return tuple(name for name in task.model.tables if name == "frozen")


def _metric_totals(task: Task, output: Node, logits: Node, y: Node, w: Node) -> list[Any]:
    with scope("metrics"):
        weight = np.expand_dims(np.astype(w, "f64"), 1)
        own_weight = [np.sum(weight)] if task.has_own_weight else []
        return own_weight + metric_totals(task.sums, task.reading, output, logits, y, weight)
