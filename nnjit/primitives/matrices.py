"""Helpers for the rules of linear algebra: products, transposes and masks of stacks of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnjit.ir.graph import Node, constant
from nnjit.primitives.broadcasting import broadcast, full_like, reduce_sum
from nnjit.primitives.elementwise import cast, equal, select
from nnjit.primitives.linalg import batch_matmul, matmul
from nnjit.primitives.shaping import transpose


def transposed(x: Any) -> Any:
    """The transpose of each matrix."""
    return transpose(x, perm=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def product(a: Any, b: Any) -> Any:
    """The product of each pair of matrices."""
    return (matmul if a.ndim == 2 else batch_matmul)(a, b, ta=False, tb=False)


def mask(like: Any, values: np.ndarray) -> Any:
    """A matrix of numbers, repeated to the type of `like`."""
    numbers = constant(values, like.dtype)
    return broadcast(numbers, shape=like.shape, axes=(like.ndim - 2, like.ndim - 1))


def trace(a: Any, b: Any) -> Any:
    """The trace of a bᵀ."""
    return reduce_sum(a * b, axes=(a.ndim - 2, a.ndim - 1))


def columns(w: Any, like: Any) -> Any:
    """Repeat each vector along the rows of a matrix: column j holds element j."""
    return broadcast(w, shape=like.shape, axes=(*range(w.ndim - 1), w.ndim))


def inverse_or_zero(x: Any) -> Any:
    """1 / x, and 0 where x is 0."""
    is_zero = equal(x, full_like(x, 0))
    return select(is_zero, full_like(x, 0), 1 / select(is_zero, full_like(x, 1), x))


def inverse_gaps(w: Any) -> Any:
    """The matrix 1 / (wⱼ - wᵢ), 0 where both are equal, as on the diagonal."""
    shape, lead = (*w.shape, w.shape[-1]), tuple(range(w.ndim - 1))
    row = broadcast(w, shape=shape, axes=(*lead, w.ndim))
    diagonal = cast(mask(row, np.eye(w.shape[-1])), dtype=np.dtype(bool))
    gaps = row - broadcast(w, shape=shape, axes=(*lead, w.ndim - 1))
    return inverse_or_zero(select(diagonal, full_like(row, 0), gaps))


def zeros_if_none(tangents: Sequence[Node | None], args: Sequence[Node]) -> list[Node]:
    return [full_like(x, 0) if t is None else t for x, t in zip(args, tangents, strict=True)]
