"""Primitives of linear algebra that LAPACK computes, of stacks of matrices. They are interpreted only.

Reference: Giles 2008, "An extended collection of matrix derivative results"; Murray 2016, arXiv:1602.07527, for
the Cholesky decomposition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive, constant
from nnjit.ir.types import ArrayType, static
from nnjit.primitives.define import define, require
from nnjit.primitives.elementwise import cast, equal, select
from nnjit.primitives.linalg import matmul
from nnjit.primitives.reduction import reduce_sum
from nnjit.primitives.shaping import broadcast, full_like, transpose


def _square(name: str) -> Any:
    def infer(a: ArrayType) -> ArrayType:
        require(a.is_float and a.ndim >= 2, f"{name}: {a} is no matrix of floats")
        rows, columns = static(a.shape[-2:])
        require(rows == columns, f"{name}: {a} is not square")
        return a

    return infer


def _infer_solve(a: ArrayType, b: ArrayType) -> ArrayType:
    _square("solve")(a)
    fits = a.dtype == b.dtype and a.shape[:-1] == b.shape[:-1] and a.ndim == b.ndim
    require(fits, f"solve: {a} and {b} do not fit")
    return b


def _infer_logabsdet(a: ArrayType) -> ArrayType:
    return _square("logabsdet")(a).with_shape(a.shape[:-2])  # type: ignore[no-any-return]


def _turned(x: Any) -> Any:
    """The transpose of each matrix."""
    return transpose(x, perm=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _product(a: Any, b: Any) -> Any:
    """The product of each two matrices; of stacks, as a sum of products."""
    if a.ndim == 2:
        return matmul(a, b, ta=False, tb=False)
    lead = tuple(range(a.ndim - 2))
    shape = (*a.shape[:-1], a.shape[-1], b.shape[-1])
    left = broadcast(a, shape=shape, axes=(*lead, len(lead), len(lead) + 1))
    right = broadcast(b, shape=shape, axes=(*lead, len(lead) + 1, len(lead) + 2))
    return reduce_sum(left * right, axes=(len(lead) + 1,))


def _mask(like: Any, values: np.ndarray) -> Any:
    """A matrix of numbers, repeated to the type of `like`."""
    mask = constant(values, like.dtype)
    return broadcast(mask, shape=like.shape, axes=(like.ndim - 2, like.ndim - 1))


def _trace(a: Any, b: Any) -> Any:
    """The trace of a bᵀ."""
    return reduce_sum(a * b, axes=(a.ndim - 2, a.ndim - 1))


def _inverse(a: Any) -> Any:
    return solve(a, _mask(a, np.eye(a.shape[-1])))


def _zeros_if_none(tangents: Sequence[Node | None], args: Sequence[Node]) -> list[Node]:
    return [full_like(x, 0) if t is None else t for x, t in zip(args, tangents, strict=True)]


def _solve_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    back = solve(_turned(args[0]), g)
    return [-_product(back, _turned(out)), back]


def _solve_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node | None]) -> Node:
    da, db = _zeros_if_none(tangents, args)
    return solve(args[0], db - _product(da, out))  # type: ignore[no-any-return]


def _spread(g: Any, like: Any) -> Any:
    return broadcast(g, shape=like.shape, axes=tuple(range(like.ndim - 2)))


def _logabsdet_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    return [_spread(g, args[0]) * _turned(_inverse(args[0]))]


def _logabsdet_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    return _trace(_turned(_inverse(args[0])), tangents[0])


def _half_lower(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    n = x.shape[-1]
    return x * _mask(x, np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n))


def _cholesky_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    inner = _half_lower(_product(_turned(out), g))
    left = solve(_turned(out), inner)  # L⁻ᵀ Φ(Lᵀ g) L⁻¹
    whole = _turned(solve(_turned(out), _turned(left)))
    return [0.5 * (whole + _turned(whole))]


def _cholesky_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    symmetric = 0.5 * (tangents[0] + _turned(tangents[0]))
    left = solve(out, symmetric)
    return _product(out, _half_lower(_turned(solve(out, _turned(left)))))


def _gaps(a: Any, v: Any) -> Any:
    """1 / (wⱼ - wᵢ), 0 where they are equal: what turns the eigenvectors of a symmetric matrix."""
    w = reduce_sum(v * _product(a, v), axes=(a.ndim - 2,))
    lead = tuple(range(a.ndim - 2))
    rows = broadcast(w, shape=a.shape, axes=(*lead, a.ndim - 2))
    columns = broadcast(w, shape=a.shape, axes=(*lead, a.ndim - 1))
    diagonal = cast(_mask(a, np.eye(a.shape[-1])), dtype=np.dtype(bool))
    gap = select(diagonal, full_like(a, 1), columns - rows)
    is_gap = equal(gap, full_like(gap, 0))
    return select(
        diagonal, full_like(a, 0), select(is_gap, full_like(a, 0), 1 / select(is_gap, full_like(a, 1), gap))
    )


def _eigenvectors_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    inner = _gaps(args[0], out) * _product(_turned(out), g)
    whole = _product(_product(out, inner), _turned(out))
    return [0.5 * (whole + _turned(whole))]


def _eigenvectors_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    symmetric = 0.5 * (tangents[0] + _turned(tangents[0]))
    return _product(out, _gaps(args[0], out) * _product(_product(_turned(out), symmetric), out))


def _evaluate_logabsdet(a: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.slogdet(a)[1])


solve: Primitive  # rules refer to rows

# fmt: off
solve        = define(Primitive("solve", "solver", _infer_solve, np.linalg.solve, vjp=_solve_vjp, jvp=_solve_jvp, lift=lambda n: {}))
logabsdet    = define(Primitive("logabsdet", "solver", _infer_logabsdet, _evaluate_logabsdet,
                                vjp=_logabsdet_vjp, jvp=_logabsdet_jvp, lift=lambda n: {}))
cholesky     = define(Primitive("cholesky", "solver", _square("cholesky"), np.linalg.cholesky,
                                vjp=_cholesky_vjp, jvp=_cholesky_jvp, lift=lambda n: {}))
eigenvectors = define(Primitive("eigenvectors", "solver", _square("eigenvectors"), lambda a: np.linalg.eigh(a)[1],
                                vjp=_eigenvectors_vjp, jvp=_eigenvectors_jvp, lift=lambda n: {}))
det_sign     = define(Primitive("det_sign", "solver", _infer_logabsdet, lambda a: np.asarray(np.linalg.slogdet(a)[0]),
                                transposes=(None,), lift=lambda n: {}))
# fmt: on
