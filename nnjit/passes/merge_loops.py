"""Merge two loops of the same steps: the backward pass needs one that records more than its results."""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.ir import Graph, Node, rebuild
from nnjit.primitives import scan_p, slice_


def merge_loops(graph: Graph) -> Graph:
    """`graph` in which a loop whose record is part of another's reads it there."""
    loops = [n for n in graph.nodes if n.primitive is scan_p]
    if len(loops) < 2:
        return graph
    return Graph(graph.inputs, rebuild(graph.outputs, {}, lambda n: _read(n, loops)), graph.names)


def _read(node: Node, loops: Sequence[Node]) -> Node:
    if node.primitive is not scan_p:
        return node
    wider = max((n for n in loops if _is_wider(n, node)), key=lambda n: n.type.row_size, default=node)
    return node if wider is node else slice_(wider, starts=(0,) * node.ndim, shape=node.shape)


def _is_wider(wide: Node, node: Node) -> bool:
    own, other = node.params["body"], wide.params["body"]
    if wide.inputs != node.inputs or other.inputs != own.inputs or len(other.outputs) < len(own.outputs):
        return False
    same = all(wide.params[k] == node.params[k] for k in ("constants", "carried", "length", "backwards"))
    return same and other.outputs[: len(own.outputs)] == own.outputs
