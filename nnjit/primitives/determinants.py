"""The determinant and its cofactors, for singular matrices too.

With A = U S Vᵀ, pᵢ = Πₖ sₖ without i, and Pᵢⱼ = Πₖ sₖ without i and j (0 on the diagonal):

    d det(A) = ⟨cof(A), dA⟩,    cof(A) = det(U) det(V) U diag(p) Vᵀ
    d cof(A) = det(U) det(V) U (diag(P diag(F)) - P ∘ Fᵀ) Vᵀ,    F = Uᵀ dA V

Neither divides by a singular value, so both hold for every rank. Third and higher derivatives use the
inverse, which a singular matrix lacks.

Reference: Stewart 1998, "On the adjugate matrix", Linear Algebra Appl. 283.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.broadcasting import broadcast, full, full_like, reduce_sum
from nnjit.primitives.decompositions import singular_vectors
from nnjit.primitives.define import define, require
from nnjit.primitives.elementwise import exp
from nnjit.primitives.matrices import columns, mask, product, trace, transposed
from nnjit.primitives.shaping import concat, reshape, slice_
from nnjit.primitives.solvers import det_sign, infer_square, inverse, logabsdet, spread


def _infer_det(a: ArrayType) -> ArrayType:
    return infer_square("det")(a).with_shape(a.shape[:-2])


def _infer_change(a: ArrayType, moved: ArrayType) -> ArrayType:
    require(a == moved, f"cofactor_change: {a} and {moved} differ")
    return infer_square("cofactor_change")(a)


def _composed_det(a: Any) -> Any:
    return det_sign(a) * exp(logabsdet(a))


def _composed_cofactors(a: Any) -> Any:
    u, v, s = _factors(a)
    return product(u * columns(_others(s), u), transposed(v)) * _sign(u, v)


def _composed_change(a: Any, moved: Any) -> Any:
    u, v, s = _factors(a)
    n = a.shape[-1]
    eye, others = mask(a, np.eye(n)), mask(a, 1 - np.eye(n))
    turned = product(product(transposed(u), moved), v)
    # In row i, all singular values, with 1 instead of number i.
    rest = _others(columns(s, a) * others + eye) * others
    along = reduce_sum(rest * columns(reduce_sum(turned * eye, axes=(a.ndim - 1,)), a), axes=(a.ndim - 1,))
    inner = columns(along, a) * eye - rest * transposed(turned)
    return product(product(u, inner), transposed(v)) * _sign(u, v)


def _factors(a: Any) -> tuple[Any, Any, Any]:
    u, v = (singular_vectors(a, side=side) for side in ("left", "right"))
    return u, v, reduce_sum(u * product(a, v), axes=(a.ndim - 2,))


def _sign(u: Any, v: Any) -> Any:
    return spread(det_sign(u) * det_sign(v), u)


def _others(x: Any) -> Any:
    """For each element along the last axis, the product of all others: by pairs, recursively."""
    *lead, n = x.shape
    if n < 2:
        return full_like(x, 1)
    if n % 2:
        return _part(_others(concat(x, full(x.type, 1, (*lead, 1)), axis=x.ndim - 1)), 0, n)
    pairs = reshape(x, shape=(*lead, n // 2, 2))
    left, right = (_part(pairs, k, 1) for k in (0, 1))
    rest = _others(reshape(left * right, shape=(*lead, n // 2)))
    swapped = concat(right, left, axis=x.ndim)
    return reshape(swapped * broadcast(rest, shape=pairs.shape, axes=tuple(range(x.ndim))), shape=x.shape)


def _part(x: Any, start: int, length: int) -> Any:
    return slice_(x, starts=(*(0,) * (x.ndim - 1), start), shape=(*x.shape[:-1], length))


def _second_change(a: Node, one: Any, other: Any) -> Any:
    """The second derivative of the cofactors along two directions, for invertible matrices."""
    inverted = inverse(a)

    def half(one: Any, other: Any) -> Any:
        return cofactor_change(a, other) * spread(trace(transposed(inverted), one), a)

    back = product(transposed(one), transposed(inverted))
    moved = product(product(inverted, other), inverted)
    shrunk = spread(trace(transposed(moved), one), a) * cofactors(a)
    turned = product(cofactor_change(a, other), back)
    return (
        half(one, other)
        - shrunk
        - turned
        + product(product(cofactors(a), transposed(one)), transposed(moved))
    )


def _change_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Any]:
    a, moved = args
    return [_second_change(a, moved, g), cofactor_change(a, g)]


def _change_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node | None]) -> Any:
    a, moved = args
    da, dmoved = tangents
    parts = [] if da is None else [_second_change(a, moved, da)]
    parts += [] if dmoved is None else [cofactor_change(a, dmoved)]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


cofactors: Primitive  # rules refer to rows
cofactor_change: Primitive


def _evaluated(composed: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """A NumPy function that evaluates a function composed from nodes."""

    def evaluate(*arrays: np.ndarray) -> np.ndarray:
        from nnjit.ir import Graph, interpret, new_input, type_of

        inputs = tuple(new_input(type_of(x)) for x in arrays)
        return interpret(Graph(inputs, (composed(*inputs),)), list(arrays))[0]

    return evaluate


# fmt: off
det             = define(Primitive("det", "routine", _infer_det, lambda a: np.asarray(np.linalg.det(a)), lift=lambda n: {},
                                   vjp=lambda g, out, args: [spread(g, args[0]) * cofactors(args[0])],
                                   jvp=lambda out, args, tangents: trace(cofactors(args[0]), tangents[0])))
cofactors       = define(Primitive("cofactors", "routine", infer_square("cofactors"), _evaluated(_composed_cofactors), lift=lambda n: {},
                                   vjp=lambda g, out, args: [cofactor_change(args[0], g)],
                                   jvp=lambda out, args, tangents: cofactor_change(args[0], tangents[0])))
cofactor_change = define(Primitive("cofactor_change", "routine", _infer_change, _evaluated(_composed_change), lift=lambda n: {},
                                   vjp=_change_vjp, jvp=_change_jvp))
# fmt: on

COMPOSED: dict[Primitive, Callable[..., Any]] = {
    det: _composed_det, cofactors: _composed_cofactors, cofactor_change: _composed_change,
}  # fmt: skip
"""The compositions that kernels compute instead of these primitives."""
