"""Derivative rules of the operations that hold graphs: loops, branches, and functions with custom rules.

All other primitives state their rules themselves, in terms of nodes. These need the modes, for the graphs
inside, so the modules that define them register them here, where the modes look them up.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnjit.ir import Primitive
from nnjit.ir.graph import Pull, Push, Rule


@dataclass(frozen=True)
class Rules:
    """The rules of an operation.

    Args:
        push: (out, args, tangents, **params) -> the tangent of `out`; None if it is zero.
        pull: (g, out, args, **params) -> the cotangent of each argument; None if it is zero.
        lift: (n, **params) -> the params of the operation with one more leading axis of length n; None if
            `batch` has its own rule for it.
    """

    push: Push
    pull: Pull
    lift: Rule | None = None


RULES: dict[Primitive, Rules] = {}
