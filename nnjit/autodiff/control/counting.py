"""`fori_loop`: a loop over a range of whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.autodiff.control.carry import Carry, trace_carry
from nnjit.autodiff.control.scanning import Steps
from nnjit.autodiff.control.while_loop import repeat
from nnjit.autodiff.tracing import node_of
from nnjit.errors import GraphError
from nnjit.ir import Node, array_type, new_input, tracing, type_of
from nnjit.numpy.promotion import as_number

Body = Callable[[Any, Any], Any]


@tracing(is_on=False)
def fori_loop(lower: Any, upper: Any, body: Body, init: Any) -> Any:
    """Return the carry after `carry = body(i, carry)` for i = lower, lower + 1, …, upper - 1.

    With known bounds it is a `scan`, differentiable in both modes; with a traced bound it is a `while_loop`,
    differentiable in forward mode only.

    Args:
        lower, upper: whole numbers; if `upper <= lower`, `init` is returned.
        body: (i, carry) -> carry, traced; it may close over other values.
        init: the first carry: nested dicts, lists and tuples of arrays. A Python number takes the dtype
            that it has after a step.

    Raises:
        GraphError: the carry changes its structure or types, or a bound is not a whole number.

    >>> float(fori_loop(1, 6, lambda i, product: product * i, 1.0))
    120.0
    >>> from nnjit import grad
    >>> float(grad(lambda x: fori_loop(0, 3, lambda i, y: x * y, 1.0))(2.0))
    12.0
    """
    first, last = _bound(lower, "lower"), _bound(upper, "upper")
    i = as_number(new_input(array_type("i64")))
    carry = trace_carry("fori_loop", lambda tree: body(i, tree), init)
    if isinstance(first, int) and isinstance(last, int):
        return _scanned(carry, i, range(first, last))
    inputs, after, firsts = [i, *carry.inputs], [i + 1, *carry.after], [first, *carry.firsts]
    return repeat(Carry(firsts, inputs, after, lambda leaves: carry.build(leaves[1:])), nnp.less(i, last))


def _scanned(carry: Carry, i: Node, numbers: range) -> Any:
    """Run the loop as a scan over the values of `i`."""
    if not numbers or not carry.inputs:
        return carry.build([v if isinstance(v, Node) else np.array(v) for v in carry.firsts])
    stack = np.arange(numbers.start, numbers.stop, dtype=np.int64)
    loop = Steps(carry.inputs, carry.firsts, {i: stack}, len(numbers), reverse=False)
    return carry.build(loop.last_values(carry.after))


def _bound(bound: Any, name: str) -> Any:
    """Convert a bound to a Python number, or to a weakly typed node."""
    kind = type_of(bound)
    if kind.shape != () or kind.dtype.kind not in "iu":
        raise GraphError(f"fori_loop: {name} is {kind}; expected one whole number")
    return as_number(node_of(nnp.astype(bound, "i64"))) if isinstance(bound, Node) else int(bound)
