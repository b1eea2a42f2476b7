"""Diagonals and triangles of matrices, under NumPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy.elementwise import where
from nnjit.numpy.indexing.reading import getitem
from nnjit.numpy.promotion import Array, as_array, filled
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import expand_dims, moveaxis, ravel, reshape, shape
from nnjit.numpy.shaping.padding import pad


def diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements of `x` whose indices along two axes differ by `offset`, as the last axis.

    Padding each row by one element makes the diagonal the first column.
    """
    last = moveaxis(x, (axis1, axis2), (-2, -1))
    cut = (..., slice(-offset, None), slice(None)) if offset < 0 else (..., slice(None), slice(offset, None))
    part = getitem(as_array(last), cut)
    *front, rows, columns = shape(part)
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise GraphError(f"diagonal of {type_of(part)}: the batch axis has no diagonal")
    n = rows if rows < columns else columns
    flat = reshape(part[..., :n, :n], (*front, n * n))
    longer = pad(flat, [(0, 0)] * len(front) + [(0, n)])
    return reshape(longer, (*front, n, n + 1))[..., 0]


def trace(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: object = None) -> Any:
    """The sum of the elements of a diagonal, in `dtype`."""
    return sum(diagonal(x, offset, axis1, axis2), -1, dtype=dtype)


def diag(x: Array, k: int = 0) -> Any:
    """The diagonal `k` of a matrix, or the matrix with a vector as its diagonal `k`."""
    array = as_array(x)
    if array.ndim == 2:
        return diagonal(array, k)
    if array.ndim != 1:
        raise GraphError(f"diag of {type_of(array)}: expected a vector or a matrix")
    (n,) = shape(array)
    if not isinstance(n, int):
        raise GraphError("diag: the batch axis has no length yet")
    longer = ravel(pad(expand_dims(array, 1), [(0, 0), (0, n)]))
    square = reshape(longer[: n * n], (n, n))
    return pad(square, [(0, k), (k, 0)] if k >= 0 else [(-k, 0), (0, -k)])


def diagflat(x: Array, k: int = 0) -> Any:
    """The matrix with all elements of `x` as its diagonal `k`."""
    return diag(ravel(x), k)


def tril(x: Array, k: int = 0) -> Any:
    """The elements on and below diagonal `k` of each matrix, zeros elsewhere."""
    return where(_triangle(x, k), x, filled(x, 0))


def triu(x: Array, k: int = 0) -> Any:
    """The elements on and above diagonal `k` of each matrix, zeros elsewhere."""
    return where(~_triangle(x, k - 1), x, filled(x, 0))


def _triangle(x: Array, k: int) -> np.ndarray:
    if as_array(x).ndim == 0:
        raise GraphError(f"{type_of(as_array(x))} is not a matrix")
    rows, columns = shape(x)[-2:] if as_array(x).ndim > 1 else 2 * shape(x)  # a vector is every row
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise GraphError("the batch axis has no triangle")
    return np.tri(rows, columns, k, dtype=bool)
