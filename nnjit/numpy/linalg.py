"""Linear algebra under the names of `numpy.linalg`, of matrices and stacks of them.

What solves and decomposes (all but `norm` of vectors and `matrix_power`) is LAPACK's, compiled or not. Where
a matrix has no answer, as a singular one has no inverse, both raise `numpy.linalg.LinAlgError`.
"""

from __future__ import annotations

import builtins
from typing import Any, Literal, NamedTuple

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import abs, equal, greater, multiply, not_equal, power, where
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_shapes, broadcast_to, promote
from nnjit.numpy.reduction.extrema import max, min
from nnjit.numpy.reduction.moments import root
from nnjit.numpy.reduction.options import Axis
from nnjit.numpy.reduction.sums import count_nonzero, sum
from nnjit.numpy.shaping.axes import (
    expand_dims,
    length_of,
    moveaxis,
    normal_axes,
    reshape,
    shape,
    squeeze,
    swapaxes,
)
from nnjit.numpy.shaping.diagonals import tril, triu


def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of vectors along one axis, or of matrices along two; of all elements if None.

    Args:
        ord: of vectors, p of Σ|x|ᵖ to the power of 1/p, ±inf and 0 (how many are not zero); of matrices,
            "fro", 1, -1, inf, -inf, and of their singular values 2 (the largest), -2 (the smallest) and "nuc"
            (the sum). None is the Euclidean one: 0 is its derivative where all are 0.
    """
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    axes = tuple(range(array.ndim)) if axis is None else normal_axes(axis, array.ndim)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return root(sum(multiply(array, array), axes, keepdims))
    if len(axes) == 1:
        return _of_vectors(abs(array), ord, axes[0], keepdims)
    if len(axes) != 2 or ord not in {*MATRIX_NORMS, *SPECTRAL_NORMS}:
        raise GraphError(
            f"norm: ord {ord!r} of {type_of(array)} over axes {axes} is not supported; valid: any number for "
            'one axis, for two None, "fro", "nuc", 1, -1, 2, -2, inf and -inf'
        )
    if ord in SPECTRAL_NORMS:
        out = SPECTRAL_NORMS[ord](svdvals(moveaxis(array, axes, (-2, -1))), -1)
        return expand_dims(out, axes) if keepdims else out
    along, across = axes if ord in (1, -1) else axes[::-1]
    lines = sum(abs(array), along, keepdims=True)
    out = MATRIX_NORMS[ord](lines, across, keepdims=True)
    return out if keepdims else reshape(out, [d for a, d in enumerate(shape(array)) if a not in axes])


MATRIX_NORMS: dict[Any, Any] = {1: max, -1: min, np.inf: max, -np.inf: min}
SPECTRAL_NORMS: dict[Any, Any] = {2: max, -2: min, "nuc": sum}


def _of_vectors(size: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord == np.inf or ord == -np.inf:
        return (max if ord > 0 else min)(size, axis, keepdims)
    if ord == 0:
        return astype(sum(astype(not_equal(size, 0), "i32"), axis, keepdims), size.dtype)
    if isinstance(ord, str):
        raise GraphError(f"norm: ord {ord!r} is one of matrices")
    if ord == 1:
        return sum(size, axis, keepdims)
    total = sum(power(size, ord), axis, keepdims)
    if ord < 1:
        return power(total, 1 / ord)
    is_zero = equal(total, 0)  # where 0 is the derivative, as that of the Euclidean norm
    return where(is_zero, root(total), power(where(is_zero, 1.0, total), 1 / ord))


def solve(a: Array, b: Array) -> Any:
    """The solution x of a x = b, for a vector `b` or each column of a matrix."""
    a, b = _floats(a), _floats(b)
    a, b = promote(a, b)
    _check_square("solve", a)
    right = expand_dims(b, -1) if b.ndim == 1 else b
    lead = broadcast_shapes(shape(a)[:-2], shape(right)[:-2])
    a, right = (broadcast_to(x, (*lead, *shape(x)[-2:])) for x in (a, right))
    out = p.solve(a, right)
    return squeeze(out, -1) if b.ndim == 1 else out


def inv(a: Array) -> Any:
    """The inverse."""
    a = _floats(a)
    _check_square("inv", a)
    return p.solve(a, broadcast_to(np.eye(length_of(a, -1), dtype=a.dtype), shape(a)))


def slogdet(a: Array) -> tuple[Any, Any]:
    """The sign of the determinant and the logarithm of its absolute value; of a singular matrix (0, -inf)."""
    a = _floats(a)
    return p.det_sign(a), p.logabsdet(a)


def det(a: Array) -> Any:
    """The determinant; its first two derivatives are right for singular matrices, which have no third."""
    a = _floats(a)
    _check_square("det", a)
    return p.det(a)


def cholesky(a: Array) -> Any:
    """The lower triangle L with L Lᵀ = a, of the symmetric part of a positive definite matrix."""
    a = _floats(a)
    return p.cholesky(multiply(0.5, a + swapaxes(a, -1, -2)))


def eigh(a: Array, UPLO: str | None = None) -> tuple[Any, Any]:  # NumPy's name
    """The eigenvalues in ascending order, and the eigenvectors as columns, of the symmetric part of a matrix.

    The derivative of eigenvectors takes nothing from pairs of equal eigenvalues, where there is none.

    Args:
        UPLO: "L" or "U" reads the lower or the upper triangle alone, as NumPy does, and only that one has a
            derivative; None is the symmetric part.
    """
    a = _symmetric(_floats(a), UPLO)
    v = p.eigenvectors(a)
    return sum(multiply(v, matmul(a, v)), -2), v  # since vᵀv = 1, only the change of `a` moves a value


def eigvalsh(a: Array, UPLO: str | None = None) -> Any:  # NumPy's name
    """The eigenvalues in ascending order of the symmetric part of a matrix, or of one triangle, as `eigh`."""
    return eigh(a, UPLO)[0]


def _symmetric(a: Any, triangle: str | None) -> Any:
    """The symmetric part of a matrix, or the symmetric matrix that one triangle says."""
    _check_square("eigh", a)
    if triangle is None:
        return multiply(0.5, a + swapaxes(a, -1, -2))
    if triangle not in ("L", "l", "U", "u"):
        raise GraphError(f'eigh: unknown UPLO {triangle!r}; valid: "L", "U"')
    half, rest = (tril(a), tril(a, -1)) if triangle in "Ll" else (triu(a), triu(a, 1))
    return half + swapaxes(rest, -1, -2)


class SVD(NamedTuple):
    """The factors of a = U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


class QR(NamedTuple):
    """The factors of a = Q R."""

    Q: Any
    R: Any


def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """U, S and Vh with a = U diag(S) Vh, the singular values S in descending order.

    The derivative of vectors takes nothing from pairs of equal singular values, where there is none.

    Args:
        full_matrices: whether U and Vh are square; of a matrix that is not, False is needed, since what fills
            them up is arbitrary and has no derivative.
        compute_uv: whether U and Vh are returned beside S.

    Raises:
        GraphError: the square matrices of a matrix that is not square are asked for.
    """
    a = _floats(a)
    if not compute_uv:
        return svdvals(a)
    if full_matrices and shape(a)[-1] != shape(a)[-2]:
        raise GraphError(
            f"svd: the full matrices of {type_of(a)} have no derivative; use full_matrices=False"
        )
    u, v = p.singular_vectors(a, side="left"), p.singular_vectors(a, side="right")
    return SVD(u, _singular_values(a, u, v), swapaxes(v, -1, -2))


def svdvals(a: Array) -> Any:
    """The singular values in descending order."""
    a = _floats(a)
    return _singular_values(a, *(p.singular_vectors(a, side=side) for side in ("left", "right")))


def _singular_values(a: Any, u: Any, v: Any) -> Any:
    return sum(multiply(u, matmul(a, v)), -2)  # since uᵀu = vᵀv = 1, only the change of `a` moves a value


def qr(a: Array, mode: Literal["reduced", "r"] = "reduced") -> Any:
    """Q with orthonormal columns and the upper triangle R, with a = Q R; R alone if the mode is "r".

    The derivative is that of a matrix of full rank.

    Raises:
        GraphError: another mode.
    """
    if mode not in ("reduced", "r"):
        raise GraphError(f'qr: unknown mode {mode!r}; valid: reduced, r; what "complete" adds is arbitrary')
    a = _floats(a)
    width = builtins.min(length_of(a, -2), length_of(a, -1))
    q = p.orthogonal(a[..., :width])
    r = triu(matmul(swapaxes(q, -1, -2), a))
    return r if mode == "r" else QR(q, r)


def pinv(a: Array, rcond: float = 1e-15) -> Any:
    """The pseudoinverse; the derivative is that among matrices of the same rank.

    Args:
        rcond: singular values of at most `rcond` times the largest count as zero.
    """
    return p.pinv(_floats(a), rcond=float(rcond))


def lstsq(a: Array, b: Array, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """The x of least norm that minimises |b - a x|², with (x, the minimum, the rank, the singular values).

    The minimum is that of each column of `b`. It is empty where `a` has no more rows than columns; NumPy has
    it empty where the rank is deficient too.

    Args:
        rcond: as in `pinv`; None is the dtype's epsilon times the longer side.
    """
    a, b = promote(_floats(a), _floats(b))
    rows, width = length_of(a, 0), length_of(a, 1)
    least = float(np.finfo(a.dtype).eps) * (rows + width - builtins.min(rows, width))
    cut = least if rcond is None else rcond
    x, s = matmul(pinv(a, cut), b), svdvals(a)
    rest = b - matmul(a, x)
    square = reshape(sum(multiply(rest, rest), 0), (-1,)) if rows > width else np.zeros(0, a.dtype)
    return x, square, count_nonzero(greater(s, max(s) * cut)), s


def _check_square(name: str, a: Any) -> None:
    if a.ndim < 2 or shape(a)[-1] != shape(a)[-2]:
        raise GraphError(f"{name}: {type_of(a)} is not square")


def _floats(x: Array) -> Any:
    array = as_array(x)
    return array if array.dtype.kind == "f" else astype(array, "f64")


def matrix_power(x: Array, n: int) -> Any:
    """The product of `n` matrices `x`, of its inverses if `n` is negative."""
    array = as_array(x)
    if n < 0:
        return matrix_power(inv(array), -n)
    if n == 0:
        return broadcast_to(np.eye(length_of(array, -1), dtype=array.dtype), shape(array))
    half = array if n == 1 else matrix_power(array, n // 2)
    if n == 1:
        return half
    square = matmul(half, half)
    return matmul(square, array) if n % 2 else square


__all__ = [
    "cholesky", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_power", "norm", "pinv", "qr", "slogdet",
    "solve", "svd", "svdvals",
]  # fmt: skip
