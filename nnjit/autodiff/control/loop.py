"""Build a loop from the nodes of one step, computing loop-invariant values before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nnjit.ir import Graph, Node, interpret, new_input, rebuild, topological, tracing
from nnjit.ir.graph import constant_p, input_p
from nnjit.primitives import broadcast, scan_p, while_p


@tracing(is_on=False)
def make_loop(
    outputs: Sequence[Node],
    carried: Sequence[Node],
    first: Sequence[Node],
    stacks: Mapping[Node, Node],
    *,
    length: int,
    backwards: bool,
    keeps_last: bool = False,
    outer: Mapping[Node, Node] | None = None,
) -> Any:
    """The record of a loop over `outputs`, carried values first.

    Args:
        carried: the nodes that stand for the carried values in `outputs`.
        first: their values before the first step.
        stacks: from nodes that differ from step to step to their values at all steps.
        keeps_last: whether the record holds the last step alone.
        outer: from nodes in `outputs` to the nodes outside the loop that they stand for.
    """
    order = topological(outputs, stop=[*stacks, *carried])
    varying = {n: new_input(n.type) for n in stacks if n in order}
    inner = rebuild(outputs, varying)
    own = [*carried, *varying.values()]
    fixed = {n: new_input(n.type) for n in _fixed(inner, own)}
    inner = rebuild(inner, fixed)
    body = Graph((*fixed.values(), *own), (*inner[: len(carried)], *inner))
    args = [*rebuild(list(fixed), outer or {}), *first, *(stacks[n] for n in varying)]
    return scan_p(
        *_known(args),
        body=body,
        constants=len(fixed),
        carried=len(carried),
        length=length,
        backwards=backwards,
        keeps_last=keeps_last,
    )


@tracing(is_on=False)
def make_while(
    step: Sequence[Node],
    carried: Sequence[Node],
    first: Sequence[Any],
    is_going: Any,
    result: Node,
    *,
    outer: Mapping[Node, Node] | None = None,
) -> Any:
    """The value of a loop that repeats as long as its step asks for another.

    Args:
        step: whether there is another step, and the carried values after one.
        carried: the nodes that stand for the carried values in `step` and `result`.
        first: their values before the first step.
        is_going: whether there is a first step.
        result: the value, computed from the last carried values.
        outer: from nodes in `step` and `result` to the nodes outside the loop that they stand for.
    """
    outputs = [*step, result]
    fixed = {n: new_input(n.type) for n in _fixed(outputs, carried)}
    inner = rebuild(outputs, fixed)
    inputs = (*fixed.values(), *carried)
    return while_p(
        *_known([*rebuild(list(fixed), outer or {}), is_going, *first]),
        step=Graph(inputs, inner[:-1]),
        result=Graph(inputs, inner[-1:]),
        constants=len(fixed),
    )


def _known(args: Sequence[Any]) -> Sequence[Any]:
    """The arguments, evaluated if none of them depends on an input."""
    nodes = [n for n in args if isinstance(n, Node)]
    if any(n.primitive is input_p for n in topological(nodes)):
        return args
    values = dict(zip(nodes, interpret(Graph((), tuple(nodes)), []), strict=True))
    return [values[n] if isinstance(n, Node) else n for n in args]


def _fixed(outputs: Iterable[Node], own: Iterable[Node]) -> list[Node]:
    """The loop-invariant nodes that `outputs` depend on; numbers stay in the body."""
    depending = set(own)
    order = topological(outputs, stop=depending)
    for node in order:
        if any(n in depending for n in node.inputs):
            depending.add(node)
    used = [n for node in order if node in depending for n in node.inputs] + list(outputs)
    found = dict.fromkeys(_unrepeated(n) for n in used if n not in depending)
    return [n for n in found if not _is_number(n)]


def _unrepeated(node: Node) -> Node:
    """The argument of broadcasts: a step repeats it at no cost, without storing the copies."""
    while node.primitive is broadcast:
        node = node.inputs[0]
    return node


def _is_number(node: Node) -> bool:
    """Whether `node` is a known number, or one repeated."""
    if node.primitive is constant_p:
        return node.shape == ()
    return node.primitive.kind in ("view", "reshape") and _is_number(node.inputs[0])
