"""Functions of `nnjit.numpy` and `nnjit.scipy`, compiled: value and gradient equal the interpreter's.

Compiling a row takes a second, and tests/codegen tests the kernels of the primitives one by one. So only some
rows, one of each kind, are compiled; without the JIT, the source of all rows runs as plain Python.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numba import config

from nnjit.codegen import compile_graph
from nnjit.ir import Graph, interpret
from tests.primitives.scipy_surface import SCIPY_ROWS
from tests.primitives.surface import SURFACE_ROWS
from tests.primitives.table import Row, derive, sample_types

pytestmark = [pytest.mark.kernels, pytest.mark.small]

CHOICE = (
    "sinc", "fmin", "around", "prod with zeros", "std", "any", "cumsum", "norm of vectors", "tile", "roll",
    "pad", "diag", "matmul of stacks", "einsum with dots", "getitem with steps", "at set",
    "getitem of two arrays", "rot90", "at add twice", "pad by symmetry", "gammainc of large numbers",
    "gammaincc below 1", "i1 above 30", "polygamma below 0", "betaln of a large number", "log_ndtr", "expm",
    "cho_solve", "multi_dot", "max where", "nanquantile",
    "take by wrapping", "bincount of some length", "searchsorted in a vector", "insert at an index",
    "piecewise", "rfft of many",
)  # fmt: skip
COMPILED = [row for row in SURFACE_ROWS + SCIPY_ROWS if config.DISABLE_JIT or row.name in CHOICE]
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
)  # from plain Python, which computes both sides
def test_compiled_equals_interpreted(row: Row) -> None:
    given = arguments(row)
    results = zip(compile_graph(combined(row))(*given), interpret(combined(row), given), strict=True)
    for got, want in results:
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_every_choice_is_a_row() -> None:
    assert set(CHOICE) <= {row.name for row in SURFACE_ROWS + SCIPY_ROWS}
