"""Simplify algebraically by a table of rewrite rules, each exact for every number, infinity and NaN.

The sign of a zero may change: `x + 0` is `x`. Rules that would hide a NaN, such as `0 * x`, are left out.
Nodes that only derivatives read are removed: passes run after all derivatives are taken.
"""

from __future__ import annotations

from collections.abc import Callable

from nnjit.ir import Graph, Node, apply, rebuild
from nnjit.ir.graph import constant_p
from nnjit.ir.types import static
from nnjit.primitives import (
    add,
    after_p,
    broadcast,
    cast,
    checkpoint_p,
    concat,
    custom_p,
    div,
    equal,
    full_like,
    mul,
    neg,
    pow_,
    reduce_max,
    reduce_min,
    reduce_sum,
    reshape,
    select,
    slice_,
    stop_gradient,
    sub,
    switch_p,
    transpose,
)  # fmt: skip

Rewrite = Callable[..., Node | None]


def simplify(graph: Graph) -> Graph:
    """Apply every rule wherever it matches, arguments first."""
    return Graph(graph.inputs, rebuild(graph.outputs, {}, rewrite), graph.names)


def rewrite(node: Node) -> Node:
    """Simplify one node whose arguments are already simple."""
    if (uniform := _shares_one_broadcast(node)) is not None:
        return uniform
    for rule in RULES.get(node.primitive, ()):
        if (better := rule(node, *node.inputs)) is not None:
            return better
    return node


def _is(node: Node, value: float) -> bool:
    """Whether every element of `node` is known to be `value`."""
    while node.primitive is broadcast:
        node = node.inputs[0]
    return node.primitive is constant_p and bool((node.params["value"].array == value).all())


def _shares_one_broadcast(node: Node) -> Node | None:
    """Rewrite op(broadcast(x), broadcast(y)) as broadcast(op(x, y)), if both repeat the same way."""
    first = node.inputs[0] if node.inputs else None
    if node.primitive.kind != "elementwise" or first is None:
        return None
    if any(n.primitive is not broadcast or n.params != first.params for n in node.inputs):
        return None
    inner = node.primitive(*(n.inputs[0] for n in node.inputs), **node.params)
    return apply(broadcast, inner, **first.params)


def _merge_broadcasts(node: Node, x: Node) -> Node | None:
    if x.primitive is broadcast:
        axes = tuple(node.params["axes"][a] for a in x.params["axes"])
        return apply(broadcast, x.inputs[0], shape=node.shape, axes=axes)
    return x if node.type == x.type else None


def _merge_reshapes(node: Node, x: Node) -> Node | None:
    if x.primitive is reshape:
        return apply(reshape, x.inputs[0], shape=node.shape)
    return x if node.type == x.type else None


def _merge_transposes(node: Node, x: Node) -> Node | None:
    perm = node.params["perm"]
    if x.primitive is transpose:
        return apply(transpose, x.inputs[0], perm=tuple(x.params["perm"][a] for a in perm))
    return x if perm == tuple(range(x.ndim)) else None


def _reduce_nothing(node: Node, x: Node) -> Node | None:
    if all(x.shape[a] == 1 for a in node.params["axes"]):
        return apply(reshape, x, shape=node.shape)
    return None


def _compute_all(node: Node, index: Node, *operands: Node) -> Node:
    """Compute all branches, then select: loops cannot branch, and no derivatives follow."""
    *others, chosen = (
        rebuild(branch.outputs, dict(zip(branch.inputs, operands, strict=True)), rewrite)[0]
        for branch in node.params["branches"]
    )
    for k, value in reversed(list(enumerate(others))):
        is_chosen = index if index.dtype.kind == "b" else equal(index, full_like(index, k))
        places = apply(broadcast, is_chosen, shape=node.shape, axes=tuple(range(index.ndim)))
        chosen = apply(select, rewrite(places), value, chosen)
    return chosen


def _compute_anew(node: Node, *arguments: Node) -> Node:
    """Recompute a checkpoint's graph from arguments that wait, so nothing is kept for it."""
    body, number = node.params["body"], node.params["waits_for"]
    if number is not None:
        token = arguments[number]
        arguments = tuple(_after(x, token) if k != number else x for k, x in enumerate(arguments))
    return rebuild(body.outputs, dict(zip(body.inputs, arguments, strict=True)), rewrite)[0]


def _after(x: Node, token: Node) -> Node:
    """`x`, once the first element of a token is known; row by row if both have the batch axis."""
    is_rows = x.type.is_batched and token.type.is_batched
    if x.primitive is constant_p or not token.type.row_size or (token.type.is_batched and not is_rows):
        return x  # values that differ by row wait, and with them all that is computed from them
    lead = token.shape[:1] if is_rows else ()
    ones = (*lead, *(1,) * len(token.type.row_shape))
    first = apply(reshape, apply(slice_, token, starts=(0,) * token.ndim, shape=ones), shape=lead)
    whole = apply(broadcast, first, shape=x.shape, axes=tuple(range(len(lead))))
    return apply(after_p, x, whole)


def _merge_slices(node: Node, x: Node) -> Node | None:
    if x.primitive is not slice_:
        return None
    starts = tuple(a + b for a, b in zip(node.params["starts"], x.params["starts"], strict=True))
    return apply(slice_, x.inputs[0], starts=starts, shape=node.shape)


def _of_one_piece(node: Node, x: Node) -> Node | None:
    """Read a slice of a concatenation from the one piece that contains it, if any."""
    if x.primitive is not concat:
        return None
    axis, starts = x.params["axis"], node.params["starts"]
    low, (length,) = starts[axis], static(node.shape[axis : axis + 1])
    for piece in x.inputs:
        (size,) = static(piece.shape[axis : axis + 1])
        if low >= 0 and low + length <= size:
            begin = (*starts[:axis], low, *starts[axis + 1 :])
            return rewrite(apply(slice_, piece, starts=begin, shape=node.shape))
        low -= size
    return None


# fmt: off
RULES: dict[object, tuple[Rewrite, ...]] = {
    add:           (lambda n, x, y: x if _is(y, 0) else None,
                    lambda n, x, y: y if _is(x, 0) else None,
                    lambda n, x, y: sub(x, y.inputs[0]) if y.primitive is neg else None,
                    lambda n, x, y: sub(y, x.inputs[0]) if x.primitive is neg else None),
    sub:           (lambda n, x, y: x if _is(y, 0) else None,
                    lambda n, x, y: neg(y) if _is(x, 0) else None,
                    lambda n, x, y: add(x, y.inputs[0]) if y.primitive is neg else None),
    mul:           (lambda n, x, y: x if _is(y, 1) else None,
                    lambda n, x, y: y if _is(x, 1) else None,
                    lambda n, x, y: neg(x) if _is(y, -1) else None,
                    lambda n, x, y: neg(y) if _is(x, -1) else None),
    div:           (lambda n, x, y: x if _is(y, 1) else None,),
    pow_:          (lambda n, x, y: x if _is(y, 1) else None,),
    neg:           (lambda n, x: x.inputs[0] if x.primitive is neg else None,),
    select:        (lambda n, c, x, y: x if x is y else None,),
    cast:          (lambda n, x: x if x.type == n.type else None,),
    stop_gradient: (lambda n, x: x,),
    switch_p:      (_compute_all,),
    checkpoint_p:  (_compute_anew,),
    custom_p:        (lambda n, y, *xs: y,),
    reduce_sum:    (_reduce_nothing,),
    reduce_max:    (_reduce_nothing,),
    reduce_min:    (_reduce_nothing,),
    broadcast:     (_merge_broadcasts,),
    reshape:       (_merge_reshapes,),
    transpose:     (_merge_transposes,),
    slice_:        (lambda n, x: x if x.type == n.type else None, _merge_slices, _of_one_piece),
}
# fmt: on
