"""Source lowered straight to LLVM, against the same source compiled by Numba."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numba import config
from numba.core import event

import nnjit.numpy as nnp
from nnjit.autodiff import trace
from nnjit.codegen import compile_graph
from nnjit.codegen.numba import store
from nnjit.codegen.numba.cache import load
from nnjit.codegen.runtime.views import table_of
from nnjit.ir import B, array_type

pytestmark = [
    pytest.mark.kernels,
    pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled"),
]
checked = pytest.mark.skipif(bool(config.BOUNDSCHECK), reason="arrays that are checked are Numba's")

HEADER = """
import numpy as np
from numba import njit
from numpy import float32 as f32, float64 as f64, int32 as i32, int64 as i64, uint32 as u32
from nnjit.codegen.maths import exp_f32, uniform_f32
from nnjit.codegen.runtime.views import JIT, KERNEL, OPTIONS, b1_at, f32_at, f64_at
from nnjit.codegen.runtime.views import i32_at, i64_at, part, u32_at
"""
VIEWS = """
    x = f32_at(memory, 0, 0, 8)
    d = f64_at(memory, 1, 0, 8)
    k = i32_at(memory, 2, 0, 8)
    m = i64_at(memory, 3, 0, 8)
    u = u32_at(memory, 4, 0, 8)
    b = b1_at(memory, 5, 0, 8)
    out = f64_at(memory, 6, 0, rows)
"""
# of an element of each view, in expressions like those of kernels
EXPRESSIONS = (
    "x[i] + f32(0.1)", "x[i] * d[i]", "x[i] / x[j]", "d[i] / f64(0.0)", "-x[i]", "-d[i]", "m[i] & m[j]",
    "m[i] | 9", "m[i] // m[j]", "m[i] % m[j]", "m[i] - 3 * m[j]", "k[i] + k[j]", "i32(k[i] * k[j])",
    "i32(k[i] // k[j])",
    "u[i] ^ u32(77)", "u32(u[i] + u[j])", "f32(u[i])", "f32(k[i])", "f64(m[i])", "i64(d[i])", "i32(x[i])",
    "x[i] < x[j]", "x[i] == x[j]", "x[i] != x[i]", "d[i] >= d[j]", "x[i] > 0", "k[i] == k[j]", "m[i] <= m[j]",
    "f32((x[i] < f32(0.5)))", "(b[i] != 0) and (x[i] > 0)", "(b[i] != 0) or not (x[i] > 0)",
    "(x[i] if x[i] > 0 or x[i] != x[i] else f32(0))", "(exp_f32(x[i]) if b[i] != 0 else x[j])",
    "f32(np.inf) if x[i] > 0 else f32(-np.inf)", "np.sqrt(abs(x[i]))", "np.sqrt(d[i])", "abs(k[i])",
    "min(max(m[i], -1), 2)", "max(min(m[i], m[j]), 0)", "uniform_f32(i * 8 + j, u[i], u[j] ^ u32(3))",
    "part(d, i, 1, 1)[0]", "x[7 - i]",
)  # fmt: skip


KERNEL = """
@njit(**KERNEL)
def rows_1(x, d, k, m, u, b, out):
    for i in range(8):
        if x[i] > 0:
            y = m[i]
        else:
            y = -m[i]
        for j in range(7, -1, -1):
            out[i * 8 + j] += y * j
        left = i
        while left > 2:
            out[i * 8] += x[left]
            left -= 1
"""


def source(options: str) -> str:
    """A kernel that computes all expressions for pairs of elements, and the function that calls it."""
    lines = [f"            out[({n + 1} * 8 + i) * 8 + j] = f64({t})\n" for n, t in enumerate(EXPRESSIONS)]
    run = f"@njit(**{options})\ndef run(memory, rows):{VIEWS}    rows_1(x, d, k, m, u, b, out)\n"
    return f"{HEADER}{KERNEL}{''.join(lines)}\n\n{run}"


def computed(options: str) -> np.ndarray:
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 0.3, -2.5, 7.0]
    arrays = [
        np.array(special, np.float32),
        np.array(special[::-1]),
        np.array([-(2**31), 2**31 - 1, 0, 1, -1, 7, -7, 3], np.int32),
        np.array([-9, 2**40, 0, 1, -1, 7, -7, 3]),
        np.array([0, 1, 2**32 - 1, 5, 6, 7, 8, 9], np.uint32),
        np.array([0, 1] * 4, np.bool_),
        np.zeros(64 * (len(EXPRESSIONS) + 1)),
    ]
    with event.install_recorder("numba:compile") as recorder:
        load(source(options))[0].run(table_of(arrays), arrays[-1].size)
    by_numba = {e.data["dispatcher"].py_func.__name__ for _, e in recorder.buffer}
    assert ("rows_1" in by_numba) == (options == "OPTIONS" or bool(config.BOUNDSCHECK))
    return arrays[-1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a new, empty cache folder."""
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "kernels"))


def test_every_expression_is_what_numba_computes(folder: None) -> None:
    ours, theirs = computed("JIT").reshape(-1, 64), computed("OPTIONS").reshape(-1, 64)
    for text, one, other in zip(("out += y * j", *EXPRESSIONS), ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=text)


@checked
def test_a_program_is_one_function_for_numba_and_needs_none_of_its_passes(folder: None) -> None:
    graph = trace(lambda x, w: (nnp.maximum(x, 0) * w, nnp.sum(x, 0)), [array_type("f32", (B, 3))] * 2)
    compiled = compile_graph(graph)
    with event.install_recorder("numba:run_pass") as passes, event.install_recorder("numba:compile") as whole:
        compiled(*[np.ones((2, 3), np.float32)] * 2)
    assert len(passes.buffer) == 0
    assert len([e for _, e in whole.buffer if e.is_start]) == 1


@checked
@pytest.mark.parametrize(
    "body",
    [
        "    while rows < 5:\n        rows += 1\n    else:\n        rows += 0\n    return rows",
        "    for k in range(9):\n        if k == 5:\n            break\n    return k",
        "    y = rows\n    y = 5.0\n    return i64(y)",
        "    return i64(5 if rows > 100 else 5.0)",
    ],
)
def test_source_of_another_kind_goes_numbas_way(folder: None, body: str) -> None:
    module, _ = load(f"{HEADER}\n\n@njit(**JIT)\ndef run(memory, rows):\n{body}\n")
    with event.install_recorder("numba:run_pass") as passes:
        assert module.run(table_of([np.zeros(1)]), 2) == 5
    assert len(passes.buffer) > 0
