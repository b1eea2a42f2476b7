"""Every row of the table of operations: compiled equals interpreted, value and gradient.

A few rows share a program, since compiling takes most of the time.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable

import numpy as np
import pytest
from numba import config

from nnjit.codegen import Compiled, compile_graph
from nnjit.ir import Graph, Node, interpret, rebuild, with_rows
from nnjit.primitives import PRIMITIVES
from tests.primitives.table import PRIMITIVE_ROWS, ROWS, Arg, Row, derive, normal

pytestmark = pytest.mark.small

TOGETHER = 4  # rows of the table in a program; larger kernels compile badly
COUNTS = (1, 5) if config.DISABLE_JIT else (1, 5, 300)  # rows of data; 300 take two blocks of 256
# Of a number of size 1. f64: another exp, another order of a sum. f32: the same, of 300 terms of size 3.
CLOSE = {"f64": {"rtol": 1e-12, "atol": 1e-12}, "f32": {"rtol": 2e-5, "atol": 2e-5}}


@functools.cache
def combined(row: Row, dtype: str) -> Graph:
    """Value and gradient of a row in one graph: (args, u) -> (values, Jᵀu)."""
    graphs = derive(row, dtype)
    return Graph(graphs.gradient.inputs, (*graphs.value.outputs, *graphs.gradient.outputs))


def keys(row: Row, dtype: str) -> list[Hashable]:
    """The source of each input of `combined`, and its number there; rows share equal ones."""
    cotangents = combined(row, dtype).inputs[len(row.args) :]
    kinds: list[Hashable] = [*row.args, *(n.type for n in cotangents)]
    return [(kind, kinds[:k].count(kind)) for k, kind in enumerate(kinds)]


def arguments(row: Row, dtype: str, count: int) -> list[np.ndarray]:
    """An array for each input of `combined`, the same for the same key."""
    found = []
    for node, (kind, number) in zip(combined(row, dtype).inputs, keys(row, dtype), strict=True):
        rng = np.random.default_rng([count, number])
        sample = kind.sample if isinstance(kind, Arg) else normal
        found.append(np.asarray(sample(rng, with_rows(node.shape, count)), node.dtype))
    return found


@functools.cache
def group(first: int, dtype: str) -> tuple[Compiled, list[Hashable]]:
    """The program of the rows of the table from `first` on, and the keys of its inputs."""
    shared: dict[Hashable, Node] = {}
    outputs: list[Node] = []
    for row in ROWS[first : first + TOGETHER]:
        graph = combined(row, dtype)
        own = [shared.setdefault(key, node) for key, node in zip(keys(row, dtype), graph.inputs, strict=True)]
        outputs += rebuild(graph.outputs, dict(zip(graph.inputs, own, strict=True)))
    return compile_graph(Graph(tuple(shared.values()), tuple(outputs))), list(shared)


@functools.cache
def results(first: int, dtype: str, count: int) -> dict[str, list[np.ndarray]]:
    """The results of a group's program, by row."""
    rows = ROWS[first : first + TOGETHER]
    program, order = group(first, dtype)
    given = {
        k: a for row in rows for k, a in zip(keys(row, dtype), arguments(row, dtype, count), strict=True)
    }
    together = iter(program(*(given[key] for key in order)))
    return {row.name: [next(together) for _ in combined(row, dtype).outputs] for row in rows}


# In f32, only operations with their own f32 code; others would only be compiled again.
OF_ITS_OWN = ("elementwise", "counter", "matmul")
CASES = [(k, "f64") for k in range(len(ROWS))] + [
    (k, "f32") for k, row in enumerate(PRIMITIVE_ROWS) if PRIMITIVES[row.name.split()[0]].kind in OF_ITS_OWN
]


@pytest.mark.parametrize(
    ("index", "dtype"),
    [  # indices are equal in f32 and f64, so one dtype is enough for bounds checks
        pytest.param(k, dtype, id=f"{ROWS[k].name}-{dtype}", marks=[pytest.mark.kernels] * (dtype == "f64"))
        for k, dtype in CASES
    ],
)
def test_compiled_equals_interpreted(index: int, dtype: str) -> None:
    row = ROWS[index]
    for count in COUNTS:
        got = results(index - index % TOGETHER, dtype, count)[row.name]
        want = interpret(combined(row, dtype), arguments(row, dtype, count))
        for g, w in zip(got, want, strict=True):
            assert (g.dtype, g.shape) == (w.dtype, w.shape)
            np.testing.assert_allclose(g, w, **CLOSE[dtype])
