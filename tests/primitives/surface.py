"""More rows of the table of operations: what `nnjit.numpy` composes, sorts and solves.

A row is one program of a module `np`, which is NumPy's for the value that is wanted and ours for the one that
is tested. The rows share a few large programs when they are compiled (`tests/numpy/test_compiled.py`).
"""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import scipy.special

import nnjit.numpy as nnp
from nnjit import primitives as p
from nnjit.numpy.indexing.writing import At

from .table import (
    APART,
    BOOL,
    DISTINCT,
    INT,
    POSITIVE,
    WIDE,
    WIDE_DISTINCT,
    Arg,
    Row,
    Sampler,
    X,
    Y,
    not_near_zero,
    one_to_three,
)


def row(name: str, program: Callable[..., Any], *args: Arg) -> Row:
    """A row of one program of (np, *args)."""
    ours, theirs = (_bound(program, module) for module in (nnp, np))
    return Row(name, ours, theirs, args)


def _bound(program: Callable[..., Any], module: ModuleType) -> Callable[..., Any]:
    return lambda *args: program(module, *args)


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices far from singular, of distinct eigenvalues."""
    return 0.3 * rng.standard_normal(shape) + np.diag(np.arange(1.0, 1 + shape[-1]))


def cofactor_change(a: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(tr(A⁻¹ E) - A⁻ᵀ Eᵀ) cof(A), of a regular matrix."""
    inverse = np.linalg.inv(a)
    cofactors = np.linalg.det(a) * inverse.T
    return np.trace(inverse @ moved) * cofactors - inverse.T @ moved.T @ cofactors


def tall(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Matrices of full rank and distinct singular values, tall or wide."""
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


def _set(module: ModuleType, x: Any, index: Any, value: Any) -> Any:
    if module is nnp:
        return At(x)[index].set(value)
    out = x.copy()
    out[index] = value
    return out


def _add(module: ModuleType, x: Any, index: Any, value: Any) -> Any:
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

# fmt: off
SURFACE_ROWS = (
    # elementwise
    Row("digamma",        nnp.digamma, scipy.special.digamma,                     (POSITIVE,)),
    Row("digamma below 0", nnp.digamma, scipy.special.digamma,                    (Arg((5,), uniform(-0.8, -0.2)),)),
    Row("xlogy",          nnp.xlogy, scipy.special.xlogy,                         (X, POSITIVE)),
    Row("logit",          nnp.logit, scipy.special.logit,                         (Arg((4,), uniform(0.1, 0.9)),)),
    Row("log_sigmoid",    nnp.log_sigmoid, scipy.special.log_expit,               (X,)),
    row("sinc",           lambda np, x: np.sinc(x),                               X),
    row("sinc near 0",    lambda np, x: np.sinc(x),                               Arg((4,), uniform(-1e-3, 1e-3))),
    row("logaddexp2",     lambda np, x, y: np.logaddexp2(x, y),                   X, Y),
    row("reciprocal",     lambda np, x: np.reciprocal(x),                         APART),
    row("float_power",    lambda np, x: np.float_power(x, 3),                     X),
    row("fmax",           lambda np, x, y: np.fmax(x, y),                         X, Y),
    row("fmin",           lambda np, x, y: np.fmin(x, y),                         X, Y),
    row("isnan",          lambda np, x: np.isnan(x),                              Arg((4, 3), some_nan)),
    row("isinf",          lambda np, x: np.isinf(np.where(x > 0, -np.inf, x)),    X),
    row("isclose",        lambda np, x: np.isclose(x, np.rint(x), 0.3, 0.1),      X),
    row("logical_xor",    lambda np, x, y: np.logical_xor(x, y),                  BOOL, INT),
    row("bitwise_and",    lambda np, x, y: np.bitwise_and(x, y),                  BOOL, BOOL),
    row("bitwise_and of numbers", lambda np, x, y: np.bitwise_and(x, y) | ~x,      INT, INT),
    row("bitwise_or",     lambda np, x, y: np.bitwise_or(x, y),                   BOOL, BOOL),
    row("bitwise_xor",    lambda np, x, y: np.bitwise_xor(x, y),                  BOOL, BOOL),
    row("invert",         lambda np, x: np.invert(x),                             BOOL),
    row("around",         lambda np, x: np.around(x, 1) + np.around(10 * x) + np.around(100 * x, -1), X),
    row("nan_to_num",     lambda np, x: np.nan_to_num(x, nan=2.0, posinf=1.0),    X),
    row("copysign",       lambda np, x, y: np.copysign(x, y),                     APART, Y),
    row("heaviside",      lambda np, x: np.heaviside(x, 0.5),                     APART),
    row("deg2rad",        lambda np, x: np.deg2rad(x),                            X),
    row("rad2deg",        lambda np, x: np.rad2deg(x),                            X),
    row("signbit",        lambda np, x: np.signbit(x) | np.signbit(np.floor(x) * 0), X),
    row("modf",           lambda np, x: np.modf(x)[0] * 2 + np.modf(x)[1],        APART),
    row("real",           lambda np, x: np.real(x) * 2 + x.real,                  X),
    row("imag",           lambda np, x: np.imag(x) + x,                           X),
    row("allclose",       lambda np, x, y: np.allclose(x, y, 0.5, 2.0, equal_nan=True), X, Y),
    row("power of whole numbers", lambda np, x, y: x**y,                          INT, Arg(INT.shape, one_to_three, "i32")),
    row("sum of truth values", lambda np, x, y: (x + y) & np.maximum(x, y) | (x * y) & np.minimum(x, y), BOOL, BOOL),
    row("floor of whole numbers", lambda np, x: np.floor(x) + np.ceil(x) * np.trunc(x) + np.nan_to_num(x), INT),
    row("fabs",           lambda np, x: np.fabs(x),                               APART),
    row("positive",       lambda np, x: np.positive(x) * 2,                       X),
    row("divmod",         lambda np, x, y: np.divmod(x, y)[1],                    X, APART),
    row("remainder by operator", lambda np, x: x % 0.7 + x // 0.7,                X),
    row("floor_divide of floats", lambda np, x, y: x // y,                        X, APART),
    row("floor_divide of whole numbers", lambda np, x, y: x // y + x % y,         INT, Arg(INT.shape, one_to_three, "i32")),

    row("clip by names",  lambda np, x: np.clip(x, min=-0.5, max=0.7) + np.clip(x, 0.1, None) + x.clip(max=0.2), X),

    # reductions and creation
    row("sum with dtype", lambda np, i: np.sum(i, axis=0, dtype=np.float64) + i.mean(0, dtype=np.float32) * np.prod(i, axis=0, dtype="f8"), I23),
    row("var with dtype", lambda np, i: np.var(i, axis=0, dtype="f8") + np.std(i, axis=0, dtype="f8") + np.cumsum(i, 1, "f8"), I23),
    row("full",           lambda np, x: np.full((2, 3, 4), x) + np.full(4, 2),    M),
    row("linspace",       lambda np, x, y: np.linspace(x, y, 5) + np.linspace(y, x, 1), Arg((4,)), Arg((4,))),
    row("linspace without its end", lambda np, x: np.linspace(0, x, 3, endpoint=False, dtype="f8"), Arg(())),
    row("prod",           lambda np, x: np.prod(x, axis=(0, 2), keepdims=True),   T),
    row("prod of all",    lambda np, x: np.prod(x),                               Arg((5,))),
    row("prod with zeros", lambda np, x: np.prod(x, axis=-1),                     ZEROS),
    row("var",            lambda np, x: np.var(x, axis=1, ddof=1),                WIDE),
    row("var of all",     lambda np, x: np.var(x),                                X),
    row("std",            lambda np, x: np.std(x, axis=(1, -1), keepdims=True),   WIDE),
    row("amax",           lambda np, x: np.amax(x, axis=(0, 1), keepdims=True),   WIDE_DISTINCT),
    row("amin",           lambda np, x: np.amin(x),                               DISTINCT),
    row("argmax of all",  lambda np, x: np.argmax(x).astype("i4"),                M),
    row("argmin with keepdims", lambda np, x: np.argmin(x, axis=-1, keepdims=True).astype("i4"), X),
    row("ptp",            lambda np, x: np.ptp(x, axis=-1),                       DISTINCT),
    row("average",        lambda np, x, w: np.average(x, axis=1, weights=w),      X, POSITIVE),
    row("nansum",         lambda np, x: np.nansum(x, axis=1),                     SOME_NAN),
    row("nanprod",        lambda np, x: np.nanprod(x, axis=1, keepdims=True),     SOME_NAN),
    row("nanmean",        lambda np, x: np.nanmean(x, axis=1) + np.nanmean(x),    SOME_NAN),
    row("nanvar",         lambda np, x: np.nanvar(x, axis=1, keepdims=True, ddof=1), Arg((2, 5), one_nan)),
    row("nanstd",         lambda np, x: np.nanstd(x, axis=(0, 1)) + np.nanstd(x), SOME_NAN),
    row("nanmax",         lambda np, x: np.nanmax(x, axis=-1, keepdims=True),     Arg((2, 5), one_nan)),
    row("nanmin",         lambda np, x: np.nanmin(x) + np.nanmin(x, axis=0),      Arg((2, 5), one_nan)),
    row("nanargmax",      lambda np, x: np.nanargmax(x, axis=1).astype("i4"),     Arg((2, 5), one_nan)),
    row("nanargmin",      lambda np, x: np.nanargmin(x).astype("i4"),             Arg((2, 5), one_nan)),
    row("nancumsum",      lambda np, x: np.nancumsum(x, axis=1),                  SOME_NAN),
    row("nancumprod",     lambda np, x: np.nancumprod(x),                         Arg((2, 5), one_nan)),
    row("average along an axis", lambda np, x, w: np.average(x, axis=1, weights=w, keepdims=True), T, Arg((3,), POSITIVE.sample)),
    row("any of nothing", lambda np, x: np.any(x[:0], axis=0) | np.all(x[:0]),    M),
    row("max of truth values", lambda np, x: np.max(x, axis=0) & np.min(x),       MANY_TRUE),
    row("sum of whole numbers", lambda np, i: np.sum(i) + np.prod(i, 0) + np.cumsum(i, 0)[-1] + np.cumprod(i, 0)[-1], Arg((2, 3), INT.sample, "i32")),
    row("any",            lambda np, x: np.any(x > 1, axis=1),                    X),
    row("all",            lambda np, x: np.all(x, axis=(0, 1)),                   INT),
    row("count_nonzero with axis", lambda np, x: np.count_nonzero(x, axis=-1, keepdims=True), INT),
    row("cumsum",         lambda np, x: np.cumsum(x, axis=1),                     WIDE),
    row("cumsum of all",  lambda np, x: np.cumsum(x),                             M),
    row("cumprod",        lambda np, x: np.cumprod(x, axis=-1),                   ZEROS),
    row("diff",           lambda np, x: np.diff(x, 2, axis=0),                    M),
    row("diff with ends", lambda np, x, y: np.diff(x, prepend=y[:, None], append=1.0), M, Arg((3,))),
    row("trace",          lambda np, x: np.trace(x, 1, -1, 0),                    CUBE),
    row("norm by linalg", lambda np, x: np.linalg.norm(x),                        X),
    row("norm of vectors", lambda np, x: np.linalg.norm(x, axis=-1, keepdims=True), X),
    row("norm of order 3", lambda np, x: np.linalg.norm(x, 3, axis=0) + np.linalg.norm(x, 1, axis=0), Arg((4, 3), not_near_zero)),
    row("norm of order inf", lambda np, x: np.linalg.norm(x, np.inf, 1) + np.linalg.norm(x, -np.inf, 1), FLAT_DISTINCT),
    row("norm of matrices", lambda np, x: np.linalg.norm(x, 1, (1, 2)) + np.linalg.norm(x, -np.inf, (1, 2)), Arg((2, 3, 3), not_near_zero)),
    row("norm of order 0", lambda np, x: np.linalg.norm(x, 0, axis=0),            ZEROS),
    row("logsumexp of two axes", lambda np, x: np.log(np.sum(np.exp(x), (0, 2), keepdims=True)), WIDE),

    # shaping
    row("swapaxes",       lambda np, x: np.swapaxes(x, 0, -1),                    T),
    row("moveaxis",       lambda np, x: np.moveaxis(x, (0, 1), (-1, 0)),          T),
    row("squeeze of all", lambda np, x: np.squeeze(x) * 2,                        Arg((1, 3, 1))),
    row("expand_dims of two", lambda np, x: np.expand_dims(x, (0, -1)) * 2,       M),
    row("vstack",         lambda np, x, y: np.vstack([x, y, x]),                  V, V),
    row("hstack",         lambda np, x, y: np.hstack([x, y]),                     M, Arg((3, 2))),
    row("dstack",         lambda np, x, y: np.dstack([x, y]),                     M, M),
    row("column_stack",   lambda np, x, y: np.column_stack([x, y]),               V, N),
    row("append",         lambda np, x, y: np.append(x, y),                       M, V),
    row("concatenate of all", lambda np, x, y: np.concatenate([x, y], axis=None), M, V),
    row("split",          lambda np, x: np.split(x, indices_or_sections=2, axis=1)[1] * 2,            M),
    row("split at indices", lambda np, x: np.split(x, [1, 3], axis=1)[1] * 2,     M),
    row("array_split",    lambda np, x: np.array_split(x, 3, axis=1)[0] * 2,      M),
    row("vsplit",         lambda np, x: np.vsplit(x, 3)[2] * 2,                   M),
    row("hsplit",         lambda np, x: np.hsplit(x, 2)[0] * 2,                   V),
    row("dsplit",         lambda np, x: np.dsplit(x, 2)[1] * 2,                   T),
    row("tile",           lambda np, x: np.tile(x, (2, 1, 3)),                    M),
    row("repeat",         lambda np, x: np.repeat(x, 3, axis=-1),                 M),
    row("repeat of all",  lambda np, x: np.repeat(x, 2),                          M),
    row("repeat by counts", lambda np, x: np.repeat(x, [2, 0, 1], axis=0),        M),
    row("roll",           lambda np, x: np.roll(x, (1, -5), (0, 1)),              M),
    row("roll of all",    lambda np, x: np.roll(x, 2),                            M),
    row("pad",            lambda np, x: np.pad(x, ((1, 2), (0, 1)), constant_values=3.0), M),
    row("pad with edges", lambda np, x: np.pad(x, 2, mode="edge"),                M),
    row("pad by wrapping", lambda np, x: np.pad(x, ((5, 2), (1, 1)), mode="wrap"), M),
    row("pad by reflecting", lambda np, x: np.pad(x, ((4, 3), (1, 6)), mode="reflect"), M),
    row("pad by symmetry", lambda np, x: np.pad(x, ((4, 3), (1, 2)), mode="symmetric"), M),
    row("diag of a matrix", lambda np, x: np.diag(x, -1),                         M),
    row("diag",           lambda np, x: np.diag(x, 1) + np.diag(x[1:], -2)[:5, :5].sum(), V),
    row("diagflat",       lambda np, x: np.diagflat(x, -1),                       Arg((2, 2))),
    row("diagonal",       lambda np, x: np.diagonal(x, 1, 2, 1),                  T),
    row("tril",           lambda np, x: np.tril(x, 1),                            T),
    row("triu",           lambda np, x: np.triu(x),                               M),
    row("atleast_1d",     lambda np, x: np.atleast_1d(x) * 2,                     Arg(())),
    row("atleast_2d",     lambda np, x: np.atleast_2d(x) * 2,                     V),
    row("atleast_3d",     lambda np, x: np.atleast_3d(x) * 2,                     M),
    row("meshgrid",       lambda np, x, y: np.multiply(*np.meshgrid(x, y)),       V, Arg((2,))),
    row("meshgrid by indices", lambda np, x, y: np.add(*np.meshgrid(x, y, indexing="ij")), V, Arg((2,))),
    row("meshgrid of lines", lambda np, x, y: np.multiply(*np.meshgrid(x, y, sparse=True)), V, Arg((2,))),
    row("ones_like of another shape", lambda np, x: x * np.ones_like(x, shape=(2, 3, 4)) + np.full_like(x, 2, shape=4) + np.zeros_like(x, shape=(1, 4)), M),
    row("broadcast_arrays", lambda np, x, y: np.multiply(*np.broadcast_arrays(x, y)), M, V),
    row("zeros_like",     lambda np, x: np.zeros_like(x, "f4"),                   M),
    row("full_like",      lambda np, x, y: np.full_like(x, y),                    M, V),
    row("empty_like",     lambda np, x: np.empty_like(x) * 0,                     M),
    row("array",          lambda np, x: np.array(x) * 2,                          M),
    Row("array of nodes", lambda x, y: nnp.array([[x[0], 1.0], [y, x[1]]]),
                          lambda x, y: np.array([[x[0], 1.0], [y, x[1]]]),        (Arg((2,)), Arg(()))),
    row("asarray",        lambda np, x: np.asarray(x, "f8") * 2,                     M),
    row("flip",   lambda np, x: np.flip(x, (0, 2)),                       T),
    row("fliplr", lambda np, x: np.fliplr(x),                             M),
    row("flipud", lambda np, x: np.flipud(x),                             M),
    row("rot90",  lambda np, x: np.rot90(x) + 2 * np.rot90(x, -1),            M),
    row("rot90 twice", lambda np, x: np.rot90(x, 2, (1, 2)),              T),

    row("tril of a vector", lambda np, x: np.tril(x) + np.triu(x, 1),             V),
    row("matrix_transpose", lambda np, x: np.matrix_transpose(x) * 2 + x.mT,      T),
    row("unstack",        lambda np, x: np.unstack(x, axis=1)[2] * 2,             T),
    row("select",         lambda np, x: np.select([x > 1, x > 0], [x, x**2], -x), X),
    row("pad of one by reflecting", lambda np, x: np.pad(x, 1, mode="reflect"),   Arg((1, 3))),

    # numerical recipes
    row("trapezoid",      lambda np, y, x: np.trapezoid(y, x) + np.trapezoid(y, dx=0.5, axis=1), M, V),
    row("gradient",       lambda np, x: np.gradient(x, 0.5, axis=-1),             M),
    row("gradient of two axes", lambda np, x: np.gradient(x)[0],                  M),
    row("ediff1d",        lambda np, x: np.ediff1d(x),                            M),
    row("interp",         lambda np, x, y: np.interp(x, np.arange(-1.0, 3.0), y) * 2, Arg((6,), uniform(-0.95, -0.05)), V),
    row("interp outside", lambda np, x, p, y: np.interp(x, np.cumsum(p), y, left=-1.0), M, Arg((3,), POSITIVE.sample), Arg((3,))),
    row("polyval",        lambda np, p, x: np.polyval(p, x),                      V, M),
    row("vander",         lambda np, x: np.vander(x) + np.vander(x, 4, increasing=True), V),
    row("correlate",      lambda np, x, y: np.correlate(x, y, "same"),            Arg((5,)), Arg((3,))),
    row("correlate with a longer one", lambda np, x, y: np.correlate(x, y, "full"), Arg((3,)), Arg((5,))),
    row("cov",            lambda np, x, y: np.cov(x, y),                          M, V),
    row("cov of columns", lambda np, x: np.cov(x, rowvar=False, ddof=0) + np.cov(x[:, 0]), M),
    row("corrcoef",       lambda np, x: np.corrcoef(x),                           M),
    row("quantile",       lambda np, x: np.quantile(x, [0.2, 0.5], axis=1),     FLAT_DISTINCT),
    row("percentile",     lambda np, x: np.percentile(x, 30, axis=(0, 1), keepdims=True), FLAT_DISTINCT),

    # products
    row("vecdot",         lambda np, x, y: np.vecdot(x, y),                       T, V),
    row("matmul of whole numbers", lambda np, x, y: (x @ y.T)[:, None] + np.dot(x[0], y[0]) + np.vdot(x, y), Arg((2, 3), INT.sample, "i32"), Arg((2, 3), INT.sample, "i32")),
    row("matmul of truth values", lambda np, x, y: x @ y.T,                       MANY_TRUE, MANY_TRUE),
    row("einsum by numbers", lambda np, x, y: np.einsum(x, [0, 1], y, [1, ...], [0, ...]), M, N),
    row("vdot",           lambda np, x, y: np.vdot(x, y),                         M, Arg((4, 3))),
    row("inner",          lambda np, x, y: np.inner(x, y),                        T, M),
    row("outer",          lambda np, x, y: np.outer(x, y),                        V, M),
    row("dot of three axes", lambda np, x, y: np.dot(x, y),                       M, Arg((2, 4, 2))),
    row("matmul of stacks", lambda np, x, y: x @ y,                               T, Arg((2, 4, 2))),
    row("matmul of a stack and a matrix", lambda np, x, y: x @ y,                 T, N),
    row("matmul of a matrix and a stack", lambda np, x, y: x @ y,                 M, Arg((2, 4, 2))),
    row("matmul of a stack and a vector", lambda np, x, y: x @ y,                 T, V),
    row("matmul of rows of matrices", lambda np, x, y: x @ y,                     WIDE, Arg((3, 2))),
    row("tensordot",      lambda np, x, y: np.tensordot(x, y, ([2, 0], [0, 1])),  T, Arg((4, 2, 3))),
    row("tensordot of two axes", lambda np, x, y: np.tensordot(x, y),             T, Arg((3, 4, 2))),
    row("tensordot of none", lambda np, x, y: np.tensordot(x, y, 0),              V, M),
    row("einsum",         lambda np, x, y: np.einsum("bij,bjk->bki", x, y),       T, Arg((2, 4, 2))),
    row("einsum of one",  lambda np, x: np.einsum("iji->j", x),                   Arg((3, 2, 3))),
    row("einsum of three", lambda np, x, y, z: np.einsum("ij,jk,i->k", x, y, z),  M, N, Arg((3,))),
    row("einsum with dots", lambda np, x, y: np.einsum("...ij,j...->...i", x, y), T, N),
    row("einsum with ones", lambda np, x, y: np.einsum("...i,...i", x, y),        Arg((2, 1, 3)), Arg((4, 3))),
    row("einsum of whole numbers", lambda np, x, y: np.einsum("ij,ij->j", x, y),  INT, INT),
    row("einsum implicit", lambda np, x, y: np.einsum("ba,bc", x, y),             Arg((4, 3)), N),
    row("einsum over rows", lambda np, x, y: np.einsum("bi,bi->b", x, y),         X, Y),
    row("kron",           lambda np, x, y: np.kron(x, y),                         M, V),
    row("cross",          lambda np, x, y: np.cross(x, y),                        X, Y),
    row("matrix_power",   lambda np, x: np.linalg.matrix_power(x, 5),             SQUARE),

    row("convolve",       lambda np, x, y: np.convolve(x, y),                     Arg((5,)), Arg((3,))),
    row("convolve same",  lambda np, x, y: np.convolve(x, y, "same"),             Arg((4,)), Arg((5,))),
    row("convolve valid", lambda np, x, y: np.convolve(x, y, mode="valid"),       Arg((6,)), Arg((2,))),
    Row("sliding_window_view", lambda x: nnp.sliding_window_view(x, (2, 3)),
                          lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 3)), (Arg((3, 5)),)),
    Row("sliding_window_view of an axis", lambda x: nnp.sliding_window_view(x, 2, axis=1),
                          lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 1), (T,)),

    # solvers
    Row("det_sign",     p.det_sign, lambda a: np.linalg.slogdet(a)[0],            (CUBE,)),
    Row("logabsdet",    p.logabsdet, lambda a: np.linalg.slogdet(a)[1],           (Arg((2, 3, 3), regular),)),
    Row("cofactors",    p.cofactors, lambda a: np.linalg.det(a) * np.linalg.inv(a).T, (Arg((3, 3), regular),)),
    Row("cofactor_change", p.cofactor_change, cofactor_change,  (Arg((3, 3), regular), Arg((3, 3)))),
    Row("eigenvectors", lambda a: p.eigenvectors(a + p.transpose(a, perm=(0, 2, 1))) ** 2,
                        lambda a: np.linalg.eigh(a + a.transpose(0, 2, 1))[1] ** 2, (Arg((2, 3, 3), regular),)),
    row("solve",          lambda np, a, b: np.linalg.solve(a, b),                 Arg((2, 3, 3), regular), Arg((3, 2))),
    row("solve of a vector", lambda np, a, b: np.linalg.solve(a, b),              Arg((3, 3), regular), Arg((3,))),
    row("inv",            lambda np, a: np.linalg.inv(a),                         Arg((2, 3, 3), regular)),
    row("det",            lambda np, a: np.linalg.det(a),                         Arg((2, 3, 3), regular)),
    Row("det of one",     p.det, lambda a: a[..., 0, 0],                          (Arg((2, 1, 1), regular),)),
    row("slogdet",        lambda np, a: np.linalg.slogdet(a)[1],                  Arg((3, 3), regular)),
    row("cholesky",       lambda np, a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2)), Arg((2, 3, 3), regular)),
    row("eigh",           lambda np, a: np.linalg.eigh(a + np.swapaxes(a, -1, -2))[1] ** 2, Arg((2, 3, 3), regular)),
    row("eigvalsh",       lambda np, a: np.linalg.eigvalsh(a + np.swapaxes(a, -1, -2)), Arg((2, 3, 3), regular)),
    row("norm 2",         lambda np, a: np.linalg.norm(a, 2),                     Arg((4, 3), tall)),
    row("norm -2 of stacks", lambda np, a: np.linalg.norm(a, -2, (0, 2), keepdims=True), Arg((3, 2, 4), tall_apart)),
    row("norm nuc",       lambda np, a: np.linalg.norm(a, "nuc", axis=(2, 1)),    Arg((2, 3, 4), tall)),
    row("singular_vectors", lambda np, a: np.linalg.svd(a, full_matrices=False)[2], Arg((4, 3), tall)),
    row("svd left",       lambda np, a: np.linalg.svd(a, full_matrices=False)[0], Arg((2, 4, 3), tall)),
    row("svd of a wide matrix", lambda np, a: np.linalg.svd(a, full_matrices=False)[0] * 2, Arg((3, 4), tall)),
    row("svd right of a wide matrix", lambda np, a: np.linalg.svd(a, full_matrices=False).Vh, Arg((3, 4), tall)),
    row("svd whole",      lambda np, a: (lambda f: f.U @ (f.S[:, None] ** 2 * f.Vh))(np.linalg.svd(a)), Arg((3, 3), regular)),
    row("svdvals",        lambda np, a: np.linalg.svd(a, compute_uv=False),       Arg((2, 3, 4), tall)),
    row("orthogonal",     lambda np, a: np.linalg.qr(a)[0],                       Arg((2, 4, 3), tall)),
    row("qr",             lambda np, a: np.linalg.qr(a).R ** 2,                   Arg((4, 3), tall)),
    row("qr of a wide matrix", lambda np, a: np.linalg.qr(a).Q + np.linalg.qr(a, "r")[:, 1:], Arg((3, 4), tall)),
    row("pinv",           lambda np, a: np.linalg.pinv(a),                        Arg((2, 4, 3), tall)),
    row("pinv of a wide matrix", lambda np, a: np.linalg.pinv(a),                 Arg((3, 4), tall)),
    row("lstsq",          lambda np, a, b: np.linalg.lstsq(a, b)[0],              Arg((4, 3), tall), Arg((4,))),
    row("lstsq residuals", lambda np, a, b: np.linalg.lstsq(a, b)[1],             Arg((4, 3), tall), Arg((4, 2))),
    row("matrix_power of an inverse", lambda np, a: np.linalg.matrix_power(a, -2), Arg((3, 3), regular)),

    # indexing
    row("getitem with steps", lambda np, x: x[::2, 1::3] * 2,                     Arg((5, 6))),
    row("getitem of every second", lambda np, x: x[:, 1:4:2, ..., None] * 2,      Arg((2, 5, 3))),
    row("at set",         lambda np, x, v: _set(np, x, (slice(None), slice(1, 3)), v), M, Arg((2,))),
    row("at add",         lambda np, x, v: _add(np, x, (1, None, slice(2)), v),       M, Arg((1, 2))),
    row("at set of rows", lambda np, x, v: _set(np, x, (slice(None), 1), v),          X, Arg(())),
    row("getitem backwards", lambda np, x: x[::-1, 4:0:-2],               Arg((3, 6))),
    row("getitem of numbers", lambda np, x, i: x[i],                      M, I4),
    row("getitem of two arrays", lambda np, x, i: x[1:, [0, 2], i[:2]],   Arg((3, 3, 4)), I4),
    row("getitem apart", lambda np, x, i: x[0, :, i],                     Arg((2, 3, 4)), I23),
    row("getitem behind", lambda np, x, i: x[..., None, i],               T, I23),
    row("getitem of rows", lambda np, x: x[:, [2, 0, 0]],                 Arg((5, 3))),
    row("getitem by mask", lambda np, x: x[:, MASK],                      T),
    row("getitem by whole mask", lambda np, x: x[TRIANGLE], M),
    row("nonzero", lambda np, x: x[np.nonzero(TRIANGLE)] + x[np.where(TRIANGLE)], M),
    row("take",   lambda np, x, i: np.take(x, i, axis=1),                 T, I23),
    row("take of all", lambda np, x, i: np.take(x, i),                    M, I23),
    row("take_along_axis", lambda np, x, i: np.take_along_axis(x, i, 1),  M, INDEX_ROWS),
    row("argsort",        lambda np, x: np.argsort(x, axis=0),                    FLAT_DISTINCT),
    row("sort",           lambda np, x: np.sort(x, axis=0),                       FLAT_DISTINCT),
    row("sort of all",    lambda np, x: np.sort(x, axis=None),                    FLAT_DISTINCT),
    row("median",         lambda np, x: np.median(x, axis=1),                     FLAT_DISTINCT),
    row("at set of numbers", lambda np, x, v: _set(np, x, ([2, 0, 2], slice(None, None, 2)), v), M, Arg((3, 2))),
    row("at add of numbers", lambda np, x, i, v: _add(np, x, (i, i), v),      Arg((3, 3)), I4, V),
    row("at add twice", lambda np, x, v: _add(np, x, [1, 1, 0], v),           M, Arg((3, 4))),
)
# fmt: on
