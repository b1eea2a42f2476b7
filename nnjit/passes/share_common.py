"""Eliminate common subexpressions: compute equal nodes once."""

from __future__ import annotations

from collections.abc import Hashable

from nnjit.ir import Graph, Node, rebuild


def share_common(graph: Graph) -> Graph:
    """Merge nodes that apply the same primitive to the same arguments."""
    first: dict[Hashable, Node] = {}

    def share(node: Node) -> Node:
        if not node.inputs and "value" not in node.params:
            return node
        return first.setdefault(
            (node.primitive, node.inputs, tuple(sorted(node.params.items())), node.type), node
        )

    return Graph(graph.inputs, rebuild(graph.outputs, {}, share), graph.names)
