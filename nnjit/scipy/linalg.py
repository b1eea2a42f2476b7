"""Linear algebra under the names of `scipy.linalg`, for matrices and stacks of them.

Like SciPy, these functions read one triangle of a matrix assumed symmetric or triangular: the derivative by
the other is 0. If there is no answer, they raise `numpy.linalg.LinAlgError`, compiled or not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy

import nnjit.numpy as np
from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.ir.types import static
from nnjit.numpy import Array, linalg
from nnjit.numpy.linalg import LinAlgError, det, inv
from nnjit.numpy.promotion import as_array, astype, broadcast_shapes, promote

Transposed = Literal[0, 1, 2, "N", "T", "C"]


def cholesky(a: Array, lower: bool = False) -> Any:
    """The triangle R with Rᵀ R = a or, if `lower`, L with L Lᵀ = a, of a positive definite matrix.

    Args:
        lower: whether to read and return the lower triangle of `a`.
    """
    factor = linalg.cholesky(_symmetric(_floats(a), lower))
    return factor if lower else np.matrix_transpose(factor)


def cho_factor(a: Array, lower: bool = False) -> tuple[Any, bool]:
    """`cholesky(a, lower)` and `lower`, for `cho_solve`; the other triangle is 0, in SciPy arbitrary."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Array, bool], b: Array) -> Any:
    """The solution x of a x = b, given `cho_factor` of `a`."""
    c, lower = c_and_lower
    half = solve_triangular(c, b, trans=0 if lower else 1, lower=lower)
    return solve_triangular(c, half, trans=1 if lower else 0, lower=lower)


def solve_triangular(
    a: Array, b: Array, trans: Transposed = 0, lower: bool = False, unit_diagonal: bool = False
) -> Any:
    """The solution x of a x = b, for a triangular `a`, and a vector `b` or each column of a matrix.

    Args:
        trans: 0 or "N"; 1, 2, "T" or "C" solve aᵀ x = b.
        lower: whether to read the lower triangle of `a`.
        unit_diagonal: whether to take the diagonal as ones, whatever it holds.
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise GraphError(f"solve_triangular: unknown trans {trans!r}; valid: 0, 1, 2, N, T, C")
    a, b = promote(_floats(a), _floats(b))
    _check_square("solve_triangular", a)
    if unit_diagonal:
        a = np.where(numpy.eye(a.shape[-1], dtype=bool), 1.0, a)
    if trans not in (0, "N"):
        a, lower = np.matrix_transpose(a), not lower
    right = np.expand_dims(b, -1) if b.ndim == 1 else b
    lead = broadcast_shapes(np.shape(a)[:-2], np.shape(right)[:-2])
    a, right = (np.broadcast_to(x, (*lead, *np.shape(x)[-2:])) for x in (a, right))
    out = p.solve_triangular(a, right, lower=bool(lower))
    return np.squeeze(out, -1) if b.ndim == 1 else out


# Solvers by `assume_a`: (a, b, lower) -> x.
_general: Callable[..., Any] = lambda a, b, lower: linalg.solve(a, b)  # noqa: E731
_symmetrical: Callable[..., Any] = lambda a, b, lower: linalg.solve(_symmetric(a, lower), b)  # noqa: E731
_positive: Callable[..., Any] = lambda a, b, lower: cho_solve(cho_factor(a, lower), b)  # noqa: E731
_upper: Callable[..., Any] = lambda a, b, lower: solve_triangular(a, b)  # noqa: E731
_lower: Callable[..., Any] = lambda a, b, lower: solve_triangular(a, b, lower=True)  # noqa: E731
SOLVERS = {
    "general": _general, "gen": _general, "symmetric": _symmetrical, "sym": _symmetrical,
    "hermitian": _symmetrical, "her": _symmetrical, "positive definite": _positive, "pos": _positive,
    "upper triangular": _upper, "lower triangular": _lower,
}  # fmt: skip

MIRRORED = {"upper triangular": "lower triangular", "lower triangular": "upper triangular"}


def solve(
    a: Array, b: Array, lower: bool = False, *, assume_a: str | None = None, transposed: bool = False
) -> Any:
    """The solution x of a x = b, for a vector `b` or each column of a matrix.

    Args:
        lower: whether to read the lower triangle of a matrix assumed symmetric or positive definite.
        assume_a: one of `SOLVERS`; None is general.
        transposed: whether to solve aᵀ x = b.
    """
    if assume_a is not None and assume_a not in SOLVERS:
        raise GraphError(f"solve: unknown assume_a {assume_a!r}; valid: {', '.join(SOLVERS)}")
    a = _floats(a)
    _check_square("solve", a)
    kind = assume_a or "general"
    if transposed:
        kind = MIRRORED.get(kind, kind)
        a, lower = np.matrix_transpose(a), not lower
    return SOLVERS[kind](a, _floats(b), lower)


# Coefficients of the diagonal Padé approximant of exp, of degree 13, and the 1-norm up to which it is exact.
PADE = tuple(math.comb(13, k) / math.perm(26, k) for k in range(14))
LARGEST_NORM = 5.371920351148152
MOST_SQUARINGS = 20


def expm(a: Array) -> Any:
    """The exponential of each matrix, by scaling, Padé's approximant of degree 13, and squaring.

    A matrix is halved until its 1-norm is small, at most 20 times: above a norm of 5.6e6 the result is NaN.
    Everything is computed in float64.

    Reference: Higham 2005, SIAM J. Matrix Anal. Appl. 26, "The scaling and squaring method for the matrix
    exponential revisited".
    """
    array = _floats(a)
    _check_square("expm", array)
    x = astype(array, "f64")
    if array.shape[-1] == 0:
        return array
    size = np.stop_gradient(np.max(np.sum(abs(x), -2), -1))
    halvings = np.ceil(np.log2(np.maximum(size / LARGEST_NORM, 1.0)))
    halvings = np.expand_dims(halvings, (-2, -1))
    out = _pade(x * np.exp2(-halvings))
    for k in range(_most(halvings)):
        # Square 0 once nothing is left to square: needless squares might overflow.
        is_left = k < halvings
        used = np.where(is_left, out, 0.0)
        out = np.where(is_left, np.matmul(used, used), out)
    return astype(out * np.where(halvings <= MOST_SQUARINGS, 1.0, math.nan), array.dtype)


def _most(halvings: Any) -> int:
    """How often to halve any matrix; for traced matrices, the allowed maximum."""
    if isinstance(halvings, numpy.ndarray):
        return min(int(halvings.max(initial=0)), MOST_SQUARINGS)
    return MOST_SQUARINGS


def _pade(x: Any) -> Any:
    eye = numpy.eye(x.shape[-1])
    x2 = np.matmul(x, x)
    x4 = np.matmul(x2, x2)
    x6 = np.matmul(x2, x4)
    b = PADE
    odd = np.matmul(x6, b[13] * x6 + b[11] * x4 + b[9] * x2) + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * eye
    even = np.matmul(x6, b[12] * x6 + b[10] * x4 + b[8] * x2) + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * eye
    odd = np.matmul(x, odd)
    return linalg.solve(even - odd, even + odd)


def block_diag(*arrs: Array) -> Any:
    """The matrix with the given blocks along its diagonal, and zeros elsewhere; a vector is a row."""
    if not arrs:
        return numpy.zeros((1, 0))
    blocks = [np.atleast_2d(x) for x in arrs]
    if any(x.ndim != 2 for x in blocks):
        raise GraphError(f"block_diag of {', '.join(str(type_of(x)) for x in blocks)}: expected matrices")
    widths = [static(np.shape(x))[1] for x in blocks]
    places = [sum(widths[:k]) for k in range(len(blocks))]
    rows = [
        np.pad(x, ((0, 0), (at, sum(widths) - at - width)))
        for x, at, width in zip(blocks, places, widths, strict=True)
    ]
    return np.concatenate(rows, 0)


def toeplitz(c: Array, r: Array | None = None) -> Any:
    """The matrix constant along each diagonal, with first column `c` and first row `r`.

    Args:
        c: along the last axis; other axes form a stack.
        r: its first element is ignored; None means `c`, which makes the matrix symmetric.
    """
    column, row = promote(np.atleast_1d(c), np.atleast_1d(c if r is None else r))
    lead = broadcast_shapes(np.shape(column)[:-1], np.shape(row)[:-1])
    (m,), (n,) = static(np.shape(column)[-1:]), static(np.shape(row)[-1:])
    column, row = np.broadcast_to(column, (*lead, m)), np.broadcast_to(row, (*lead, n))
    values = np.concatenate([np.flip(column, -1), row[..., 1:]], -1)
    return values[..., numpy.arange(m - 1, -1, -1)[:, None] + numpy.arange(n)]


def _symmetric(a: Any, lower: bool) -> Any:
    """The symmetric matrix given by one triangle."""
    _check_square("cholesky", a)
    half = np.tril(a, -1) if lower else np.triu(a, 1)
    return half + np.matrix_transpose(half) + np.where(numpy.eye(a.shape[-1], dtype=bool), a, 0.0)


def _check_square(name: str, a: Any) -> None:
    if a.ndim < 2 or np.shape(a)[-1] != np.shape(a)[-2]:
        raise GraphError(f"{name}: {type_of(a)} is not square")


def _floats(x: Array) -> Any:
    array = as_array(x)
    return array if array.dtype.kind == "f" else astype(array, "f64")


__all__ = [
    "LinAlgError", "block_diag", "cho_factor", "cho_solve", "cholesky", "det", "expm", "inv", "solve",
    "solve_triangular", "toeplitz",
]  # fmt: skip
