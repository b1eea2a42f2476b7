"""Rows of one program over a module `np`, and distributions of their arguments.

With NumPy a program gives the expected value, with ours the tested one.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

import nnjit.numpy as nnp
from nnjit.numpy.indexing.writing import At

from .table import DISTINCT, Arg, Row, Sampler


def row(name: str, program: Callable[..., Any], *args: Arg) -> Row:
    """A row of one program of (np, *args)."""
    ours, theirs = (_bound(program, module) for module in (nnp, np))
    return Row(name, ours, theirs, args)


def _bound(program: Callable[..., Any], module: ModuleType) -> Callable[..., Any]:
    return lambda *args: program(module, *args)


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices far from singular, with distinct eigenvalues."""
    return 0.3 * rng.standard_normal(shape) + np.diag(np.arange(1.0, 1 + shape[-1]))


def cofactor_change(a: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(tr(A⁻¹ E) - A⁻ᵀ Eᵀ) cof(A), for a regular matrix."""
    inverse = np.linalg.inv(a)
    cofactors = np.linalg.det(a) * inverse.T
    return np.trace(inverse @ moved) * cofactors - inverse.T @ moved.T @ cofactors


def tall(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices of full rank with distinct singular values, tall or wide."""
    return 0.1 * rng.standard_normal(shape) + np.eye(*shape[-2:]) * np.arange(1.0, 1 + shape[-1])


def tall_apart(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """The same along the first and the last axis."""
    return np.moveaxis(tall(rng, (shape[1], shape[0], shape[2])), 0, 1)


def uniform(low: float, high: float) -> Sampler:
    return lambda rng, shape: rng.uniform(low, high, shape)


def some_nan(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.where(rng.random(shape) < 0.3, np.nan, rng.standard_normal(shape))


def one_nan(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Distinct numbers, and one NaN."""
    return np.where(np.arange(np.prod(shape)).reshape(shape) == 2, np.nan, DISTINCT.sample(rng, shape))


def set_at(module: ModuleType, x: Any, index: Any, value: Any) -> Any:
    if module is nnp:
        return At(x)[index].set(value)
    out = x.copy()
    out[index] = value
    return out


def add_at(module: ModuleType, x: Any, index: Any, value: Any) -> Any:
    if module is nnp:
        return At(x)[index].add(value)
    out = x.copy()
    np.add.at(out, index, value)
    return out


M, V, N, T = Arg((3, 4)), Arg((4,)), Arg((4, 2)), Arg((2, 3, 4))
SQUARE, ZEROS = (
    Arg((3, 3)),
    Arg((3, 4), lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.7)),
)
FLAT_DISTINCT, CUBE = Arg((3, 4), DISTINCT.sample), Arg((2, 3, 3))
I4, I23 = (Arg(s, lambda rng, shape: rng.integers(-3, 3, shape), "i64") for s in ((4,), (2, 3)))
INDEX_ROWS = Arg((3, 2), lambda rng, shape: rng.integers(-4, 4, shape), "i64")
SOME_NAN, MANY_TRUE = Arg((4, 3), some_nan), Arg((4, 3), lambda rng, shape: rng.random(shape) < 0.7, "b1")
MASK, TRIANGLE = np.array([True, False, True]), np.tri(3, 4) > 0
