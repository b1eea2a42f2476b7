"""Fold constants: interpret nodes with constant arguments only, and nodes without elements."""

from __future__ import annotations

import numpy as np

from nnjit.ir import B, Graph, Node, constant, rebuild
from nnjit.ir.graph import constant_p
from nnjit.ir.interpret import evaluate_node
from nnjit.primitives import broadcast

LARGEST = 4096  # elements; storing a larger constant costs more than computing it


def fold_constants(graph: Graph) -> Graph:
    """Evaluate constant expressions; keep broadcasts, since loops repeat values at no cost."""
    return Graph(graph.inputs, rebuild(graph.outputs, {}, _fold), graph.names)


def _fold(node: Node) -> Node:
    if 0 in node.shape and node.inputs and B not in node.shape:
        return constant(np.zeros(node.shape, node.dtype))
    is_known = bool(node.inputs) and all(n.primitive is constant_p for n in node.inputs)
    if not is_known or node.primitive is broadcast or node.type.is_batched or node.type.row_size > LARGEST:
        return node
    arguments = [n.params["value"].array for n in node.inputs]
    return constant(evaluate_node(node, arguments, rows=None))
