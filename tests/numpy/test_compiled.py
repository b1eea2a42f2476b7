"""The functions of `nnjit.numpy`, compiled: value and gradient are those of the interpreter.

Compiling a row takes a second, and the kernels of the primitives are tested one by one in tests/codegen. So
a choice of rows, one of each kind, is compiled, and the source of all of them runs as plain Python where the
JIT is disabled.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numba import config

from nnjit.codegen import compile_graph
from nnjit.ir import Graph, interpret
from tests.primitives.surface import SURFACE_ROWS
from tests.primitives.table import Row, derive, sample_types

pytestmark = [pytest.mark.kernels, pytest.mark.small]

CHOICE = (
    "sinc", "fmin", "around", "prod with zeros", "std", "any", "cumsum", "norm of vectors", "tile", "roll",
    "pad", "diag", "matmul of stacks", "einsum with dots", "getitem with steps", "at set",
    "getitem of two arrays", "rot90", "at add twice", "pad by symmetry", "max where", "nanquantile",
    "take by wrapping", "bincount of some length", "searchsorted in a vector", "insert at an index",
    "piecewise", "rfft of many",
)  # fmt: skip
COMPILED = [row for row in SURFACE_ROWS if config.DISABLE_JIT or row.name in CHOICE]
ROWS_OF_DATA = 5


@functools.cache
def combined(row: Row) -> Graph:
    """Value and gradient of a row in one graph."""
    graphs = derive(row, "f64")
    return Graph(graphs.gradient.inputs, (*graphs.value.outputs, *graphs.gradient.outputs))


def arguments(row: Row) -> list[np.ndarray]:
    seeds = combined(row).inputs[len(row.args) :]
    return [*row.sample(ROWS_OF_DATA), *sample_types([n.type for n in seeds], ROWS_OF_DATA, seed=1)]


@pytest.mark.parametrize("row", COMPILED, ids=lambda row: row.name)
@pytest.mark.filterwarnings(
    "ignore:.*encountered:RuntimeWarning"
)  # of plain Python, where both sides are computed
def test_compiled_equals_interpreted(row: Row) -> None:
    given = arguments(row)
    results = zip(compile_graph(combined(row))(*given), interpret(combined(row), given), strict=True)
    for got, want in results:
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_every_choice_is_a_row() -> None:
    assert set(CHOICE) <= {row.name for row in SURFACE_ROWS}
