"""Linear algebra under the names of `numpy.linalg`, of matrices and stacks of them.

What solves (`solve`, `inv`, `det`, `slogdet`, `cholesky`, `eigh`) is LAPACK's; `jit` cannot compile it yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import abs, exp, multiply, not_equal, power
from nnjit.numpy.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_shapes, broadcast_to, promote
from nnjit.numpy.reduction import Axis, max, min, sum
from nnjit.numpy.shaping import expand_dims, length_of, normal_axes, reshape, shape, squeeze, swapaxes
from nnjit.numpy.statistics import root


def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The norm of vectors along one axis, or of matrices along two; of all elements where None.

    Args:
        ord: of vectors, p of Σ|x|ᵖ to the power of 1/p, ±inf and 0 (how many are not zero); of matrices,
            "fro", 1, -1, inf and -inf. None is the Euclidean one: 0 is its derivative where all are 0.
    """
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    axes = tuple(range(array.ndim)) if axis is None else normal_axes(axis, array.ndim)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return root(sum(multiply(array, array), axes, keepdims))
    if len(axes) == 1:
        return _of_vectors(abs(array), ord, axes[0], keepdims)
    if len(axes) != 2 or ord not in MATRIX_NORMS:
        raise GraphError(f"norm: ord {ord!r} of {type_of(array)} over axes {axes} is not supported")
    along, across = axes if ord in (1, -1) else axes[::-1]
    lines = sum(abs(array), along, keepdims=True)
    out = MATRIX_NORMS[ord](lines, across, keepdims=True)
    return out if keepdims else reshape(out, [d for a, d in enumerate(shape(array)) if a not in axes])


MATRIX_NORMS: dict[Any, Any] = {1: max, -1: min, np.inf: max, -np.inf: min}


def _of_vectors(size: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord == np.inf or ord == -np.inf:
        return (max if ord > 0 else min)(size, axis, keepdims)
    if ord == 0:
        return astype(sum(astype(not_equal(size, 0), "i32"), axis, keepdims), size.dtype)
    if isinstance(ord, str):
        raise GraphError(f"norm: ord {ord!r} is one of matrices")
    return sum(size, axis, keepdims) if ord == 1 else power(sum(power(size, ord), axis, keepdims), 1 / ord)


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
    """The determinant; its derivative is NaN where the matrix is singular."""
    sign, log = slogdet(a)
    return multiply(sign, exp(log))


def cholesky(a: Array) -> Any:
    """The lower triangle L with L Lᵀ = a, of the symmetric part of a positive definite matrix."""
    a = _floats(a)
    return p.cholesky(multiply(0.5, a + swapaxes(a, -1, -2)))


def eigh(a: Array) -> tuple[Any, Any]:
    """The eigenvalues in ascending order, and the eigenvectors as columns, of the symmetric part of a matrix.

    The derivative of eigenvectors takes nothing from pairs of equal eigenvalues, where there is none.
    """
    a = _floats(a)
    a = multiply(0.5, a + swapaxes(a, -1, -2))
    v = p.eigenvectors(a)
    return sum(multiply(v, matmul(a, v)), -2), v  # since vᵀv = 1, only the change of `a` moves a value


def eigvalsh(a: Array) -> Any:
    """The eigenvalues in ascending order of the symmetric part of a matrix."""
    return eigh(a)[0]


def _check_square(name: str, a: Any) -> None:
    if a.ndim < 2 or shape(a)[-1] != shape(a)[-2]:
        raise GraphError(f"{name}: {type_of(a)} is not square")


def _floats(x: Array) -> Any:
    array = as_array(x)
    return array if array.dtype.kind == "f" else astype(array, "f64")


def matrix_power(x: Array, n: int) -> Any:
    """The product of `n` matrices `x`, of its inverses where `n` is negative."""
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


__all__ = ["cholesky", "det", "eigh", "eigvalsh", "inv", "matrix_power", "norm", "slogdet", "solve"]
