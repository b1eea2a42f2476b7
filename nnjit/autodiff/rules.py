"""Derivative rules of operations that hold graphs: loops, branches and functions with custom rules.

All other primitives define their own rules, in terms of nodes. These rules need the modes themselves, for the
graphs inside, so their modules register them here, where the modes look them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnjit.ir import Node, Primitive
from nnjit.ir.graph import Pull, Push, Rule

Batch = Callable[[Sequence[Node], Mapping[Node, Node], int], list[Node]]
"""(nodes, {node: the same with a new leading axis}, its length) -> nodes with it"""


@dataclass(frozen=True)
class Rules:
    """The rules of an operation.

    Args:
        push: (out, args, tangents, **params) -> the tangent of `out`; None if zero.
        pull: (g, out, args, **params) -> the cotangent of each argument; None if zero.
        lift: (n, **params) -> the params after adding a leading axis of length n to every argument; or
        batch: (node, mapped, n, batch) -> the node with a new leading axis; `mapped` holds the arguments
            that have it, and `batch` adds it to other nodes.
    """

    push: Push
    pull: Pull
    lift: Rule | None = None
    batch: Callable[[Node, Mapping[Node, Node], int, Batch], Node] | None = None


RULES: dict[Primitive, Rules] = {}
