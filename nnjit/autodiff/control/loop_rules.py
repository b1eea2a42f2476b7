"""The derivatives of a loop, which are loops again.

In forward mode, each step carries tangents with the values. In reverse mode, a loop in the opposite order
carries the cotangents, and the forward loop records what its steps need. The cotangent of a loop-invariant
value is a sum over all steps: if it is a sum of products, as for a weight, the factors of all steps are
recorded, and multiplied at once afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import nnjit.numpy as nnp
from nnjit.autodiff.control.loop import make_loop
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.reverse import pull_back
from nnjit.autodiff.tracing import node_of
from nnjit.errors import GraphError
from nnjit.ir import Graph, Node, apply, new_input, topological
from nnjit.ir.graph import constant_p
from nnjit.primitives import full, full_like, matmul, reduce_sum, scan_p, slice_
from nnjit.primitives.scan import Loop, at_step, lead, parts

MAPPED = ("add", "sub", "neg", "concat", "cast", "reshape", "transpose")  # these map sums to sums


def push_through(out: Node, args: Sequence[Node], tangents: Sequence[Node | None], **params: Any) -> Node:
    """The tangent of a loop's record, from its arguments' tangents."""
    loop = Loop(**params)
    changed = [
        n for n, t in zip(loop.body.inputs, tangents, strict=True) if t is not None and n.type.is_float
    ]
    changed += [n for n in loop.before if n not in changed]
    inner = {n: new_input(n.type) for n in changed}
    given = dict(zip(loop.body.inputs, args, strict=True))
    moved = {
        n: full_like(given[n], 0) if t is None else t for n, t in zip(loop.body.inputs, tangents, strict=True)
    }
    pushed = push_forward(loop.body.outputs, changed, [inner[n] for n in changed])
    record = make_loop(
        [*loop.body.outputs[: loop.carried], *pushed],
        [*loop.before, *(inner[n] for n in loop.before)],
        [*(given[n] for n in loop.before), *(moved[n] for n in loop.before)],
        {n: given[n] for n in loop.moving} | {inner[n]: moved[n] for n in loop.moving if n in inner},
        outer={n: given[n] for n in loop.fixed} | {inner[n]: moved[n] for n in loop.fixed if n in inner},
        length=loop.length,
        backwards=loop.backwards,
        keeps_last=loop.keeps_last,
    )
    start = 2 * sum(n.type.row_size for n in loop.before)  # after the carried values, and their tangents
    starts = (*(0,) * (out.ndim - 1), start)
    return node_of(slice_(record, starts=starts, shape=out.shape))


def pull_through(g: Node, out: Node, args: Sequence[Node], **params: Any) -> Sequence[Node | None]:
    """The cotangents of a loop's arguments, from its record's cotangent."""
    loop = Loop(**params)
    if loop.keeps_last:
        g = _at_last_step(g, loop)
    found = _Backward(loop, args, g).cotangents()
    return [found.get(n) for n in loop.body.inputs]


def _at_last_step(g: Node, loop: Loop) -> Node:
    """Extend the cotangent of the last step to all steps: zeros at the others."""
    axis = len(lead(g.type))
    one = nnp.expand_dims(g, axis)
    shape = (*lead(g.type), loop.length - 1, *g.shape[axis:])
    zeros = [full(g.type, 0, shape)] if loop.length > 1 else []
    return node_of(nnp.concatenate([one, *zeros] if loop.backwards else [*zeros, one], axis))


class _Backward:
    """The loop in the opposite order, which carries the cotangents.

    Args:
        g: the cotangent of the forward loop's record.
    """

    def __init__(self, loop: Loop, args: Sequence[Node], g: Node) -> None:
        self.loop, self.given = loop, dict(zip(loop.body.inputs, args, strict=True))
        # A step receives the cotangents of the values it records and carries.
        arriving = [new_input(n.type) for n in loop.recorded]
        self.carried = [new_input(n.type) for n in loop.before]
        # It returns the cotangents of its inputs; for loop-invariant inputs, their sum.
        wanted = [n for n in loop.body.inputs if n.type.is_float]
        pulled = pull_back(loop.body.outputs, wanted, [*self.carried, *arriving])
        self.pulled = dict(zip(wanted, pulled, strict=True))
        self.sums = {n: _Sum(self.pulled[n], loop) for n in loop.fixed if n in self.pulled}
        self.factors = [x for s in self.sums.values() for x in s.factors]
        # At each step it reads the arguments, the arriving cotangents, and values of the forward step.
        self.stacks = {n: self.given[n] for n in loop.moving}
        self.stacks |= dict(zip(arriving, parts(g, [n.type for n in arriving], loop.length), strict=True))
        self.stacks |= _recorded([*self.pulled.values(), *self.factors], loop, args)

    def cotangents(self) -> dict[Node, Node]:
        """The cotangents of the float inputs of the forward loop's body."""
        loop = self.loop
        moving = [n for n in loop.moving if n in self.pulled]
        carried = [self.pulled[n] for n in loop.before]
        wanted = (*(self.pulled[n] for n in moving), *self.factors)
        recorded = list(dict.fromkeys(x for x in wanted if x not in self.stacks))
        outputs = [*carried, *recorded]
        record = make_loop(
            outputs, self.carried, [full_like(self.given[n], 0) for n in loop.before], self.stacks,
            outer={n: self.given[n] for n in loop.fixed}, length=loop.length, backwards=not loop.backwards,
        )  # fmt: skip
        values = parts(record, [n.type for n in outputs], loop.length)
        last = loop.length - 1 - loop.last
        found = {n: at_step(v, n.type, last) for n, v in zip(loop.before, values, strict=False)}
        stacks = self.stacks | dict(zip(recorded, values[loop.carried :], strict=True))
        found |= {n: stacks[self.pulled[n]] for n in moving}
        found |= {n: s.total(stacks) for n, s in self.sums.items()}
        return found


def _recorded(outputs: Sequence[Node], loop: Loop, args: Sequence[Node]) -> dict[Node, Node]:
    """Record the forward values that a backward step needs: from nodes to their values at all steps.

    The pass `merge_loops` merges this loop with the original one.
    """
    forward = set(topological(loop.body.outputs)) - set(loop.body.inputs) | set(loop.before)
    saved: dict[Node, None] = {}
    dtype = loop.body.outputs[0].dtype  # a record has one dtype; values of others are recomputed
    pending = list(outputs)
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        is_kept = node.primitive.kind not in ("view", "reshape", "constant") and node.dtype == dtype
        if node in forward and is_kept:
            saved[node] = None
        else:
            pending.extend(node.inputs)
    results = (*loop.recorded, *(n for n in saved if n not in loop.recorded))
    options = {"constants": loop.constants, "carried": loop.carried}
    wide = apply(
        scan_p,
        *args,
        body=Graph(loop.body.inputs, (*loop.body.outputs[: loop.carried], *results)),
        length=loop.length,
        backwards=loop.backwards,
        keeps_last=False,
        **options,
    )
    stacks = dict(zip(results, parts(wide, [n.type for n in results], loop.length), strict=True))
    return {n: stacks[n] for n in saved}


class _Sum:
    """The sum over all steps of a node of the backward body, computed after the loop.

    Args:
        factors: the nodes that it needs at all steps.
    """

    def __init__(self, node: Node, loop: Loop) -> None:
        self.node, self.loop = node, loop
        self.factors: list[Node] = []
        self._collect(node)

    def total(self, stacks: Mapping[Node, Node]) -> Any:
        """The sum, from the factors' values at all steps."""
        return self._total(self.node, stacks)

    def _collect(self, node: Node) -> None:
        if _is_literal(node):
            return
        if node.primitive.name in MAPPED and not node.type.is_batched:
            for argument in node.inputs:
                self._collect(argument)
        elif self._is_sum(node):
            self.factors += node.inputs
        elif self.loop.is_batched and not node.type.is_batched:
            raise GraphError(
                f"scan: {node.primitive.name} has no rule in the derivative by a loop-invariant value"
            )
        else:
            self.factors.append(node)

    def _total(self, node: Node, stacks: Mapping[Node, Node]) -> Any:
        if _is_literal(node):
            return node * self.loop.length
        if node.primitive.name in MAPPED and not node.type.is_batched:
            return apply(node.primitive, *(self._total(n, stacks) for n in node.inputs), **node.params)
        if not self._is_sum(node):
            return reduce_sum(stacks[node], axes=(len(lead(node.type)),))
        if node.primitive is matmul:
            return matmul(*(stacks[n] for n in node.inputs), ta=True, tb=False)
        front = len(lead(node.inputs[0].type))
        axes = {a + 1 if a >= front else a for a in node.params["axes"]} | {front}
        return reduce_sum(stacks[node.inputs[0]], axes=tuple(sorted(axes)))

    def _is_sum(self, node: Node) -> bool:
        """Whether `node` sums over rows; it can then sum over the rows of all steps."""
        if node.primitive is matmul:
            return bool(node.params["ta"]) and not node.params["tb"]
        return node.primitive is reduce_sum and (not self.loop.is_batched or node.inputs[0].type.is_batched)


def _is_literal(node: Node) -> bool:
    if node.primitive.kind in ("view", "reshape"):
        return _is_literal(node.inputs[0])
    return node.primitive is constant_p
