"""Type-check a graph; every pass takes and returns a valid one."""

from __future__ import annotations

from nnjit.errors import GraphError
from nnjit.ir.graph import Graph, constant_p, input_p


def verify(graph: Graph) -> Graph:
    """Return `graph` if every node has the type its primitive infers, and every input is listed.

    Raises:
        GraphError: names the wrong node, its type and the expected type.
    """
    known = set(graph.inputs)
    for node in graph.nodes:
        if node.primitive is input_p and node not in known:
            raise GraphError(f"the graph reads an input {node.type} that it does not list")
        if node.primitive in (input_p, constant_p):
            continue
        inferred = node.primitive.infer(*(n.type for n in node.inputs), **node.params)
        if inferred != node.type:
            raise GraphError(f"{node.primitive.name}: has type {node.type}, expected {inferred}")
    return graph
