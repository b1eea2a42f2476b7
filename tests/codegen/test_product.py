"""The matrix product against NumPy: shapes around the edges of its tiles, both transposes, adding or not."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from numba import config, njit

from nnjit.codegen.runtime import JIT, gemm

# m, n, k around the tiles of 4, 6 and 8 rows, vectors of 2 to 16 lanes, and the depth of 256.
SHAPES = [
    (1, 1, 1), (2, 3, 1), (1, 17, 5), (6, 16, 8), (7, 15, 9), (8, 32, 16), (13, 33, 31), (10, 30, 784),
    (32, 1, 64), (64, 10, 128), (40, 8, 257), (33, 64, 513), (784, 30, 10),
]  # fmt: skip
CASES = [(s, *flags) for s, flags in product(SHAPES, product((0, 1), repeat=3))]
# Sums of k terms in another order, of numbers of size 1: a few roundings for each root of k.
TOLERANCE = {"f4": 4e-6, "f8": 8e-15}
MARGIN = 37  # elements on both sides of C that must stay


@njit(**JIT)
def multiply(ta, tb, m, n, k, a, b, add, c):  # type: ignore[no-untyped-def]  # compiled
    gemm(ta, tb, m, n, k, a, b, add, c)


@pytest.mark.kernels
@pytest.mark.small
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("shape", "ta", "tb", "add"), CASES)
def test_product_equals_numpys(shape: tuple[int, int, int], ta: int, tb: int, add: int, dtype: str) -> None:
    m, n, k = shape
    rng = np.random.default_rng([m, n, k, ta, tb, add])
    a = rng.standard_normal((k, m) if ta else (m, k)).astype(dtype)
    b = rng.standard_normal((n, k) if tb else (k, n)).astype(dtype)
    c = rng.standard_normal(m * n + 2 * MARGIN).astype(dtype)
    before, inside = c.copy(), c[MARGIN : MARGIN + m * n]
    multiply(ta, tb, m, n, k, a.ravel(), b.ravel(), add, inside)
    left, right = (a.T if ta else a).astype(float), (b.T if tb else b).astype(float)
    expected = left @ right + add * before[MARGIN : MARGIN + m * n].reshape(m, n)
    np.testing.assert_allclose(inside.reshape(m, n), expected, rtol=0, atol=TOLERANCE[dtype] * np.sqrt(k))
    np.testing.assert_array_equal(c[:MARGIN], before[:MARGIN])
    np.testing.assert_array_equal(c[MARGIN + m * n :], before[MARGIN + m * n :])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_lies_behind_b_has_no_influence(dtype: str) -> None:
    a, memory = np.ones(5 * 9, dtype), np.full(9 * 11 + 64, np.nan, dtype)
    memory[: 9 * 11] = 1
    c = np.empty(5 * 11, dtype)
    for tb in (0, 1):
        multiply(0, tb, 5, 11, 9, a, memory[: 9 * 11], 0, c)
        np.testing.assert_array_equal(c, 9)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("cpu", ["generic", "haswell"])
def test_products_for_other_processors(cpu: str) -> None:
    if cpu == "haswell" and "avx2" not in _flags():
        pytest.skip("this processor has no AVX2")
    program = """
import numpy as np
from tests.codegen.test_product import multiply
a, b, c = np.random.rand(13, 21), np.random.rand(21, 19), np.empty(13 * 19)
multiply(0, 0, 13, 19, 21, a.ravel(), b.ravel(), 0, c)
np.testing.assert_allclose(c.reshape(13, 19), a @ b, rtol=1e-13)
"""
    environment = os.environ | {"NUMBA_CPU_NAME": cpu}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _flags() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return file.read()
    except OSError:
        return ""
