"""Replace operations with others that kernels compute better.

A product with one column is a dot product for each row, and calling a product of a few elements would take
longer than computing it: as elementwise products and sums, both fuse with the loops around them. A sum of
scatters over examples becomes one scatter of all. Sorting is along the last axis. The weights of a loop's
steps are transposed once before the loop, not at each step. Long sums of f32 are accumulated in f64.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from nnjit.codegen.rewrite.sparse_rows import dense
from nnjit.ir import B, Dim, Graph, Node, apply, new_input, rebuild
from nnjit.primitives import (
    add,
    argsort,
    broadcast,
    cast,
    matmul,
    mul,
    reduce_sum,
    reshape,
    scan_p,
    scatter_add,
    transpose,
)
from nnjit.primitives.determinants import COMPOSED
from nnjit.primitives.indexing import scatter_sum_p
from nnjit.primitives.shaping import pick_p

LONG = 4096  # elements: with 32 partial sums, each of 128, an f32 sum is as exact as its values
LARGEST = 16  # elements of a weight matrix; a single column or row may have any number


def expand(graph: Graph, *, products: bool = True) -> Graph:
    """Return `graph` without the products that loops compute better, and without sums of scattered rows.

    Args:
        products: False to keep all products.
    """
    outputs = rebuild(rebuild(graph.outputs, {}, dense), {}, _expand if products else _expand_others)
    return Graph(graph.inputs, outputs, graph.names)


def _expand(node: Node) -> Any:
    return _expand_product(node) if node.primitive is matmul else _expand_others(node)


def _expand_others(node: Node) -> Any:
    if node.primitive in COMPOSED:
        return COMPOSED[node.primitive](*node.inputs)
    if node.primitive is scan_p:
        return _with_transposed_weights(node)
    if node.primitive is argsort and node.params["axis"] != node.ndim - 1:
        return _along_last(node)
    if node.primitive is reduce_sum and _is_long(node):
        wide = apply(cast, node.inputs[0], dtype=np.dtype("f8"))
        return apply(cast, apply(reduce_sum, wide, **node.params), dtype=node.dtype)
    if node.primitive is reduce_sum and node.params["axes"] == (0,):
        (x,) = node.inputs
        is_scattered = x.primitive is scatter_add and x.type.is_batched and x.params["axis"] > 0
        return apply(scatter_sum_p, *x.inputs, **x.params) if is_scattered else node
    return node


def _expand_product(node: Node) -> Any:
    if node.params["tb"] and node.inputs[1].type.is_batched:
        return node
    a, b = node.inputs
    if a.ndim > 2 or b.ndim > 2:
        return node
    is_tiny = max(n.type.row_size for n in (a, b, node) if not n.type.is_batched) <= LARGEST
    if node.params["ta"] and a.type.is_batched:
        return _sum_over_rows(a, b) if is_tiny or 1 in node.shape else node
    if not a.type.is_batched:
        return node
    if node.shape[1] == 1 and not is_tiny:
        return _dot_products(node, a, b)
    terms = a.shape[1]
    if not isinstance(terms, int) or not (is_tiny or terms == 1) or terms == 0:
        return node
    return reduce(add, (mul(*_factors(node, a, b, k)) for k in range(terms)))


def _is_long(total: Node) -> bool:
    """Whether an f32 sum has so many terms, not counting rows of the batch, that rounding errors add up."""
    lengths = [total.inputs[0].shape[a] for a in total.params["axes"]]
    return total.dtype == np.float32 and math.prod(n for n in lengths if isinstance(n, int)) > LONG


def _along_last(node: Node) -> Any:
    """Sort along the last axis instead of another."""
    last, axis = node.ndim - 1, node.params["axis"]
    perm = tuple(last if a == axis else axis if a == last else a for a in range(node.ndim))
    return transpose(argsort(transpose(node.inputs[0], perm=perm), axis=last), perm=perm)


def _with_transposed_weights(loop: Node) -> Node:
    """Add to a loop the transposes of the constants that its step multiplies with transposed.

    A product packs a transposed argument in every call, which takes as long as the product itself if a step
    has few rows (LSTM: 1.65 → 1.46 ms).
    """
    body, count = loop.params["body"], loop.params["constants"]
    used = {n.inputs[1] for n in body.nodes if _transposes_its_weights(n)}
    transposed = {n: new_input(n.type.with_shape(n.shape[::-1])) for n in body.inputs[:count] if n in used}
    if not transposed:
        return loop

    def rewrite(node: Node) -> Node:
        if _transposes_its_weights(node) and node.inputs[1] in transposed:
            return apply(matmul, node.inputs[0], transposed[node.inputs[1]], ta=False, tb=False)
        return node

    inputs = (*body.inputs[:count], *transposed.values(), *body.inputs[count:])
    weights = (
        apply(transpose, x, perm=(1, 0))
        for inner, x in zip(body.inputs[:count], loop.inputs, strict=False)
        if inner in transposed
    )
    params = {
        **loop.params,
        "body": Graph(inputs, rebuild(body.outputs, {}, rewrite)),
        "constants": count + len(transposed),
    }
    return apply(scan_p, *loop.inputs[:count], *weights, *loop.inputs[count:], **params)


def _transposes_its_weights(node: Node) -> bool:
    if node.primitive is not matmul or not node.params["tb"] or node.params["ta"]:
        return False
    return node.inputs[0].type.is_batched and not node.inputs[1].type.is_batched


def _sum_over_rows(a: Node, b: Node) -> Any:
    """Aᵀ B for matrices with one row per example."""
    shape: tuple[Dim, ...] = (B, a.shape[1], b.shape[1])
    left, right = broadcast(a, shape=shape, axes=(0, 1)), broadcast(b, shape=shape, axes=(0, 2))
    if 1 in shape[1:]:  # a vector: one loop
        size = (B, a.type.row_size * b.type.row_size)
        left, right = (_along(x, size) for x in (a, b))
        return reshape(reduce_sum(mul(left, right), axes=(0,)), shape=shape[1:])
    return reduce_sum(mul(left, right), axes=(0,))


def _along(x: Node, shape: tuple[Dim, int]) -> Any:
    """A row of one element repeated along `shape`; any other row unchanged."""
    return broadcast(reshape(x, shape=(B,)), shape=shape, axes=(0,)) if x.shape[1] == 1 else x


def _dot_products(node: Node, a: Node, b: Node) -> Any:
    column = broadcast(reshape(b, shape=(b.type.row_size,)), shape=a.shape, axes=(1,))
    return reshape(reduce_sum(mul(a, column), axes=(1,)), shape=node.shape)


def _factors(node: Node, a: Node, b: Node, k: int) -> tuple[Any, Any]:
    """Column k of A and row k of op(B), both in the shape of the product."""
    right = pick_p(b, axis=1 if node.params["tb"] else 0, index=k)
    return (
        broadcast(pick_p(a, axis=1, index=k), shape=node.shape, axes=(0,)),
        broadcast(right, shape=node.shape, axes=(1,)),
    )
