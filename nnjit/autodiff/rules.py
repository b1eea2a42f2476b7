"""Derivative rules of the operations that hold graphs: loops, branches, and functions with custom rules.

All other primitives state their rules themselves, in terms of nodes. These need the modes, for the graphs
inside, so the modules that define them register them here, where the modes look them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnjit.ir import Node, Primitive
from nnjit.ir.graph import Pull, Push, Rule

Batch = Callable[[Sequence[Node], Mapping[Node, Node], int], list[Node]]
"""(nodes, some of what they are made of -> the same with one more leading axis, length) -> nodes with it"""


@dataclass(frozen=True)
class Rules:
    """The rules of an operation.

    Args:
        push: (out, args, tangents, **params) -> the tangent of `out`; None if it is zero.
        pull: (g, out, args, **params) -> the cotangent of each argument; None if it is zero.
        lift: (n, **params) -> the params of the operation with one more leading axis of length n in every
            argument; or
        batch: (node, mapped, n, batch) -> the node with one more leading axis, where `mapped` has those of
            its arguments that have it, and `batch` gives it to other nodes.
    """

    push: Push
    pull: Pull
    lift: Rule | None = None
    batch: Callable[[Node, Mapping[Node, Node], int, Batch], Node] | None = None


RULES: dict[Primitive, Rules] = {}
