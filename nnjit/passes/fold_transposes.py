"""Fold transposes into adjacent products: a product reads its arguments in any order."""

from __future__ import annotations

from nnjit.ir import Graph, Node, apply, rebuild
from nnjit.primitives import batch_matmul, matmul, transpose


def fold_transposes(graph: Graph) -> Graph:
    """Replace transposes of products' arguments and results by the products' flags."""
    return Graph(graph.inputs, rebuild(graph.outputs, {}, _fold), graph.names)


def _fold(node: Node) -> Node:
    if node.primitive is transpose and node.inputs[0].primitive is matmul and node.params["perm"] == (1, 0):
        (a, b), flags = node.inputs[0].inputs, node.inputs[0].params
        return apply(matmul, b, a, ta=not flags["tb"], tb=not flags["ta"])
    if node.primitive.kind != "matmul":
        return node
    (a, ta), (b, tb) = (
        _untransposed(n, node.params[flag], is_stack=node.primitive is batch_matmul)
        for n, flag in zip(node.inputs, ("ta", "tb"), strict=True)
    )
    return apply(node.primitive, a, b, ta=ta, tb=tb) if (a, b) != node.inputs else node


def _untransposed(node: Node, flag: bool, *, is_stack: bool) -> tuple[Node, bool]:
    last = node.ndim - 2  # stacked products read each matrix in any order
    swaps = node.primitive is transpose and node.params["perm"] == (*range(last), last + 1, last)
    return (node.inputs[0], not flag) if swaps and (is_stack or last == 0) else (node, flag)
