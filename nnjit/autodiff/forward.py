"""Forward mode: push tangents from nodes of a graph to its outputs."""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.autodiff.reverse import scale
from nnjit.autodiff.rules import RULES
from nnjit.errors import GraphError
from nnjit.ir import Node, apply, origin, scope, topological, tracing
from nnjit.primitives import full_like


@tracing(is_on=False)
@origin("tangent")
def push_forward(outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
    """The tangents of `outputs`, from those of the nodes `wrt`: the chain rule, first operation first."""
    known: dict[Node, Node] = dict(zip(wrt, tangents, strict=True))
    for node in topological(outputs, stop=wrt):
        own = [known.get(n) for n in node.inputs]
        if node not in known and any(t is not None for t in own):
            with scope(node.scope):
                tangent = _tangent(node, own)
            if tangent is not None:
                known[node] = tangent
    return [known[n] if n in known else full_like(n, 0) for n in outputs]


def _tangent(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    primitive, args = node.primitive, node.inputs
    push = RULES[primitive].push if primitive in RULES else primitive.jvp
    if push:
        return push(node, args, tangents, **node.params)
    if primitive.partials is not None:
        rules = zip(tangents, primitive.partials, strict=True)
        return _total([None if t is None else scale(t, rule, node) for t, rule in rules])
    if primitive.transposes is not None:
        return _linear(node, tangents)
    raise GraphError(f"{primitive.name} has no derivative rule")


def _linear(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    """A linear operation maps tangents as it maps values: all arguments together, or one at a time."""
    rules = node.primitive.transposes or ()
    moving = [i for i, (t, rule) in enumerate(zip(tangents, rules, strict=True)) if t is not None and rule]
    moving = [i for i in moving if node.inputs[i].type.is_float and node.type.is_float]
    if not moving:
        return None
    if node.primitive.jointly:
        args = [
            (full_like(a, 0) if t is None else t) if rule else a
            for a, t, rule in zip(node.inputs, tangents, rules, strict=True)
        ]
        return apply(node.primitive, *args, **node.params)
    parts = []
    for i in moving:
        args = [
            a if t is None or k != i else t
            for k, (a, t) in enumerate(zip(node.inputs, tangents, strict=True))
        ]
        parts.append(apply(node.primitive, *args, **node.params))
    return _total(parts)


def _total(parts: Sequence[Node | None]) -> Node | None:
    total: Node | None = None
    for part in parts:
        total = part if total is None else total if part is None else total + part
    return total
