"""Rewrite the graph of a prediction for C: small buffers, and constants for all that does not depend on x."""

from __future__ import annotations

import numpy as np

from nnjit.ir import Graph, Node, beside, constant, consumers, rebuild
from nnjit.ir.graph import constant_p
from nnjit.ir.interpret import evaluate_node
from nnjit.primitives import broadcast, matmul, mul, reduce_sum, reshape, windows


def without_windows(graph: Graph) -> Graph:
    """Make convolutions loops that read windows in place, so no buffer holds copies."""
    return Graph(graph.inputs, rebuild(graph.outputs, {}, _direct), graph.names)


def _direct(node: Node) -> Node:
    if node.primitive is not matmul or node.params["ta"] or node.params["tb"]:
        return node
    left, weights = node.inputs
    seen = left.inputs[0] if left.primitive is reshape else left
    places = left.ndim - 1
    if seen.primitive is not windows or left.shape[:-1] != seen.shape[:places]:
        return node
    shape, axes = (*seen.shape, node.shape[-1]), tuple(range(seen.ndim))
    taps = reshape(weights, shape=shape[places:])
    pairs = ((seen, axes), (taps, tuple(range(places, len(shape)))))
    return reduce_sum(mul(*(broadcast(x, shape=shape, axes=own) for x, own in pairs)), axes=axes[places:])


def folded(graph: Graph) -> Graph:
    """Evaluate everything in `graph` that does not depend on the input."""
    known: dict[Node, np.ndarray] = {}
    for node in graph.nodes:
        if node.primitive is constant_p:
            known[node] = array_of(node)
        elif node.inputs and not node.type.is_batched and all(n in known for n in node.inputs):
            known[node] = evaluate_node(node, [known[n] for n in node.inputs], rows=None)
    users = consumers(graph.nodes)
    ends = [n for n in known if n in graph.outputs or any(user not in known for user in users[n])]
    values = {n: n if n.primitive is constant_p else _constant(known[n], n) for n in ends}
    return Graph(graph.inputs, rebuild(graph.outputs, values), graph.names)


def with_numbers(graph: Graph) -> Graph:
    """Replace constant arrays of one element with numbers, which are inlined."""
    single = [n for n in graph.nodes if n.primitive is constant_p and n.shape != () and n.size == 1]
    numbers = {n: _constant(array_of(n).reshape(()), n) for n in single}
    values = {n: broadcast(number, shape=n.shape, axes=()) for n, number in numbers.items()}
    return Graph(graph.inputs, rebuild(graph.outputs, values), graph.names)


def array_of(node: Node) -> np.ndarray:
    """The array of a constant."""
    array: np.ndarray = node.params["value"].array
    return array


def _constant(array: np.ndarray, like: Node) -> Node:
    """A constant of the layer of a node."""
    with beside(like):
        return constant(array)
