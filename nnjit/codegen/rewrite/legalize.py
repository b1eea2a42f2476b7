"""Make a graph lowerable: insert a copy wherever an operation needs an array in memory but gets a view.

A *view* (a broadcast, a transpose, most slices) is an index map that a loop applies while it reads. An
*alias* (a reshape, a slice of whole leading rows) is part of another value's memory. All else is *computed*.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from nnjit.errors import CompileError
from nnjit.ir import B, Graph, Node, apply, rebuild
from nnjit.ir.graph import constant_p, input_p
from nnjit.primitives import reshape, scan_p, slice_, while_p
from nnjit.primitives.elementwise import copy_p
from nnjit.primitives.lanes import lane_weights
from nnjit.primitives.tables import listed_p

Copy: TypeAlias = Callable[[Node], Node]


def legalize(graph: Graph) -> Graph:
    """Return `graph` with copies of the views that products, reshapes or results need in memory.

    Raises:
        CompileError: the batch axis is not the first axis of some value.
    """
    for node in graph.nodes:
        if B in node.shape[1:]:
            raise CompileError(
                f"{node.primitive.name} gives {node.type}: the batch axis must be its first axis"
            )
    copied = cache(copy_p)  # one copy for all users
    inner = rebuild(graph.outputs, {}, lambda node: _legal(node, copied))
    taken: set[Node] = set()
    outputs = []
    for node in inner:
        base = root(node)
        if not is_computed(base) or base in taken or base.type.row_size != node.type.row_size:
            node = base = copy_p(node)
        taken.add(base)
        outputs.append(node)
    return Graph(graph.inputs, tuple(outputs), graph.names)


def is_batched(node: Node) -> bool:
    """Whether `node` has a value for each row of the batch."""
    return node.type.is_batched


def is_alias(node: Node) -> bool:
    """Whether `node` is part of the bytes of its argument."""
    if node.primitive is reshape:
        return True
    return (
        node.primitive is slice_
        and not is_batched(node)
        and _is_leading(node)
        and not is_view(node.inputs[0])
    )


def is_view(node: Node) -> bool:
    """Whether `node` is an index map over its argument."""
    return node.primitive.kind == "view" and not is_alias(node)


def is_computed(node: Node) -> bool:
    """Whether some loop or product computes `node`."""
    return node.primitive.kind not in ("input", "constant", "view", "reshape")


def root(node: Node) -> Node:
    """The node whose bytes an alias is part of; `node` itself if it is not an alias."""
    while is_alias(node):
        node = node.inputs[0]
    return node


def source(node: Node) -> Node:
    """The node under all views and aliases."""
    while is_alias(node) or is_view(node):
        node = node.inputs[0]
    return node


def offset(node: Node) -> int:
    """The offset of an alias in its root, in elements."""
    total = 0
    while is_alias(node):
        if node.primitive is slice_:
            inner = node.inputs[0].type.row_size // max(node.inputs[0].type.row_shape[0], 1)
            total += node.params["starts"][0] * inner
        node = node.inputs[0]
    return total


def is_batch_reduction(node: Node) -> bool:
    """Whether `node` reduces the batch axis: it is computed row by row, and complete after the last."""
    return not is_batched(node) and is_computed(node) and any(is_batched(n) for n in node.inputs)


def is_accumulated(node: Node) -> bool:
    """Whether `node` is a sum over the batch that begins as its identity and grows with each block.

    The first block sets a product over the batch instead, and each batch overwrites a list.
    """
    if not is_batch_reduction(node) or node.primitive is listed_p:
        return False
    return node.primitive.kind != "matmul" or node.primitive is lane_weights


def _is_leading(node: Node) -> bool:
    whole = zip(node.shape[1:], node.inputs[0].shape[1:], strict=True)
    return node.ndim >= 1 and all(d == e for d, e in whole)


def _legal(node: Node, copied: Copy) -> Node:
    if node.primitive is reshape and (is_view(node.inputs[0]) or node.inputs[0].primitive is constant_p):
        return apply(reshape, copied(node.inputs[0]), **node.params)
    if node.primitive.kind == "matmul":
        return apply(node.primitive, *(_in_memory(n, copied) for n in node.inputs), **node.params)
    if node.primitive.kind == "routine":  # a batch is copied, since a loop's rows may have gaps
        args = [copied(n) if is_batched(n) else _in_memory(n, copied) for n in node.inputs]
        return apply(node.primitive, *args, **node.params)
    if node.primitive is while_p:
        return apply(while_p, *(_in_memory(n, copied) for n in node.inputs), **node.params)
    if node.primitive is scan_p:
        ends = node.params["constants"] + node.params["carried"]
        args = [
            n if k >= ends and is_record_part(n) else _in_memory(n, copied) for k, n in enumerate(node.inputs)
        ]
        return apply(scan_p, *args, **node.params)
    return node


def is_record_part(node: Node) -> bool:
    """Whether `node` is, at each step of a loop, part of another loop's record, or of a similar value."""
    if node.primitive is not slice_ or is_alias(node) or node.shape[:-1] != node.inputs[0].shape[:-1]:
        return False
    base = node.inputs[0]
    return not is_view(base) and is_computed(root(base)) and node.type.row_shape[1:] == node.shape[-1:]


def loop_source(node: Node) -> Node:
    """The argument of a loop itself, or the record that contains it."""
    return node.inputs[0] if is_view(node) else node


def _in_memory(node: Node, copied: Copy) -> Node:
    base = source(node) if is_view(node) else root(node)
    is_there = not is_view(node) and (is_computed(base) or base.primitive is input_p)
    return node if is_there else copied(node)
