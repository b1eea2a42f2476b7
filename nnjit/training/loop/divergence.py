"""Find the step and the operation that first produced a value that is not finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nnjit.errors import NnjitError
from nnjit.ir import Graph, Node, interpret
from nnjit.nn import ParamTable


class NotFinite(NnjitError):
    """A value in an epoch is not finite; the message says where."""


Arguments = Sequence[np.ndarray]


def find_first_bad(
    graph: Graph,
    steps: int,
    advance: Callable[[int], bool],
    arguments: Callable[[int], Arguments],
    params: Callable[[], Arguments],
    table: ParamTable,
) -> tuple[int, str]:
    """Replay an epoch natively, step by step, and interpret the first step whose result is not finite.

    Args:
        graph: the step.
        advance: runs step k in place and returns whether its loss was finite; if not, it updates nothing.
        arguments: returns the graph's current arguments for step k.
        params: returns the arrays that a step updates.
        table: names the params in their vector.

    Returns:
        The step's index, and a description of the operation.
    """
    for step in range(steps):
        before = [np.array(p) for p in params()]
        if advance(step) and all(np.isfinite(p).all() for p in params()):
            continue
        for now, then in zip(params(), before, strict=True):
            np.copyto(now, then)
        return step, _explain(graph, arguments(step), table)
    return steps - 1, "the loss of the whole epoch is not finite"


def _explain(graph: Graph, arguments: Arguments, table: ParamTable) -> str:
    found: list[tuple[Node, np.ndarray]] = []

    def observe(node: Node, value: np.ndarray) -> None:
        if not found and value.dtype.kind == "f" and not np.isfinite(value).all():
            found.append((node, value))

    interpret(graph, arguments, observe)
    if not found:
        return "the native step gave a value that is not finite, but the NumPy interpreter did not"
    node, value = found[0]
    position = int(np.argmax(~np.isfinite(value)))
    where = f'"{node.scope}"' if node.scope else "the step"
    if value.shape == (table.size,):
        where += f' for "{next(e.name for e in table if position < e.offset + e.size)}"'
    bad = value.flat[position]
    return f"the first value that is not finite is {bad}, from {node.primitive.name} ({node.type}) in {where}"
