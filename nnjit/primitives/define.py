"""The list of all primitives, and a constructor of elementwise ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir.graph import Partial, Primitive
from nnjit.ir.types import ArrayType

PRIMITIVES: dict[str, Primitive] = {}

Domain = Literal["float", "number", "whole", "any", "bool"]
DOMAINS = {"float": "f", "number": "fiu", "whole": "iu", "any": "fiub", "bool": "b"}


def define(primitive: Primitive) -> Primitive:
    """Add `primitive` to `PRIMITIVES`, and return it."""
    PRIMITIVES[primitive.name] = primitive
    return primitive


def elementwise(
    name: str,
    evaluate: Callable[..., np.ndarray],
    expression: str,
    partials: tuple[Partial | int | None, ...],
    *,
    domain: Domain = "float",
    result: Literal["same", "b1"] = "same",
) -> Primitive:
    """A primitive that computes each element of its result from the elements there in its arguments.

    All arguments have the same type; broadcasts and casts are separate nodes.

    Args:
        partials: (out, *args) -> partial derivative, for each argument; 1 or -1 if constant, None if zero.
        domain: the allowed kinds of dtype.
        result: the result's dtype, the arguments' or bool.
    """

    def infer(*types: ArrayType) -> ArrayType:
        first = types[0]
        if len(types) != len(partials):  # formats messages only on errors: this runs for every node
            raise GraphError(f"{name}: expected {len(partials)} arguments, got {len(types)}")
        if any(t != first for t in types):
            raise GraphError(f"{name}: {', '.join(map(str, types))} differ")
        if first.dtype.kind not in DOMAINS[domain]:
            raise GraphError(f"{name}: {first} is not of a {domain} dtype")
        return first if result == "same" else first.with_dtype(result)

    return define(Primitive(name, "elementwise", infer, evaluate, partials=partials, expression=expression))


def require(condition: bool, message: str) -> None:
    """Raise a GraphError with `message` unless `condition` holds."""
    if not condition:
        raise GraphError(message)
