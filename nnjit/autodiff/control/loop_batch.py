"""`vmap` of loops: one loop whose steps compute all examples."""

from __future__ import annotations

from collections.abc import Mapping

import nnjit.numpy as nnp
from nnjit.autodiff.control.loop import make_loop, make_while
from nnjit.autodiff.rules import Batch
from nnjit.autodiff.tracing import node_of
from nnjit.ir import Node, apply, new_input
from nnjit.primitives import broadcast, logical_and, select
from nnjit.primitives.scan import Loop, parts
from nnjit.primitives.while_loop import While


def batch_loop(node: Node, new: Mapping[Node, Node], n: int, batch: Batch) -> Node:
    """The record of a loop with a new leading axis, of length `n`.

    Args:
        new: from nodes to the same nodes with the leading axis.
        batch: adds the leading axis to nodes.
    """
    loop = Loop(**node.params)
    given = dict(zip(loop.body.inputs, node.inputs, strict=True))
    mapped = [b for b in loop.body.inputs if b in loop.before or given[b] in new]
    inner = {b: new_input(b.type.with_shape((n, *b.shape))) for b in mapped}
    outputs = batch(loop.body.outputs, inner, n)
    # The step axis is first, or follows the batch axis.
    at = 1 if isinstance(n, int) else 0
    stacks = {
        inner.get(b, b): nnp.moveaxis(new[given[b]], 0, at) if b in inner else given[b] for b in loop.moving
    }
    record = make_loop(
        outputs,
        [inner[b] for b in loop.before],
        batch([given[b] for b in loop.before], new, n),
        stacks,
        outer={inner.get(b, b): new.get(given[b], given[b]) for b in loop.fixed},
        length=loop.length,
        backwards=loop.backwards,
        keeps_last=loop.keeps_last,
    )
    if loop.keeps_last:
        own = parts(record, [o.type for o in outputs], None)[loop.carried :]
        return node_of(nnp.concatenate([nnp.reshape(x, (n, -1)) for x in own], axis=-1))
    own = parts(record, [o.type for o in outputs], loop.length)[loop.carried :]
    flat = [nnp.reshape(nnp.moveaxis(x, 0, at), (n, loop.length, -1)) for x in own]
    return node_of(nnp.concatenate(flat, axis=-1))


def batch_while(node: Node, new: Mapping[Node, Node], n: int, batch: Batch) -> Node:
    """The value of a `while_loop` with a new leading axis.

    The loop runs until all examples have ended; those that end earlier keep their values.

    Args:
        new: from nodes to the same nodes with the leading axis.
        batch: adds the leading axis to nodes.
    """
    loop = While(**node.params)
    start = node.inputs[loop.constants]
    others = (*node.inputs[: loop.constants], *node.inputs[loop.constants + 1 :])
    given = dict(zip(loop.step.inputs, others, strict=True))
    found = loop.reached([b for b, x in given.items() if x in new])
    is_apart = start in new or loop.is_going in found
    mapped = [b for b in loop.step.inputs if b in found or (is_apart and b in loop.before)]
    inner = {b: new_input(b.type.with_shape((n, *b.shape))) for b in mapped}
    moving = [b for b in loop.before if b in inner]
    ends = dict(zip(loop.before, loop.after, strict=True))
    *after, again = batch([*(ends[b] for b in moving), loop.is_going], inner, n)
    *first, lanes = batch([*(given[b] for b in moving), start], new, n)
    step = ends | dict(zip(moving, after, strict=True))
    begin = {b: given[b] for b in loop.before} | dict(zip(moving, first, strict=True))
    carried = [inner.get(b, b) for b in loop.before]
    outer = {inner.get(b, b): new.get(given[b], given[b]) for b in loop.fixed}
    [result] = batch(loop.result.outputs, inner, n)
    going, outputs, firsts = start, [loop.is_going, *step.values()], [*begin.values()]
    if is_apart:
        goes = new_input(lanes.type)
        places = {b: apply(broadcast, goes, shape=inner[b].shape, axes=(0,)) for b in loop.before}
        kept = [select(places[b], step[b], inner[b]) for b in loop.before]
        still = logical_and(goes, again)
        going, outputs = nnp.any(lanes), [nnp.any(still), still, *kept]
        carried, firsts = [goes, *carried], [lanes, *firsts]
    return node_of(make_while(outputs, carried, firsts, going, result, outer=outer))
