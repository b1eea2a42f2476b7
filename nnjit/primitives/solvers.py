"""Linear algebra primitives computed by LAPACK, for stacks of matrices.

Reference: Giles 2008, "An extended collection of matrix derivative results"; Murray 2016, arXiv:1602.07527, for
the Cholesky decomposition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, Primitive, apply
from nnjit.ir.types import ArrayType, static
from nnjit.primitives.broadcasting import broadcast, reduce_sum
from nnjit.primitives.define import define, require
from nnjit.primitives.matrices import inverse_gaps, mask, product, trace, transposed, zeros_if_none


def infer_square(name: str) -> Callable[[ArrayType], ArrayType]:
    """A type rule for square matrices of floats: the result has the same type."""

    def infer(a: ArrayType) -> ArrayType:
        require(a.is_float and a.ndim >= 2, f"{name}: {a} is not a matrix of floats")
        rows, columns = static(a.shape[-2:])
        require(rows == columns, f"{name}: {a} is not square")
        return a

    return infer


def _infer_solve(a: ArrayType, b: ArrayType) -> ArrayType:
    infer_square("solve")(a)
    fits = a.dtype == b.dtype and a.shape[:-1] == b.shape[:-1] and a.ndim == b.ndim
    require(fits, f"solve: {a} and {b} do not fit")
    return b


def _infer_triangular(a: ArrayType, b: ArrayType, lower: bool) -> ArrayType:
    infer_square("solve_triangular")(a)
    fits = a.dtype == b.dtype and a.shape[:-1] == b.shape[:-1] and a.ndim == b.ndim
    require(fits, f"solve_triangular: {a} and {b} do not fit")
    return b


def _infer_logabsdet(a: ArrayType) -> ArrayType:
    return infer_square("logabsdet")(a).with_shape(a.shape[:-2])


def inverse(a: Any) -> Any:
    """The inverse of each matrix."""
    return solve(a, mask(a, np.eye(a.shape[-1])))


def _solve_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    back = solve(transposed(args[0]), g)
    return [-product(back, transposed(out)), back]


def _solve_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node | None]) -> Node:
    da, db = zeros_if_none(tangents, args)
    return apply(solve, args[0], db - product(da, out))


def _triangle(x: Any, lower: bool) -> Any:
    ones = np.ones(x.shape[-2:])
    return x * mask(x, np.tril(ones) if lower else np.triu(ones))


def _triangular_vjp(g: Node, out: Node, args: Sequence[Node], lower: bool) -> list[Node]:
    back = solve_triangular(transposed(args[0]), g, lower=not lower)
    return [-_triangle(product(back, transposed(out)), lower), back]


def _triangular_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node | None], lower: bool) -> Node:
    da, db = zeros_if_none(tangents, args)
    return apply(solve_triangular, args[0], db - product(_triangle(da, lower), out), lower=lower)


def _evaluate_triangular(a: np.ndarray, b: np.ndarray, lower: bool) -> np.ndarray:
    from scipy.linalg.lapack import get_lapack_funcs

    out = np.empty_like(b)
    (trtrs,) = get_lapack_funcs(("trtrs",), (a, b))
    for place in np.ndindex(a.shape[:-2]) if out.size else ():
        out[place], info = trtrs(a[place], b[place], lower=lower)
        if info > 0:
            raise np.linalg.LinAlgError("Singular matrix")
    return out


def spread(g: Any, like: Any) -> Any:
    """Repeat one number per matrix over all its elements."""
    return broadcast(g, shape=like.shape, axes=tuple(range(like.ndim - 2)))


def _logabsdet_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    return [spread(g, args[0]) * transposed(inverse(args[0]))]


def _logabsdet_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    return trace(transposed(inverse(args[0])), tangents[0])


def _half_lower(x: Any) -> Any:
    """The lower triangle, with half the diagonal."""
    n = x.shape[-1]
    return x * mask(x, np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n))


def _cholesky_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    inner = _half_lower(product(transposed(out), g))
    left = solve(transposed(out), inner)  # L⁻ᵀ Φ(Lᵀ g) L⁻¹
    whole = transposed(solve(transposed(out), transposed(left)))
    return [0.5 * (whole + transposed(whole))]


def _cholesky_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    symmetric = 0.5 * (tangents[0] + transposed(tangents[0]))
    left = solve(out, symmetric)
    return product(out, _half_lower(transposed(solve(out, transposed(left)))))


def _gaps(a: Any, v: Any) -> Any:
    """1 / (wⱼ - wᵢ), 0 where they are equal: how far the eigenvectors of a symmetric matrix rotate."""
    return inverse_gaps(reduce_sum(v * product(a, v), axes=(a.ndim - 2,)))


def _eigenvectors_vjp(g: Node, out: Node, args: Sequence[Node]) -> list[Node]:
    inner = _gaps(args[0], out) * product(transposed(out), g)
    whole = product(product(out, inner), transposed(out))
    return [0.5 * (whole + transposed(whole))]


def _eigenvectors_jvp(out: Node, args: Sequence[Node], tangents: Sequence[Node]) -> Any:
    symmetric = 0.5 * (tangents[0] + transposed(tangents[0]))
    return product(out, _gaps(args[0], out) * product(product(transposed(out), symmetric), out))


def _evaluate_logabsdet(a: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.slogdet(a)[1])


solve: Primitive  # rules refer to rows
solve_triangular: Primitive

# fmt: off
solve        = define(Primitive("solve", "routine", _infer_solve, np.linalg.solve, vjp=_solve_vjp, jvp=_solve_jvp, lift=lambda n: {}))
solve_triangular = define(Primitive("solve_triangular", "routine", _infer_triangular, _evaluate_triangular,  # the other triangle is not read
                                vjp=_triangular_vjp, jvp=_triangular_jvp, lift=lambda n, lower: {"lower": lower}))
logabsdet    = define(Primitive("logabsdet", "routine", _infer_logabsdet, _evaluate_logabsdet,
                                vjp=_logabsdet_vjp, jvp=_logabsdet_jvp, lift=lambda n: {}))
cholesky     = define(Primitive("cholesky", "routine", infer_square("cholesky"), np.linalg.cholesky,
                                vjp=_cholesky_vjp, jvp=_cholesky_jvp, lift=lambda n: {}))
eigenvectors = define(Primitive("eigenvectors", "routine", infer_square("eigenvectors"), lambda a: np.linalg.eigh(a)[1],
                                vjp=_eigenvectors_vjp, jvp=_eigenvectors_jvp, lift=lambda n: {}))
det_sign     = define(Primitive("det_sign", "routine", _infer_logabsdet, lambda a: np.asarray(np.linalg.slogdet(a)[0]),
                                transposes=(None,), lift=lambda n: {}))
# fmt: on
