"""Linear algebra under the names of `numpy.linalg`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import abs, multiply, not_equal, power
from nnjit.numpy.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction import Axis, max, min, sum
from nnjit.numpy.shaping import normal_axes, reshape, shape
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


def matrix_power(x: Array, n: int) -> Any:
    """The product of `n` matrices `x`."""
    array = as_array(x)
    if n < 0:
        raise GraphError(f"matrix_power: expected a power >= 0, got {n}")
    if n == 0:
        return np.broadcast_to(np.eye(array.shape[-1], dtype=array.dtype), array.shape)
    half = array if n == 1 else matrix_power(array, n // 2)
    if n == 1:
        return half
    square = matmul(half, half)
    return matmul(square, array) if n % 2 else square


__all__ = ["matrix_power", "norm"]
