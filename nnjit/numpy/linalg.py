"""Products under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import multiply
from nnjit.numpy.promotion import Array, as_array, promote
from nnjit.numpy.reduction import sum
from nnjit.numpy.shaping import reshape, shape


def matmul(a: Array, b: Array) -> Any:
    """The matrix product of arrays of one or two axes."""
    a, b = promote(a, b, dtype="f4") if as_array(a).dtype.kind == "f" else promote(a, b, dtype="f8")
    if not (1 <= a.ndim <= 2 and 1 <= b.ndim <= 2):
        raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: expected one or two axes each")
    if a.ndim == b.ndim == 1:
        return sum(multiply(a, b))
    left = a if a.ndim == 2 else reshape(a, (1, *shape(a)))
    right = b if b.ndim == 2 else reshape(b, (*shape(b), 1))
    out = p.matmul(left, right, ta=False, tb=False)
    final = (shape(a)[0],) if b.ndim == 1 else (shape(b)[1],) if a.ndim == 1 else shape(out)
    return reshape(out, final)


def dot(a: Array, b: Array) -> Any:
    """The product of scalars, vectors and matrices as `numpy.dot` has it."""
    a, b = as_array(a), as_array(b)
    return multiply(a, b) if a.ndim == 0 or b.ndim == 0 else matmul(a, b)
