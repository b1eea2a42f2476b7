"""`vmap` of a loop: one loop whose steps work on all examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import nnjit.numpy as nnp
from nnjit.autodiff.control.loop import make_loop
from nnjit.autodiff.tracing import node_of
from nnjit.ir import Node, new_input
from nnjit.primitives.scan import Loop, parts

Batch = Callable[[Sequence[Node], Mapping[Node, Node], int], list[Node]]


def batch_loop(node: Node, new: Mapping[Node, Node], n: int, batch: Batch) -> Node:
    """The record of a loop with one more leading axis, of length `n`.

    Args:
        new: nodes, and for each of them one with the leading axis.
        batch: gives nodes a leading axis.
    """
    loop = Loop(**node.params)
    given = dict(zip(loop.body.inputs, node.inputs, strict=True))
    mapped = [b for b in loop.body.inputs if b in loop.before or given[b] in new]
    inner = {b: new_input(b.type.with_shape((n, *b.shape))) for b in mapped}
    outputs = batch(loop.body.outputs, inner, n)
    # The steps come first, or after the batch axis, which leads already.
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
    )
    own = parts(record, [o.type for o in outputs], loop.length)[loop.carried :]
    flat = [nnp.reshape(nnp.moveaxis(x, 0, at), (n, loop.length, -1)) for x in own]
    return node_of(nnp.concatenate(flat, axis=-1))
