"""Reverse mode: pull cotangents from a graph's outputs back to any of its nodes."""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.autodiff.rules import RULES
from nnjit.errors import GraphError
from nnjit.ir import Node, origin, scope, topological, tracing
from nnjit.ir.graph import Partial
from nnjit.primitives import full_like


@tracing(is_on=False)
@origin("backward")
def pull_back(outputs: Sequence[Node], wrt: Sequence[Node], cotangents: Sequence[Node]) -> list[Node]:
    """The cotangents of the nodes `wrt`, from those of `outputs`: the chain rule, last operation first.

    Args:
        wrt: any nodes, inputs or not; those that the outputs do not depend on get zeros.
        cotangents: one for each output, of its type.
    """
    order = topological(outputs, stop=wrt)
    active = _depending(order, wrt)
    sums: dict[Node, Node] = {}
    for out, cotangent in zip(outputs, cotangents, strict=True):
        _accumulate(sums, out, cotangent)
    ends = set(wrt)
    for node in reversed(order):
        if node in sums and node in active and node not in ends:
            with scope(node.scope):
                for argument, g in zip(node.inputs, _cotangents(node, sums[node], active), strict=True):
                    if g is not None and argument in active:
                        _accumulate(sums, argument, g)
    return [sums[n] if n in sums else full_like(n, 0) for n in wrt]


def _depending(order: Sequence[Node], wrt: Sequence[Node]) -> set[Node]:
    """The nodes of `order` in `wrt` or computed from them."""
    active = set(wrt)
    for node in order:
        if any(n in active for n in node.inputs):
            active.add(node)
    return active


def _accumulate(sums: dict[Node, Node], node: Node, g: Node) -> None:
    sums[node] = sums[node] + g if node in sums else g


def _cotangents(node: Node, g: Node, active: set[Node]) -> Sequence[Node | None]:
    primitive, args = node.primitive, node.inputs
    pull = RULES[primitive].pull if primitive in RULES else primitive.vjp
    if pull:
        return pull(g, node, args, **node.params)
    if primitive.partials is not None:
        rules = primitive.partials
        return [scale(g, r, node) if a in active else None for a, r in zip(args, rules, strict=True)]
    if primitive.transposes is not None:
        rules = primitive.transposes
        return [
            rule(g, *args, **node.params) if callable(rule) and a in active else None
            for a, rule in zip(args, rules, strict=True)
        ]
    raise GraphError(f"{primitive.name} has no derivative rule")


def scale(g: Node, rule: Partial | int | None, node: Node) -> Node | None:
    """`g` times a partial derivative of an elementwise primitive."""
    if rule is None:
        return None
    if isinstance(rule, int):
        return g if rule == 1 else -g if rule == -1 else g * rule
    return g * rule(node, *node.inputs)
