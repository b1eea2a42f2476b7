"""Join the cotangents of an array's slices: sums of arrays, each zero where the other is not.

A slice's cotangent is padded with zeros, by a concatenation. Cotangents of slices that do not overlap make
one concatenation, without these zeros.
"""

from __future__ import annotations

from itertools import accumulate

from nnjit.ir import Graph, Node, rebuild
from nnjit.ir.graph import constant_p
from nnjit.ir.types import static
from nnjit.primitives import add, broadcast, concat, full


def join_pieces(graph: Graph) -> Graph:
    """Replace a sum of two concatenations that do not overlap by one concatenation."""
    return Graph(graph.inputs, rebuild(graph.outputs, {}, _join), graph.names)


def _join(node: Node) -> Node:
    if node.primitive is not add or any(n.primitive is not concat for n in node.inputs):
        return node
    (a, b), axis = node.inputs, node.inputs[0].params["axis"]
    if b.params["axis"] != axis:
        return node
    pieces = sorted(_pieces(a, axis) + _pieces(b, axis), key=lambda piece: piece[0])
    parts, end = [], 0
    for start, piece in pieces:
        if start < end:
            return node
        parts += [*_zeros(node, axis, start - end), piece]
        end = start + _length(piece, axis)
    parts += _zeros(node, axis, _length(node, axis) - end)
    return concat(*parts, axis=axis)


def _pieces(node: Node, axis: int) -> list[tuple[int, Node]]:
    """The nonzero parts of a concatenation, and their offsets."""
    starts = accumulate((_length(n, axis) for n in node.inputs), initial=0)
    return [(start, n) for start, n in zip(starts, node.inputs, strict=False) if not _is_zero(n)]


def _zeros(node: Node, axis: int, length: int) -> list[Node]:
    return [full(node.type, 0, (*node.shape[:axis], length, *node.shape[axis + 1 :]))] if length else []


def _length(node: Node, axis: int) -> int:
    return static(node.shape[axis : axis + 1])[0]


def _is_zero(node: Node) -> bool:
    if node.primitive is broadcast:
        return _is_zero(node.inputs[0])
    return node.primitive is constant_p and not node.params["value"].array.any()
