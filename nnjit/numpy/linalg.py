"""Linear algebra under the names of `numpy.linalg`, for matrices and stacks of them.

LAPACK solves and decomposes, compiled or not; only vector norms and `matrix_power` do without it. A matrix
without an answer, such as a singular one without an inverse, raises `numpy.linalg.LinAlgError`.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.linalg import LinAlgError

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.ir.types import static
from nnjit.numpy.elementwise import abs, divide, equal, greater, multiply, not_equal, power, where
from nnjit.numpy.linear.matrix_chain import multi_dot
from nnjit.numpy.linear.products import cross, matmul, outer, tensordot, vecdot
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_shapes, broadcast_to, promote
from nnjit.numpy.reduction.extrema import max, min
from nnjit.numpy.reduction.moments import root
from nnjit.numpy.reduction.options import Axis
from nnjit.numpy.reduction.sums import count_nonzero, sum
from nnjit.numpy.shaping.axes import (
    expand_dims,
    length_of,
    matrix_transpose,
    moveaxis,
    normal_axes,
    ravel,
    reshape,
    shape,
    squeeze,
    swapaxes,
)
from nnjit.numpy.shaping.diagonals import diagonal as _diagonal
from nnjit.numpy.shaping.diagonals import tril, triu


def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of vectors along one axis, or of matrices along two; of all elements if None.

    Args:
        ord: for vectors, p in (Σ|x|ᵖ)^(1/p), ±inf, or 0 (the number of nonzero elements); for matrices,
            "fro", 1, -1, inf, -inf, or of the singular values 2 (the largest), -2 (the smallest) and "nuc"
            (the sum). None is the Euclidean norm, with derivative 0 where all elements are 0.
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


def vector_norm(x: Array, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """`norm` of the vectors along `axis`; several axes, or all (None), count as one."""
    array = as_array(x)
    axes = tuple(range(array.ndim)) if axis is None else normal_axes(axis, array.ndim)
    kept = [d for a, d in enumerate(shape(array)) if a not in axes]
    last = moveaxis(array, axes, tuple(range(-len(axes), 0))) if axes else array
    out = norm(reshape(last, [*kept, math.prod(length_of(array, a) for a in axes)]), ord, -1)
    return reshape(out, [1 if a in axes else d for a, d in enumerate(shape(array))]) if keepdims else out


def matrix_norm(x: Array, *, keepdims: bool = False, ord: float | str | None = "fro") -> Any:
    """`norm` of the matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


def cond(x: Array, p: float | str | None = None) -> Any:
    """The condition number ‖x‖ ‖x⁻¹‖ of each matrix; inf if it is singular.

    Args:
        p: the norm's `ord`; None is 2, which allows a matrix that is not square.
    """
    array = _floats(x)
    if p in (None, 2, -2):
        s = svdvals(array)
        large, small = (s[..., -1], s[..., 0]) if p == -2 else (s[..., 0], s[..., -1])
        is_zero = equal(small, 0)
        return where(is_zero, np.inf, divide(large, where(is_zero, 1.0, small)))
    _check_square("cond", array)
    is_singular = equal(slogdet(array)[0], 0)
    eye = np.eye(length_of(array, -1), dtype=array.dtype)
    regular = where(expand_dims(is_singular, (-2, -1)), eye, array)
    product = multiply(norm(regular, p, (-2, -1)), norm(inv(regular), p, (-2, -1)))
    return where(is_singular, np.inf, product)


def matrix_rank(
    A: Array, tol: Array | None = None, hermitian: bool = False, *, rtol: Array | None = None
) -> Any:
    """How many singular values are above `tol`; for a vector or number, whether an element is not 0.

    Args:
        tol: None is `rtol` times the largest singular value.
        hermitian: whether the matrices are symmetric, so that eigenvalues suffice.
        rtol: None is the dtype's epsilon times the longer side.
    """
    a = _floats(A)
    if a.ndim < 2:
        return astype(greater(count_nonzero(a), 0), "i64")
    if tol is not None and rtol is not None:
        raise GraphError("matrix_rank: tol and rtol are both given; give one of them")
    s = abs(eigvalsh(a)) if hermitian else svdvals(a)
    if tol is None:
        least = builtins.max(length_of(a, -1), length_of(a, -2)) * float(np.finfo(a.dtype).eps)
        tol = multiply(max(s, -1), least if rtol is None else rtol)
    return count_nonzero(greater(s, expand_dims(tol, -1)), -1)


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
    is_zero = equal(total, 0)  # the derivative there is 0, as for the Euclidean norm
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
    """The determinant's sign and the logarithm of its absolute value; (0, -inf) if singular."""
    a = _floats(a)
    return p.det_sign(a), p.logabsdet(a)


def det(a: Array) -> Any:
    """The determinant; singular matrices have the first two derivatives, but no third."""
    a = _floats(a)
    _check_square("det", a)
    return p.det(a)


def cholesky(a: Array) -> Any:
    """The lower triangle L with L Lᵀ = a, from the symmetric part of a positive definite matrix."""
    a = _floats(a)
    return p.cholesky(multiply(0.5, a + swapaxes(a, -1, -2)))


def eigh(a: Array, UPLO: str | None = None) -> tuple[Any, Any]:  # NumPy's name
    """The eigenvalues, ascending, and the eigenvectors, as columns, of the symmetric part of a matrix.

    Pairs of equal eigenvalues, which have no derivative, contribute nothing to that of the eigenvectors.

    Args:
        UPLO: "L" or "U" reads only the lower or upper triangle, as NumPy does, and only that has a
            derivative; None takes the symmetric part.
    """
    a = _symmetric(_floats(a), UPLO)
    v = p.eigenvectors(a)
    return sum(multiply(v, matmul(a, v)), -2), v  # since vᵀv = 1, only the change of `a` moves an eigenvalue


def eigvalsh(a: Array, UPLO: str | None = None) -> Any:  # NumPy's name
    """The eigenvalues, ascending, of a matrix read as in `eigh`."""
    return eigh(a, UPLO)[0]


def _symmetric(a: Any, triangle: str | None) -> Any:
    """The symmetric part of a matrix, or the symmetric matrix given by one triangle."""
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

    Pairs of equal singular values, which have no derivative, contribute nothing to that of the vectors.

    Args:
        full_matrices: whether U and Vh are square; must be False unless `a` is square, since the additional
            vectors are arbitrary and have no derivative.
        compute_uv: whether to return U and Vh with S.

    Raises:
        GraphError: `full_matrices` for a matrix that is not square.
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
    """Q with orthonormal columns and the upper triangle R, with a = Q R; only R if the mode is "r".

    The derivative assumes full rank.

    Raises:
        GraphError: the mode is unknown.
    """
    if mode not in ("reduced", "r"):
        raise GraphError(f'qr: unknown mode {mode!r}; valid: reduced, r; "complete" adds arbitrary columns')
    a = _floats(a)
    width = builtins.min(length_of(a, -2), length_of(a, -1))
    q = p.orthogonal(a[..., :width])
    r = triu(matmul(swapaxes(q, -1, -2), a))
    return r if mode == "r" else QR(q, r)


def pinv(a: Array, rcond: float = 1e-15) -> Any:
    """The pseudoinverse; the derivative assumes a constant rank.

    Args:
        rcond: singular values of at most `rcond` times the largest count as zero.
    """
    return p.pinv(_floats(a), rcond=float(rcond))


def lstsq(a: Array, b: Array, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """Least squares: (x, minimum, rank, singular values), with x of least norm that minimises |b - a x|².

    There is a minimum for each column of `b`. It is empty unless `a` has more rows than columns; in NumPy,
    also if the rank is deficient.

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
    """`x` to the power of `n`; a negative `n` inverts it."""
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


def tensorsolve(a: Array, b: Array, axes: Sequence[int] | None = None) -> Any:
    """The x with tensordot(a, x, x.ndim) = b.

    Args:
        axes: axes of `a` to move to its end first.
    """
    a, b = as_array(a), as_array(b)
    if axes is not None:
        moved = normal_axes(axes, a.ndim)
        a = moveaxis(a, moved, tuple(range(a.ndim - len(moved), a.ndim)))
    rest = shape(a)[b.ndim :]
    size = _size(rest)
    if _size(shape(a)[: b.ndim]) != size or _size(shape(b)) != size:
        raise GraphError(
            f"tensorsolve: {type_of(a)} and {type_of(b)} do not fit: the first {b.ndim} axes of a, its "
            "other axes, and b must have equally many elements"
        )
    return reshape(solve(reshape(a, (size, size)), ravel(b)), rest)


def tensorinv(a: Array, ind: int = 2) -> Any:
    """The inverse of `a` as a map of tensors: tensordot(tensorinv(a), b, ind) solves for `b`.

    Args:
        ind: how many leading axes of `a` come last in the inverse.
    """
    array = as_array(a)
    if ind < 1:
        raise GraphError(f"tensorinv: ind is a whole number >= 1, got {ind!r}")
    front, back = shape(array)[:ind], shape(array)[ind:]
    if _size(front) != _size(back):
        raise GraphError(f"tensorinv: {type_of(array)} is not square when split after {ind} axes")
    return reshape(inv(reshape(array, (_size(front), _size(back)))), (*back, *front))


def _size(lengths: Sequence[Any]) -> int:
    return math.prod(static(tuple(lengths)))


def diagonal(x: Array, /, *, offset: int = 0) -> Any:
    """The diagonal of each matrix in the last two axes."""
    return _diagonal(x, offset, -2, -1)


def trace(x: Array, /, *, offset: int = 0, dtype: object = None) -> Any:
    """The sum of the diagonal of each matrix in the last two axes."""
    return sum(diagonal(x, offset=offset), -1, dtype=dtype)


__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq",
    "matmul", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "multi_dot", "norm", "outer",
    "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "tensorinv", "tensorsolve", "trace",
    "vecdot", "vector_norm",
]  # fmt: skip
