"""The primitive of a loop: the same graph step after step, whose carried values go from one to the next.

The body gives the carried values after a step, and then what is recorded of it, which may be the same. A node
has one value. That of a loop is its *record*: what is recorded of all steps, flat and side by side,
`f32[B,T,R]`; parts of it are slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import ArrayType, Graph, Node, Primitive, interpret, new_input, rebuild, topological, tracing
from nnjit.ir.graph import constant_p, input_p
from nnjit.ir.types import B, Shape
from nnjit.primitives import broadcast, reshape, slice_


def _infer(
    *types: ArrayType, body: Graph, constants: int, carried: int, length: int, backwards: bool
) -> ArrayType:
    ends = constants + carried
    wanted = [
        n.type if k < ends else n.type.with_shape(stacked_shape(n.type, length))
        for k, n in enumerate(body.inputs)
    ]
    if list(types) != wanted:
        raise GraphError(f"scan: expected {', '.join(map(str, wanted))}, got {', '.join(map(str, types))}")
    for before, after in zip(body.inputs[constants:ends], body.outputs[:carried], strict=True):
        if before.type != after.type:
            raise GraphError(
                f"scan: a carried value is {before.type} before a step and {after.type} after it"
            )
    first, recorded = body.outputs[0].type, body.outputs[carried:]
    if any(n.dtype != first.dtype or n.type.is_batched != first.is_batched for n in body.outputs):
        raise GraphError(f"scan: results of one dtype, got {', '.join(str(n.type) for n in body.outputs)}")
    return first.with_shape((*lead(first), length, sum(n.type.row_size for n in recorded)))


def _evaluate(
    *arrays: np.ndarray, body: Graph, constants: int, carried: int, length: int, backwards: bool
) -> np.ndarray:
    ends = constants + carried
    fixed, values, stacks = arrays[:constants], [np.asarray(v) for v in arrays[constants:ends]], arrays[ends:]
    axes = [len(lead(n.type)) for n in body.inputs[ends:]]
    is_batched = body.outputs[0].type.is_batched
    rows: list[Any] = [None] * length
    for t in reversed(range(length)) if backwards else range(length):
        own = [np.take(x, t, axis) for x, axis in zip(stacks, axes, strict=True)]
        results = interpret(body, [*fixed, *values, *own])
        values = results[:carried]
        flat = [
            np.reshape(r, (*np.shape(r)[:is_batched], n.type.row_size))
            for r, n in zip(results[carried:], body.outputs[carried:], strict=True)
        ]
        rows[t] = np.concatenate(flat, axis=-1)
    return np.stack(rows, axis=int(is_batched))


def _jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node | None], **params: Any) -> Node:
    from nnjit.autodiff.loop_rules import push_through

    return push_through(out, args, tangents, **params)


def _vjp(g: Node, out: Node, args: Sequence[Node], **params: Any) -> Sequence[Node | None]:
    from nnjit.autodiff.loop_rules import pull_through

    return pull_through(g, args, **params)


scan_p = Primitive("scan", "scan", _infer, _evaluate, jvp=_jvp, vjp=_vjp)


def lead(type: ArrayType) -> Shape:
    """The batch axis, where there is one."""
    return (B,) if type.is_batched else ()


def stacked_shape(type: ArrayType, length: int) -> Shape:
    """The shape of `length` values of a type: the steps come behind the batch axis."""
    return (*lead(type), length, *type.row_shape)


@tracing(is_on=False)
def make_loop(
    outputs: Sequence[Node],
    carried: Sequence[Node],
    first: Sequence[Node],
    stacks: Mapping[Node, Node],
    *,
    length: int,
    backwards: bool,
    outer: Mapping[Node, Node] | None = None,
) -> Any:
    """The record of a loop over `outputs`, of which those that are carried come first.

    Args:
        carried: what stands for the carried values in `outputs`, and
        first: what they are before the first step.
        stacks: any nodes that differ from step to step, and for each its values at all steps.
        outer: nodes in `outputs` that stand for others outside the loop, and those.
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
    )


def parts(record: Any, types: Sequence[ArrayType], length: int) -> list[Any]:
    """The values at all steps of each of the results, in its own shape."""
    found, start = [], 0
    for type in types:
        whole = (*lead(type), length, type.row_size)
        starts = (*(0,) * (len(whole) - 1), start)
        found.append(reshape(slice_(record, starts=starts, shape=whole), shape=stacked_shape(type, length)))
        start += type.row_size
    return found


def at_step(stack: Any, type: ArrayType, t: int) -> Any:
    """The value at step `t` of all values of a type."""
    front = len(lead(type))
    starts = (*(0,) * front, t, *(0,) * len(type.row_shape))
    one = slice_(stack, starts=starts, shape=(*lead(type), 1, *type.row_shape))
    return reshape(one, shape=type.shape)


def _known(args: Sequence[Any]) -> Sequence[Any]:
    """The arguments themselves, or their values where none of them depends on an input."""
    nodes = [n for n in args if isinstance(n, Node)]
    if any(n.primitive is input_p for n in topological(nodes)):
        return args
    values = dict(zip(nodes, interpret(Graph((), tuple(nodes)), []), strict=True))
    return [values[n] if isinstance(n, Node) else n for n in args]


def _fixed(outputs: Iterable[Node], own: Iterable[Node]) -> list[Node]:
    """The nodes that `outputs` need, themselves the same at all steps; numbers stay in the body."""
    depending = set(own)
    order = topological(outputs, stop=depending)
    for node in order:
        if any(n in depending for n in node.inputs):
            depending.add(node)
    used = [n for node in order if node in depending for n in node.inputs] + list(outputs)
    found = dict.fromkeys(_unrepeated(n) for n in used if n not in depending)
    return [n for n in found if not _is_number(n)]


def _unrepeated(node: Node) -> Node:
    """What a broadcast repeats: a step repeats it for nothing, and need not have it in memory."""
    while node.primitive is broadcast:
        node = node.inputs[0]
    return node


def _is_number(node: Node) -> bool:
    """Whether `node` is a known number, or that number repeated."""
    if node.primitive is constant_p:
        return node.shape == ()
    return node.primitive.kind in ("view", "reshape") and _is_number(node.inputs[0])
