"""Products under NumPy's names."""

from __future__ import annotations

from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import multiply
from nnjit.numpy.promotion import Array, as_array, promote
from nnjit.numpy.reduction import sum
from nnjit.numpy.shaping import expand_dims, moveaxis, reshape, shape, squeeze


def matmul(a: Array, b: Array) -> Any:
    """The matrix product; of more than two axes, a product of the last two for each of the others."""
    a, b = promote(a, b, dtype="f4") if as_array(a).dtype.kind == "f" else promote(a, b, dtype="f8")
    if a.ndim == 0 or b.ndim == 0:
        raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: expected at least one axis each")
    if a.ndim == b.ndim == 1:
        return sum(multiply(a, b))
    out = _product(a if a.ndim > 1 else expand_dims(a, 0), b if b.ndim > 1 else expand_dims(b, -1))
    dropped = ([-2] if a.ndim == 1 else []) + ([-1] if b.ndim == 1 else [])
    return squeeze(out, dropped) if dropped else out


def _product(a: Any, b: Any) -> Any:
    """The product of the last two axes: of matrices where one alone has more axes, else a sum of products."""
    (*lead_a, _, inner), (*lead_b, inner_b, columns) = shape(a), shape(b)
    if inner != inner_b:
        raise GraphError(f"matmul: {type_of(a)} @ {type_of(b)}: inner axes {inner} and {inner_b} differ")
    if not lead_a and not lead_b:
        return p.matmul(a, b, ta=False, tb=False)
    if not lead_b and not type_of(a).is_batched:
        rows = p.matmul(reshape(a, (-1, inner)), b, ta=False, tb=False)
        return reshape(rows, (*shape(a)[:-1], columns))
    if not lead_a and not type_of(b).is_batched:
        flat = reshape(moveaxis(b, -2, 0), (inner, -1))
        out = reshape(p.matmul(a, flat, ta=False, tb=False), (shape(a)[0], *lead_b, columns))
        return moveaxis(out, 0, -2)
    return sum(multiply(expand_dims(a, -1), expand_dims(b, -3)), axis=-2)


def dot(a: Array, b: Array) -> Any:
    """The product of scalars, vectors and matrices as `numpy.dot` has it."""
    a, b = as_array(a), as_array(b)
    return multiply(a, b) if a.ndim == 0 or b.ndim == 0 else matmul(a, b)
