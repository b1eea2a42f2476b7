"""The matrix product against NumPy: shapes around the edges of its tiles, both transposes, adding or not."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numba import config, njit

from nnjit.autodiff import trace
from nnjit.codegen import Compiled
from nnjit.codegen.runtime.products import gemm
from nnjit.codegen.runtime.views import JIT, f32_at, f64_at, table_of
from nnjit.codegen.source import products as emit_product
from nnjit.ir import B, array_type, interpret

# m, n, k around the tiles of 4, 6 and 8 rows, vectors of 2 to 16 lanes, and the depth of 256.
SHAPES = [
    (1, 1, 1), (2, 3, 1), (1, 17, 5), (6, 16, 8), (7, 15, 9), (8, 32, 16), (13, 33, 31), (10, 30, 784),
    (32, 1, 64), (64, 10, 128), (40, 8, 257), (33, 64, 513), (784, 30, 10),
]  # fmt: skip
CASES = [(s, *flags) for s, flags in product(SHAPES, product((0, 1), repeat=3))]
CASES += [((8, 3, 0), 1, 0, add) for add in (0, 1)]  # the sum over a batch without rows
# Sums of k terms of size 1 in another order: a few roundings for each root of k.
TOLERANCE = {"f4": 4e-6, "f8": 8e-15}
MARGIN = 37  # elements next to the rows of C that must not change


def _compiled(at: Any) -> Any:
    @njit(**JIT)
    def run(memory, ta, tb, m, n, k, lda, ldb, add, ldc):  # type: ignore[no-untyped-def]  # compiled
        a, b = at(memory, 0, 0, (k if ta else m) * lda), at(memory, 1, 0, (n if tb else k) * ldb)
        gemm(ta, tb, m, n, k, a, lda, b, ldb, add, at(memory, 2, 0, m * ldc), ldc)

    return run


RUN = {np.dtype("f4"): _compiled(f32_at), np.dtype("f8"): _compiled(f64_at)}


def multiply(ta: int, tb: int, a: np.ndarray, b: np.ndarray, add: int, c: np.ndarray) -> None:
    """C (+)= op(A) op(B) for matrices whose rows are contiguous."""
    (m, n), k = c.shape, a.shape[0] if ta else a.shape[1]
    lda, ldb, ldc = (x.strides[0] // x.itemsize for x in (a, b, c))
    flat = [
        np.lib.stride_tricks.as_strided(x, (len(x) * ld,), (x.itemsize,))
        for x, ld in ((a, lda), (b, ldb), (c, ldc))
    ]
    memory = flat if config.DISABLE_JIT else table_of(flat)
    RUN[c.dtype](memory, ta, tb, m, n, k, lda, ldb, add, ldc)


@pytest.mark.small  # not `kernels`: emitted code has no bounds checks; NaN after the rows replace them
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize(("shape", "ta", "tb", "add"), CASES)
def test_product_equals_numpys(
    shape: tuple[int, int, int], ta: int, tb: int, add: int, gap: int, dtype: str
) -> None:
    m, n, k = shape
    rng = np.random.default_rng([m, n, k, ta, tb, add])
    a = rng.standard_normal((k, m) if ta else (m, k)).astype(dtype)
    b = rng.standard_normal((n, k) if tb else (k, n)).astype(dtype)
    a, b = (np.pad(x, ((0, 0), (0, gap)), constant_values=np.nan)[:, : x.shape[1]] for x in (a, b))
    c = rng.standard_normal((m + 2, n + MARGIN)).astype(dtype)
    before, inside = c.copy(), c[1:-1, 5 : 5 + n]
    multiply(ta, tb, a, b, add, inside)
    left, right = (a.T if ta else a).astype(float), (b.T if tb else b).astype(float)
    expected = left @ right + add * before[1:-1, 5 : 5 + n]
    np.testing.assert_allclose(inside, expected, rtol=0, atol=TOLERANCE[dtype] * np.sqrt(k))
    inside[...] = before[1:-1, 5 : 5 + n]
    np.testing.assert_array_equal(c, before)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_lies_behind_b_has_no_influence(dtype: str) -> None:
    a, memory = np.ones((5, 9), dtype), np.full(9 * 11 + 64, np.nan, dtype)
    memory[: 9 * 11] = 1
    c = np.empty((5, 11), dtype)
    for tb in (0, 1):
        multiply(0, tb, a, memory[: 9 * 11].reshape((11, 9) if tb else (9, 11)), 0, c)
        np.testing.assert_array_equal(c, 9)


@pytest.mark.parametrize("is_wide", [False, True])
def test_large_weights_go_to_blas_where_that_is_faster(
    is_wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forward, backward, and over the batch: without AVX-512, from a certain number of elements on."""
    monkeypatch.setattr(emit_product, "LARGE", 30)
    monkeypatch.setattr(emit_product, "features", lambda: {"avx512f": is_wide})
    types = [array_type("f64", shape) for shape in ((B, 6), (6, 5), (B, 5))]
    graph = trace(lambda x, w, g: (x @ w, g @ w.T, x.T @ g), types)
    compiled, rng = Compiled(graph), np.random.default_rng(0)
    assert ("blas_gemm(" in compiled.program.source) != is_wide
    given = [rng.normal(size=shape) for shape in ((7, 6), (6, 5), (7, 5))]
    for got, want in zip(compiled(*given), interpret(graph, given), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13)
