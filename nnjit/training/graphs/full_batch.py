"""Build the graphs of full-batch training: cost and gradient, H v, residuals and their Jacobian.

C = Σ wₖ Cₖ / Σ wₖ + penalty, as in `step.py`. If the loss is a sum of squares, the cost is Σ r², where r are
the loss's residuals times √(wₖ / Σ w), and √l2 θ for the penalty l2 Σ θ².
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy

import nnjit.numpy as np
from nnjit.autodiff import as_node, pull_back, push_forward
from nnjit.autodiff.batch import batch
from nnjit.ir import B, Graph, Node, array_type, constant, new_input, scope, topological
from nnjit.nn.losses.loss import SumOfSquares
from nnjit.training.graphs.step import batch_inputs, flat_gradient, params_of, penalty_of, row_weight
from nnjit.training.graphs.task import Task


def cost_graph(task: Task) -> Graph:
    """(θ, [frozen,] x, y, w) → (C without penalty, penalty, ∇C); the costs are float64."""
    vectors, batch = task.vectors(), batch_inputs(task)
    cost, penalty, gradient = _cost_and_gradient(task, vectors, *batch)
    return Graph((*vectors.values(), *batch), (cost, penalty, gradient), (*vectors, "x", "y", "w"))


def product_graph(task: Task) -> Graph:
    """(θ, v, [frozen,] x, y, w) → H v, with H the Hessian of C at θ: forward mode over the gradient."""
    direction, vectors, batch = new_input(task.vector(), "direction"), task.vectors(), batch_inputs(task)
    _, _, gradient = _cost_and_gradient(task, vectors, *batch)
    (theta, *frozen), (first, *others) = vectors.values(), vectors
    (product,) = push_forward([gradient], [theta], [direction])
    return Graph((theta, direction, *frozen, *batch), (product,), (first, "v", *others, "x", "y", "w"))


def residual_graph(task: Task) -> Graph:
    """(θ, [frozen,] x, y, w) → the residuals (B, O) of the loss, each row times √w."""
    vectors, (x, y, w) = task.vectors(), batch_inputs(task)
    residuals = _residuals(task, task.named(vectors), x, y, row_weight(task, y, w))
    return Graph((*vectors.values(), x, y, w), (residuals,), (*vectors, "x", "y", "w"))


def jacobian_graph(task: Task) -> Graph:
    """(θ, [frozen,] x, y, w) → these residuals (B, 1, O) and their Jacobian (B, O, P), in reverse mode.

    The graph is traced for one example, pulling back all unit vectors at once, and then mapped.

    Raises:
        GraphError: an operation of the model cannot be mapped.
    """
    vectors, batched = task.vectors(), batch_inputs(task)
    single = tuple(new_input(n.type.with_shape((1, *n.shape[1:]))) for n in batched)
    named = {name: as_node(array) for name, array in task.named(vectors).items()}
    residuals = _residuals(task, named, *single)
    size = task.model.output_shape[0]
    seed = new_input(residuals.type)
    back = np.concatenate([np.ravel(g) for g in pull_back([residuals], params_of(task, named), [seed])])
    (rows,) = batch([back], {seed: constant(numpy.eye(size).reshape(size, 1, size), residuals.dtype)}, size)
    x, y, w = batched
    stacks = [np.expand_dims(n, 1) for n in (x, y, row_weight(task, y, w))]
    mapped = batch([residuals, rows], dict(zip(single, stacks, strict=True)), B)  # type: ignore[arg-type]  # B maps like any length
    return Graph((*vectors.values(), *batched), tuple(mapped), (*vectors, "x", "y", "w"))


def random_layers(task: Task) -> list[str]:
    """The names of layers that draw random numbers in training."""
    key, step = new_input(array_type("u32")), new_input(array_type("u32"))
    named, (x, *_) = task.named(task.vectors()), batch_inputs(task)
    output = as_node(task.model(named, x, training=True, key=key, step=step))
    return list(dict.fromkeys(n.scope for n in topological([output]) if key in n.inputs))


def _cost_and_gradient(
    task: Task, vectors: Mapping[str, Node], x: Node, y: Node, w: Node
) -> tuple[Node, Node, Node]:
    named = {name: as_node(array) for name, array in task.named(vectors).items()}
    output = task.model(named, x, training=True)
    with scope("loss"):
        weights = row_weight(task, y, w)
        costs = task.loss(output, y) * weights
        total, weight = np.sum(costs), np.sum(weights)
        cost = np.sum(np.astype(costs, "f64")) / np.sum(np.astype(weights, "f64"))
    gradient = flat_gradient(total, params_of(task, named)) / weight
    with scope("penalty"):
        penalty = penalty_of(task, vectors["theta"])
    if penalty is None:
        return cost, constant(0.0), gradient
    return cost, as_node(np.astype(penalty, "f64")), gradient + flat_gradient(penalty, [vectors["theta"]])


def _residuals(task: Task, named: Mapping[str, Node], x: Node, y: Node, weights: Node) -> Node:
    assert isinstance(task.loss, SumOfSquares)  # `check_full_batch` refuses any other
    output = task.model(named, x, training=True)
    with scope("loss"):
        return as_node(task.loss.residuals(output, y) * np.expand_dims(np.sqrt(weights), 1))
