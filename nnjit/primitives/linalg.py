"""The matrix product. It is bilinear: each argument's cotangent is again a product.

Flags mark transposed arguments, so the transposes of a backward pass cost nothing. An array of more than two
axes acts as a matrix: its last axis is the columns, all others together the rows. So a dense layer over a
sequence, a convolution and their gradients are single matrix products.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType, Shape
from nnjit.primitives.define import define, require


def _infer(a: ArrayType, b: ArrayType, ta: bool, tb: bool) -> ArrayType:
    require(a.ndim >= 2 and b.ndim >= 2, f"matmul: {a} @ {b}: both need two axes")
    require(a.dtype == b.dtype and a.is_float, f"matmul: {a} @ {b}: both need one float dtype")
    rows, inner_a = _axes(a, ta)
    inner_b, columns = _axes(b, tb)
    require(
        inner_a == inner_b, f"matmul: {a} @ {b}: inner axes {_shown(inner_a)} and {_shown(inner_b)} differ"
    )
    require(len(columns) == 1, f"matmul: {a} @ {b}: a transposed right argument has two axes")
    return a.with_shape((*rows, *columns))


def _axes(x: ArrayType, is_transposed: bool) -> tuple[Shape, Shape]:
    """The row axes and the column axes of op(x)."""
    axes = x.shape[:-1], x.shape[-1:]
    return axes[::-1] if is_transposed else axes


def _shown(axes: Shape) -> str:
    return ", ".join(map(str, axes))


def _evaluate(a: np.ndarray, b: np.ndarray, ta: bool, tb: bool) -> np.ndarray:
    left, right = _matrix(a), _matrix(b)
    rows = a.shape[-1:] if ta else a.shape[:-1]
    out = (left.T if ta else left) @ (right.T if tb else right)
    return np.asarray(out).reshape(*rows, out.shape[1])


def _matrix(x: np.ndarray) -> np.ndarray:
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _left(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return matmul(b, g, ta=tb, tb=True) if ta else matmul(g, b, ta=False, tb=not tb)


def _right(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return matmul(g, a, ta=True, tb=ta) if tb else matmul(a, g, ta=not ta, tb=False)


matmul = define(Primitive("matmul", "matmul", _infer, _evaluate, transposes=(_left, _right)))


def _infer_each(a: ArrayType, b: ArrayType, ta: bool, tb: bool) -> ArrayType:
    fits = a.ndim == b.ndim > 2 and a.shape[:-2] == b.shape[:-2] and a.dtype == b.dtype and a.is_float
    require(fits, f"batch_matmul: {a} @ {b}: both need the same leading axes and one float dtype")
    (m, k), (j, n) = (x.shape[:-3:-1] if t else x.shape[-2:] for x, t in ((a, ta), (b, tb)))
    require(k == j, f"batch_matmul: {a} @ {b}: inner axes {k} and {j} differ")
    return a.with_shape((*a.shape[:-2], m, n))


def _evaluate_each(a: np.ndarray, b: np.ndarray, ta: bool, tb: bool) -> np.ndarray:
    return np.asarray((np.swapaxes(a, -1, -2) if ta else a) @ (np.swapaxes(b, -1, -2) if tb else b))


def _left_each(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return batch_matmul(b, g, ta=tb, tb=True) if ta else batch_matmul(g, b, ta=False, tb=not tb)


def _right_each(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return batch_matmul(g, a, ta=True, tb=ta) if tb else batch_matmul(a, g, ta=not ta, tb=False)


batch_matmul = define(
    Primitive(
        "batch_matmul", "matmul", _infer_each, _evaluate_each, transposes=(_left_each, _right_each),
        lift=lambda n, ta, tb: {"ta": ta, "tb": tb},
    )
)  # of the last two axes, for each of the others  # fmt: skip
