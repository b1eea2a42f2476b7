"""Merge loops of the same steps: the backward pass needs a copy that records more than the results."""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.ir import Graph, Node, apply, rebuild
from nnjit.primitives import reshape, scan_p, slice_
from nnjit.primitives.scan import Loop, lead


def merge_loops(graph: Graph) -> Graph:
    """Replace a loop by slices of another's record that contains its own."""
    loops = [n for n in graph.nodes if n.primitive is scan_p]
    if len(loops) < 2:
        return graph
    return Graph(graph.inputs, rebuild(graph.outputs, {}, lambda n: _read(n, loops)), graph.names)


def _read(node: Node, loops: Sequence[Node]) -> Node:
    if node.primitive is not scan_p:
        return node
    wider = max((n for n in loops if _is_wider(n, node)), key=lambda n: n.type.row_size, default=node)
    if wider is node:
        return node
    loop = Loop(**node.params)
    if not loop.keeps_last:
        return slice_(wider, starts=(0,) * node.ndim, shape=node.shape)
    rows = lead(node.type)
    starts, shape = (*(0,) * len(rows), loop.last, 0), (*rows, 1, node.type.row_size)
    return apply(reshape, slice_(wider, starts=starts, shape=shape), shape=node.shape)


def _is_wider(wide: Node, node: Node) -> bool:
    own, other = node.params["body"], wide.params["body"]
    if wide.inputs != node.inputs or other.inputs != own.inputs or len(other.outputs) < len(own.outputs):
        return False
    same = all(wide.params[k] == node.params[k] for k in ("constants", "carried", "length", "backwards"))
    return same and not wide.params["keeps_last"] and other.outputs[: len(own.outputs)] == own.outputs
