"""Sorting and linear algebra, compiled: equal to the interpreter, and the same error if there is no answer.

The rows of the table with such a routine form one program per dtype, since compiling takes most of the time.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
from numba import config, njit

import nnjit.numpy as nnp
from nnjit.autodiff import grad, hessian, scan, trace, vmap
from nnjit.codegen import Compiled, CompiledEpoch, Interface, ThreadTeam, compile_graph, jit
from nnjit.codegen.runtime.sorting import argsort_each
from nnjit.codegen.runtime.views import JIT, f64_at, i64_at, table_of
from nnjit.codegen.source.routines import ROUTINES
from nnjit.ir import B, Graph, array_type, interpret, new_input
from nnjit.scipy.linalg import solve_triangular
from tests.primitives.scipy_surface import SCIPY_ROWS
from tests.primitives.surface import SURFACE_ROWS
from tests.primitives.table import Row, derive, sample_types

pytestmark = [pytest.mark.kernels, pytest.mark.small]

NAMES = (
    "argsort", "sort", "solve", "solve_triangular", "det_sign", "slogdet", "cholesky", "eigh", "svd left",
    "svd right of a wide matrix", "qr", "pinv",
)  # fmt: skip
CHOICE = [row for row in SURFACE_ROWS + SCIPY_ROWS if row.name in NAMES]
# Of numbers of size 1: rounding of LAPACK, whose build may differ between SciPy and NumPy.
CLOSE = {"f64": {"rtol": 1e-11, "atol": 1e-11}, "f32": {"rtol": 1e-4, "atol": 1e-4}}
RNG = np.random.default_rng(0)
A = 0.3 * RNG.standard_normal((3, 3)) + np.diag([1.0, 2.0, 3.0])


def combined(row: Row, dtype: str) -> Graph:
    """Value and gradient of a row in one graph; in f32, which has other routines, only the value."""
    graphs = derive(row, dtype)
    if dtype == "f32":
        return graphs.value
    return Graph(graphs.gradient.inputs, (*graphs.value.outputs, *graphs.gradient.outputs))


@functools.cache
def results(dtype: str) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Results of one program of all rows, and of the interpreter, by row."""
    graphs = {row.name: combined(row, dtype) for row in CHOICE}
    given = {}
    for row in CHOICE:
        seeds = [n.type for n in graphs[row.name].inputs[len(row.args) :]]
        given[row.name] = [*row.sample(1, dtype), *sample_types(seeds, 1, seed=1)]
    inputs, outputs = (
        tuple(n for g in graphs.values() for n in nodes(g))
        for nodes in (operator.attrgetter("inputs"), operator.attrgetter("outputs"))
    )
    got = iter(compile_graph(Graph(inputs, outputs))(*chain.from_iterable(given.values())))
    return {name: [(next(got), want) for want in interpret(g, given[name])] for name, g in graphs.items()}


@pytest.mark.parametrize("dtype", CLOSE)
@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_are_those_of_the_interpreter(name: str, dtype: str) -> None:
    for got, want in results(dtype)[name]:
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_allclose(got, want, **CLOSE[dtype])


def test_every_routine_is_in_a_row_that_is_compiled() -> None:
    nodes = {n.primitive for row in CHOICE for n in combined(row, "f64").nodes}
    assert set(ROUTINES) <= nodes


def test_each_row_of_the_batch_has_its_own_answer_and_its_own_failure() -> None:
    def f(a: Any, b: Any) -> Any:
        return nnp.linalg.solve(a, b * 2), nnp.argsort(b, axis=1), nnp.linalg.svdvals(nnp.swapaxes(a, 1, 2))

    graph = trace(f, [array_type("f64", (B, 3, 3)), array_type("f64", (B, 3, 2))])
    compiled = Compiled(graph, block=4)
    for count in (1, 11):
        given = [A + 0.1 * RNG.standard_normal((count, 3, 3)), RNG.standard_normal((count, 3, 2))]
        for got, want in zip(compiled(*given), interpret(graph, given), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)
    given[0][3] = 1  # in the first of three blocks
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        compiled(*given)


def test_derivatives_and_maps_within_jit() -> None:
    def cost(v: Any) -> Any:
        return nnp.linalg.slogdet(nnp.outer(v, v) + nnp.diag(nnp.exp(v)))[1] + nnp.sort(v)[1] ** 3

    stack = RNG.standard_normal((2, 3))
    np.testing.assert_allclose(jit(vmap(hessian(cost)))(stack), vmap(hessian(cost))(stack), rtol=1e-10)


def test_steps_of_a_loop_sort_and_solve_and_tell_what_failed() -> None:
    def last(a: Any, x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            y = nnp.linalg.solve(a + carry[0] * 0.01, row[:, None])[:, 0]
            return nnp.sort(y), y

        return nnp.sum(scan(step, x[0], x)[1] ** 2)

    x = RNG.standard_normal((4, 3))
    gradient = jit(grad(last))
    np.testing.assert_allclose(gradient(A, x), grad(last)(A, x), rtol=1e-10)
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        gradient(np.zeros((3, 3)), np.zeros((4, 3)))


def test_threads_that_share_a_training_sort_their_rows_and_one_solves() -> None:
    theta, x = new_input(array_type("f64", (3,))), new_input(array_type("f64", (B, 3)))
    total = nnp.sum(nnp.sort(x, axis=1) * theta)
    graph = Graph((theta, x), (nnp.linalg.solve(A * theta, nnp.sum(x, axis=0)), total), ("theta", "x"))
    interface = Interface(("theta",), totals=1)
    epoch = CompiledEpoch(graph, interface, most_rows=5, title="Shared.", block=4, is_shared=True)
    data, params = RNG.uniform(0.5, 2.0, (10, 3)), np.ones(3)
    want, figures = params, []
    for batch in (data[:5], data[5:]):
        want, figure = interpret(graph, [want, batch])
        figures.append(figure)
    with ThreadTeam(2) as team:
        _, totals = epoch(0, 2, 5, np.arange(10), [params, data], team)
        np.testing.assert_allclose(params, want, rtol=1e-12)
        np.testing.assert_allclose(totals, [sum(figures)], rtol=1e-12)
        params[:] = 0
        epoch(0, 1, 5, np.arange(5), [params, data], team)
    assert np.isnan(params).all()  # of a singular matrix; training stops before such an update


# fmt: off
WITHOUT_ANSWER = (
    ("inv",      nnp.linalg.inv,      np.ones((3, 3))),
    ("solve_triangular", lambda a: solve_triangular(a, nnp.ones((3, 1))), np.diag([1.0, 0.0, 1.0])),
    ("cholesky", nnp.linalg.cholesky, -np.eye(3)),
    ("eigvalsh", nnp.linalg.eigvalsh, np.full((3, 3), np.nan)),
    ("svdvals",  nnp.linalg.svdvals,  np.full((3, 3), np.nan)),
    ("pinv",     nnp.linalg.pinv,     np.full((3, 3), np.nan)),
)
# fmt: on


@pytest.mark.parametrize(("f", "a"), [c[1:] for c in WITHOUT_ANSWER], ids=[c[0] for c in WITHOUT_ANSWER])
def test_matrix_without_an_answer_raises_what_it_raises_outside_jit(
    f: Callable[[np.ndarray], np.ndarray], a: np.ndarray
) -> None:
    with pytest.raises(np.linalg.LinAlgError) as outside:
        f(a)
    native = jit(f)
    with pytest.raises(np.linalg.LinAlgError) as inside:
        native(np.stack([A @ A.T, a]))
    assert str(inside.value) == str(outside.value)
    good = np.stack([A @ A.T, np.eye(3)])
    np.testing.assert_allclose(native(good), f(good), rtol=1e-12, atol=1e-14)  # the next call works as usual


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_determinant_of_a_singular_matrix_is_no_error() -> None:
    a = np.stack([np.ones((3, 3)), A, np.full((3, 3), np.nan), A[[1, 0, 2]]])
    for got, want in zip(jit(nnp.linalg.slogdet)(a), nnp.linalg.slogdet(a), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)


def test_matrices_without_elements() -> None:
    for f, shape in ((nnp.linalg.inv, (0, 0)), (nnp.linalg.slogdet, (0, 0)), (nnp.linalg.pinv, (0, 2, 3))):
        for got, want in zip(jit(f)(np.zeros(shape)), f(np.zeros(shape)), strict=True):
            np.testing.assert_array_equal(got, want)


@njit(**JIT)
def _order(memory: Any, count: int, n: int) -> None:
    argsort_each(count, n, f64_at(memory, 0, 0, count * n), i64_at(memory, 1, 0, count * n))


@pytest.mark.parametrize(
    "n", [1, 2, 16, 17, 33, 70, 200]
)  # around the length of runs sorted by insertion, and of two of them
def test_order_is_numpys_with_equal_elements_and_nan(n: int) -> None:
    x = RNG.integers(-3, 4, (5, n)) * 0.5
    x[0] = np.sort(RNG.standard_normal(n))
    x[1] = x[0, ::-1]
    x[2] = np.where(RNG.random(n) < 0.3, np.nan, x[2])
    x[3] = np.where(RNG.random(n) < 0.5, -0.0, RNG.choice([np.inf, -np.inf, 0.0], n))
    out = np.full(x.shape, -1)
    _order(table_of([x, out]), *x.shape)
    np.testing.assert_array_equal(out, np.argsort(x, axis=1, kind="stable"))


def test_whole_numbers_and_truth_values_are_sorted() -> None:
    given = [RNG.integers(0, 3, (20, 2)).astype(dtype) for dtype in ("i4", "u4", "?")]
    for got, x in zip(jit(lambda *xs: [nnp.argsort(v, 0) for v in xs])(*given), given, strict=True):
        np.testing.assert_array_equal(got, np.argsort(x, 0, kind="stable"))


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_program_without_linear_algebra_leaves_lapack_alone() -> None:
    assert "lapack" not in compile_graph(trace(nnp.sort, [array_type("f64", (3,))])).program.source
