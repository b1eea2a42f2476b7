"""`while_loop`: repeat a step while a condition holds, for an unknown number of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.control.carry import Carry, trace_carry
from nnjit.autodiff.control.loop import make_while
from nnjit.autodiff.control.loop_batch import batch_while
from nnjit.autodiff.control.packing import packed, unpacked
from nnjit.autodiff.forward import push_forward
from nnjit.autodiff.rules import RULES, Rules
from nnjit.autodiff.tracing import described, node_of
from nnjit.errors import GraphError
from nnjit.ir import Node, new_input, rebuild, tracing
from nnjit.primitives import full_like, while_p
from nnjit.primitives.while_loop import While


@tracing(is_on=False)
def while_loop(cond: Callable[[Any], Any], body: Callable[[Any], Any], init: Any) -> Any:
    """Return the carry after repeating `carry = body(carry)` while `cond(carry)` holds.

    It has derivatives of any order in forward mode (`jvp`, `jacfwd`). Under `vmap`, examples that have ended
    keep their values until all have. Compiled code cannot be interrupted, so let the condition count steps if
    the loop may not converge.

    Args:
        cond: carry -> a truth value, or a number, true if it is not 0.
        body: carry -> carry. Both are traced; they may close over other values.
        init: the first carry: nested dicts, lists and tuples of arrays. A Python number takes the dtype
            that it has after a step.

    Raises:
        GraphError: the carry changes its structure or types, or the condition is not a scalar. In reverse
            mode: the values of an unknown number of steps cannot be recorded.

    >>> root = lambda a: while_loop(lambda x: abs(x * x - a) > 1e-12, lambda x: (x + a / x) / 2, a)
    >>> round(float(root(2.0)), 9)
    1.414213562
    >>> from nnjit import jvp
    >>> round(float(jvp(root, (2.0,), (1.0,))[1]), 9)
    0.353553391
    """
    carry = trace_carry("while_loop", body, init)
    if not any(n.type.row_size for n in carry.inputs):
        raise GraphError("while_loop: init has no numbers, so the condition could never change")
    with tracing():
        holds = cond(carry.build(carry.inputs))
    return repeat(carry, _truth(holds))


def repeat(carry: Carry, goes_on: Node) -> Any:
    """The carry after the last step.

    Args:
        goes_on: whether there is another step, computed from the carry's inputs.
    """
    if batched := [n for n in carry.inputs if n.type.is_batched]:
        raise GraphError(
            f"while_loop: a carried value is {batched[0].type}, but its rows would end apart; use vmap"
        )
    [is_going] = rebuild([goes_on], dict(zip(carry.inputs, map(node_of, carry.firsts), strict=True)))
    [again] = rebuild([goes_on], dict(zip(carry.inputs, carry.after, strict=True)))
    record = make_while([again, *carry.after], carry.inputs, carry.firsts, is_going, packed(carry.inputs))
    return carry.build(unpacked(record, [n.type for n in carry.inputs]))


def _truth(holds: Any) -> Node:
    if isinstance(holds, (Node, bool, int, float, np.ndarray, np.generic)) and node_of(holds).shape == ():
        return node_of(nnp.astype(node_of(holds), "b1"))
    raise GraphError(
        f"while_loop: cond returns {described(holds)}; expected one truth value, e.g. by nnjit.numpy.all"
    )


# -- the rules


def _push(out: Node, args: Sequence[Node], tangents: Sequence[Node | None], **params: Any) -> Node | None:
    """Carry the tangents with the values."""
    loop = While(**params)
    inputs = [*loop.fixed, None, *loop.before]
    moves = {n: t for n, t in zip(inputs, tangents, strict=True) if n is not None and t is not None}
    found = loop.reached(moves)
    moving = [n for n in loop.step.inputs if n in found and n.type.is_float]
    if not out.type.is_float or not moving:
        return None
    seeds = {n: new_input(n.type) for n in moving}
    given = {n: x for n, x in zip(inputs, args, strict=True) if n is not None}
    carried = [n for n in moving if n in loop.before]
    after = [a for b, a in zip(loop.before, loop.after, strict=True) if b in carried]
    pushed = push_forward([*after, *loop.result.outputs], moving, list(seeds.values()))
    first = [moves.get(n, full_like(given[n], 0)) for n in carried]
    outer = {n: given[n] for n in loop.fixed} | {seeds[n]: moves[n] for n in moving if n not in carried}
    return node_of(
        make_while(
            [*loop.step.outputs, *pushed[:-1]], [*loop.before, *(seeds[n] for n in carried)],
            [*(given[n] for n in loop.before), *first], args[loop.constants], pushed[-1], outer=outer,
        )
    )  # fmt: skip


def _pull(g: Node, out: Node, args: Sequence[Node], **params: Any) -> Sequence[Node | None]:
    if not out.type.is_float:
        return [None] * len(args)
    raise GraphError(
        "while_loop, and fori_loop with traced bounds, have no reverse mode (grad, vjp, jacrev), since the "
        "values of an unknown number of steps cannot be recorded; use fori_loop with a fixed number (make it "
        "static in jit), or scan, or forward mode (jvp, jacfwd), or a rule of nnjit.custom_vjp"
    )


RULES[while_p] = Rules(_push, _pull, batch=batch_while)
