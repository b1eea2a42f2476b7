"""The matrix product, bilinear: each argument's cotangent is again a product.

Its flags say which argument is transposed, so that the transposes of a backward pass cost nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.define import define, require


def _infer(a: ArrayType, b: ArrayType, ta: bool, tb: bool) -> ArrayType:
    require(a.ndim == b.ndim == 2, f"matmul: {a} @ {b}: both need two axes")
    require(a.dtype == b.dtype and a.is_float, f"matmul: {a} @ {b}: both need one float dtype")
    rows, inner_a = a.shape[::-1] if ta else a.shape
    inner_b, columns = b.shape[::-1] if tb else b.shape
    require(inner_a == inner_b, f"matmul: {a} @ {b}: inner axes {inner_a} and {inner_b} differ")
    return a.with_shape((rows, columns))


def _evaluate(a: np.ndarray, b: np.ndarray, ta: bool, tb: bool) -> np.ndarray:
    return np.asarray((a.T if ta else a) @ (b.T if tb else b))


def _left(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return matmul(b, g, ta=tb, tb=True) if ta else matmul(g, b, ta=False, tb=not tb)


def _right(g: Any, a: Any, b: Any, ta: bool, tb: bool) -> Any:
    return matmul(g, a, ta=True, tb=ta) if tb else matmul(a, g, ta=not ta, tb=False)


matmul = define(Primitive("matmul", "matmul", _infer, _evaluate, transposes=(_left, _right)))
