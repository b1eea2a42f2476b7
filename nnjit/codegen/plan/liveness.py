"""Find during which kernels each value must be kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from nnjit.codegen.plan.kernels import Plan
from nnjit.codegen.rewrite.legalize import is_batched, source
from nnjit.ir import Node

Span = tuple[int, int]
"""The first and the last kernel during which a value must be kept."""


def spans_of(
    plan: Plan,
    values: Sequence[Node],
    index: Mapping[Node, int],
    *,
    kept: Set[Node],
    inside: Mapping[Node, tuple[Node, int]],
) -> dict[Node, Span]:
    """Return the span of each value; a concatenation's begins with the first of the pieces inside it.

    A sum over the batch, or any other value without rows, is kept throughout a pass over the rows that
    computes or reads it, since the pass repeats block by block.

    Args:
        index: the number of the kernel that computes each value.
        kept: values other than the results that are read after the last kernel.
        inside: piece -> the concatenation it is computed in, and its offset there.
    """
    users, passes, end = _users(plan), _passes(plan), len(plan.kernels)
    results = {*kept, *map(source, plan.graph.outputs)}
    gradients = {table.gradient for table in plan.tables}  # rows that no batch used stay 0 from step to step

    def span(value: Node) -> Span:
        if value in gradients:
            return 0, end
        read = [index[value], *users.get(value, ())]
        if not is_batched(value):
            read = [k for turn in read for k in passes[turn]]
        return read[0], end if value in results else max(read)

    spans = {value: span(value) for value in values}
    for piece, (whole, _) in inside.items():
        if piece in spans and whole in spans:
            (first, last), (begin, stop) = spans[piece], spans[whole]
            spans[whole] = min(first, begin), max(last, stop)
    return spans


def _users(plan: Plan) -> dict[Node, list[int]]:
    """The numbers of the kernels that read each value."""
    users: dict[Node, list[int]] = {}
    for k, kernel in enumerate(plan.kernels):
        for value in dict.fromkeys(source(a) for node in kernel.nodes for a in node.inputs):
            users.setdefault(value, []).append(k)
    return users


def _passes(plan: Plan) -> list[Span]:
    """For each kernel, the first and the last of its pass over the rows; outside a pass, itself."""
    rows: dict[int, list[int]] = {}
    for k, kernel in enumerate(plan.kernels):
        if kernel.zone == "rows":
            rows.setdefault(kernel.phase, []).append(k)
    return [
        (rows[kernel.phase][0], rows[kernel.phase][-1]) if kernel.zone == "rows" else (k, k)
        for k, kernel in enumerate(plan.kernels)
    ]
