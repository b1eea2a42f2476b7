"""Derivatives of graphs, and graphs with a new leading axis, for nodes that hold graphs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.rules import Batch
from nnjit.ir import Graph, new_input


def tangent_graph(graph: Graph, moving: Sequence[int]) -> Graph:
    """(inputs, tangents of the moving inputs) → tangents of the outputs.

    Args:
        moving: the numbers of the inputs with a tangent.
    """
    wrt = [graph.inputs[k] for k in moving]
    seeds = [new_input(n.type) for n in wrt]
    return Graph((*graph.inputs, *seeds), tuple(push_forward(graph.outputs, wrt, seeds)))


def cotangent_graph(graph: Graph, wrt: Sequence[int]) -> Graph:
    """(inputs, cotangents of the outputs) → cotangents of the inputs with numbers `wrt`."""
    seeds = [new_input(n.type) for n in graph.outputs]
    back = pull_back(graph.outputs, [graph.inputs[k] for k in wrt], seeds)
    return Graph((*graph.inputs, *seeds), tuple(back))


def mapped_graph(graph: Graph, mapped: Collection[int], n: int, batch: Batch) -> Graph:
    """The graph with a new leading axis of length `n` in its outputs and the inputs `mapped`."""
    pairs = enumerate(graph.inputs)
    new = {x: new_input(x.type.with_shape((n, *x.shape))) for k, x in pairs if k in mapped}
    outputs = batch(graph.outputs, new, n)
    return Graph(tuple(new.get(x, x) for x in graph.inputs), tuple(outputs), graph.names)
