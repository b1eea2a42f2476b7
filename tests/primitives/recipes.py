"""Rows of the table of operations for editing, searching, fitting and transforming arrays."""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

import nnjit.numpy as nnp

from .programs import FLAT_DISTINCT, M, N, T, V, row, uniform
from .table import Arg, Row, X, not_near_zero

NUMBERS = Arg((6,), lambda rng, shape: rng.integers(0, 4, shape), "i64")
PLACE = Arg((), lambda rng, shape: rng.integers(-3, 3, shape), "i64")
OTHERS = Arg((3, 2), lambda rng, shape: np.argsort(rng.random((3, 4)), 1)[:, :2], "i64")
EDGES, FAR = np.array([-1.1, -0.3, 0.4, 1.2]), np.array([-30.0, 12.0, 25.0, 40.0])


def spectrum(x: np.ndarray, n: int | None = None, axis: int = -1, norm: Any = None) -> np.ndarray:
    """NumPy's `rfft` with real and imaginary parts as the last axis."""
    z = np.fft.rfft(x, n, axis, norm)
    return np.stack([z.real, z.imag], -1)


def signal(a: np.ndarray, n: int | None = None, axis: int = -1, norm: Any = None) -> np.ndarray:
    """NumPy's `irfft` of real and imaginary parts as the last axis."""
    return np.fft.irfft(a[..., 0] + 1j * a[..., 1], n, axis, norm)


def _put(module: ModuleType, x: Any, i: Any, v: Any) -> Any:
    if module is nnp:
        return nnp.put_along_axis(x, i, v, 1)
    out = x.copy()
    np.put_along_axis(out, i, v, 1)
    return out


def _whole(np: ModuleType, i: Any) -> Any:
    """An index for NumPy, whose `delete` does not accept an array for one index."""
    return i if np is nnp else int(i)


# fmt: off
RECIPE_ROWS = (
    # products and special functions
    row("matvec",         lambda np, x, y: np.matvec(x, y),                       T, V),
    row("vecmat",         lambda np, x, y: np.vecmat(x, y),                       M, Arg((4, 2))),
    row("i0",             lambda np, x: np.i0(x),                                 Arg((5,), uniform(-9, 9))),
    row("i0 far from 0",  lambda np, x: np.i0(x + FAR) * 1e-8,                    V),

    # editing
    row("delete",         lambda np, x: np.delete(x, [0, 2], axis=1) * 2,         M),
    row("delete of a slice", lambda np, x: np.delete(x, slice(None, None, 2)) * 2, M),
    row("delete at an index", lambda np, x, i: np.delete(x, _whole(np, i), axis=0) * 2, M, PLACE),
    row("insert",         lambda np, x, v: np.insert(x, [1, 3, 1], v, axis=1),    M, Arg((3, 1))),
    row("insert of many", lambda np, x, v: np.insert(x, -2, v),                   M, V),
    row("insert at an index", lambda np, x, i, v: np.insert(x, _whole(np, i), v, axis=1), M, PLACE, Arg((2, 3))),
    row("block",          lambda np, x, y: np.block([[x, y], [np.ones((1, 5)), y[:1, :1]]]), M, Arg((3, 2))),
    row("r_",             lambda np, x, y: np.r_[x, 1:3, 0.5, y[0], y[0, 0]:2:3j], V, N),
    row("r_ along an axis", lambda np, x: np.r_["1", x, 2 * x][:, ::2] + np.r_["0,2", x[0], x[1:]] , M),
    row("c_",             lambda np, x, y: np.c_[x, y, 0:4],                      V, N),
    row("put_along_axis", _put,                                                   M, OTHERS, Arg((3, 1))),

    # order and places
    row("partition",      lambda np, x: np.take(np.partition(x, 2, axis=0), 2, axis=0) + x.sum(0), FLAT_DISTINCT),
    row("argpartition",   lambda np, x: np.take(np.argpartition(x, -2), -2, axis=-1), FLAT_DISTINCT),
    row("searchsorted",   lambda np, x: np.searchsorted(EDGES, x) + np.searchsorted(EDGES[::-1], x, "right", sorter=[3, 2, 1, 0]), M),
    row("searchsorted in a vector", lambda np, a, x: np.searchsorted(np.sort(a), x, side="right"), V, M),
    row("digitize",       lambda np, x: np.digitize(x, EDGES) + 10 * np.digitize(x, EDGES[::-1], right=True), M),
    row("digitize by a vector", lambda np, x, a: np.digitize(x, np.cumsum(-a * a)), M, V),
    row("bincount",       lambda np, w: np.bincount([3, 0, 3, 1, 1, 1], w, minlength=6), Arg((6,))),
    Row("bincount of some length", lambda i, w: nnp.bincount(i, w, length=5), lambda i, w: np.bincount(i, w, 5), (NUMBERS, Arg((6,)))),
    Row("bincount without weights", lambda i: nnp.bincount(i, length=3), lambda i: np.bincount(i, minlength=4)[:3], (NUMBERS,)),

    # polynomials and angles
    row("polyadd",        lambda np, p, q: np.polyadd(p, q),                      V, Arg((6,))),
    row("polysub",        lambda np, p, q: np.polysub(p, q),                      V, Arg((2,))),
    row("polymul",        lambda np, p, q: np.polymul(p, q),                      V, Arg((3,))),
    row("polyder",        lambda np, p: np.polyder(p, 2),                         Arg((5,))),
    row("polyint",        lambda np, p, k: np.polyint(p, 2, k),                   V, Arg((2,))),
    row("polyfit",        lambda np, x, y: np.polyfit(np.cumsum(x), y, 2),        Arg((6,), lambda rng, shape: rng.uniform(0.5, 1.0, shape)), Arg((6,))),
    row("polyfit with weights", lambda np, y, w: np.polyfit(np.arange(5.0), y, 1, w=w) + np.polyfit(np.arange(5.0), y, 1, cov=True)[1][0, 0], Arg((5, 2)), Arg((5,), lambda rng, shape: rng.uniform(0.5, 1.0, shape))),
    row("unwrap",         lambda np, x: np.unwrap(9 * x) + np.unwrap(x, 0.8, axis=0, period=1.5), M),

    # functions of functions
    row("piecewise",      lambda np, x: np.piecewise(x, [x < 0, x > 0.5], [lambda v: v * v, lambda v: np.sqrt(v), lambda v: -v]), Arg((3, 4), not_near_zero)),
    row("piecewise with values", lambda np, x: np.piecewise(x, [x < 0], [lambda v, k: k * v, 2.0], 3.0), Arg((3, 4), not_near_zero)),
    row("apply_along_axis", lambda np, x: np.apply_along_axis(lambda v: v[1:] * np.sum(v), 1, x), T),
    row("vectorize",      lambda np, x, y: np.vectorize(lambda a, b: a * b + a)(x, y), M, V),
    row("vectorize with a signature", lambda np, x, y: np.vectorize(lambda a, b: a @ b, signature="(m,n),(n)->(m)")(x, y), T, V),

    # Fourier transforms
    Row("rfft",           nnp.fft.rfft, spectrum,                                 (X,)),
    Row("rfft of many",   nnp.fft.rfft, spectrum,                                 (Arg((72,)),)),
    Row("rfft of a prime number", lambda x: nnp.fft.rfft(x, norm="ortho"), lambda x: spectrum(x, norm="ortho"), (Arg((37,)),)),
    Row("rfft along an axis", lambda x: nnp.fft.rfft(x, 5, axis=1, norm="forward"), lambda x: spectrum(x, 5, 1, "forward"), (T,)),
    Row("irfft",          nnp.fft.irfft, signal,                                  (Arg((3, 4, 2)),)),
    Row("irfft of many",  lambda a: nnp.fft.irfft(a, 45), lambda a: signal(a, 45), (Arg((23, 2)),)),
    Row("irfft along an axis", lambda a: nnp.fft.irfft(a, 7, axis=0, norm="ortho"), lambda a: signal(a, 7, 0, "ortho"), (Arg((3, 4, 2)),)),
)
# fmt: on
