"""Derivative rules of the operations that hold graphs: loops, branches, and functions with custom rules.

Any other primitive states its rules itself, with nodes alone. These need the modes, for the graphs inside, so
the modules that define them list them here, where the modes find them.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnjit.ir import Primitive
from nnjit.ir.graph import Pull, Push, Rule


@dataclass(frozen=True)
class Rules:
    """What the modes do with an operation.

    Args:
        push: (out, args, tangents, **params) -> the tangent of `out`; None where it is zero.
        pull: (g, out, args, **params) -> the cotangent of each argument; None where it is zero.
        lift: (n, **params) -> the params of the operation with one more leading axis of length n; None where
            `batch` has a rule of its own for it.
    """

    push: Push
    pull: Pull
    lift: Rule | None = None


RULES: dict[Primitive, Rules] = {}
