"""Every row of the table of operations, through every check without a compiler."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import vmap
from nnjit.ir import Graph, interpret, verify, with_rows
from nnjit.nn import functional
from nnjit.passes import LAST, optimize
from nnjit.primitives import PRIMITIVES
from nnjit.scipy import linalg, special

from .cost import SOLVERS, WEIGHTS, cost
from .scipy_surface import SCIPY_ROWS
from .surface import SURFACE_ROWS
from .table import NUMPY_ROWS, PRIMITIVE_ROWS, Graphs, Row, derive, sample_types

STEP = 1e-5  # of central differences: their error is about STEP² · f''' + 1e-16 / STEP, so 1e-10
COMPOSED_ROWS = NUMPY_ROWS + SURFACE_ROWS + SCIPY_ROWS
ALL_ROWS = PRIMITIVE_ROWS + COMPOSED_ROWS
each_row = pytest.mark.parametrize("row", ALL_ROWS, ids=lambda row: row.name)
differentiable = [row for row in ALL_ROWS if any(n.type.is_float for n in derive(row, "f64").tangent.outputs)]
each_derivative = pytest.mark.parametrize("row", differentiable, ids=lambda row: row.name)
derived: Callable[[Row], Graphs] = functools.cache(lambda row: derive(row, "f64"))


def inner(xs: Sequence[np.ndarray], ys: Sequence[np.ndarray]) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True)))


def moved(row: Row, args: Sequence[np.ndarray], t: Sequence[np.ndarray], by: float) -> list[np.ndarray]:
    """The arguments, with floats moved along `t`."""
    steps = iter(t)
    return [a + by * next(steps) if a.dtype.kind == "f" else a for a in args]


def floats(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [a for a in arrays if a.dtype.kind == "f"]


def sample(row: Row, rows: int) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Arguments, cotangents of the float results and tangents of the float arguments."""
    value = derived(row).value
    u = sample_types([n.type for n in value.outputs if n.type.is_float], rows, seed=1)
    t = sample_types([n.type for n in value.inputs if n.type.is_float], rows, seed=2)
    return row.sample(rows), u, t


def test_every_primitive_has_a_row() -> None:
    assert (
        set(PRIMITIVES) - {row.name.split()[0] for row in PRIMITIVE_ROWS + SURFACE_ROWS + SCIPY_ROWS} == set()
    )


@pytest.mark.parametrize(
    "module", [nnp, nnp.linalg, nnp.fft, special, linalg, functional], ids=lambda module: module.__name__
)
def test_every_function_has_a_row_or_is_a_primitive_of_that_name(module: ModuleType) -> None:
    of_name = {n: getattr(module, n) for n in module.__all__}
    own = {n: f for n, f in of_name.items() if getattr(f, "__module__", "").startswith("nnjit")}
    rows = {row.name.split()[0] for row in COMPOSED_ROWS} | set(PRIMITIVES)
    tested = [f for n, f in own.items() if n in rows]  # under this or another name
    assert {n for n, f in own.items() if f not in tested} - {"shape", "ndim", "size"} == set()


@each_row
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # of the u32 in `_uniform`
def test_value_is_that_of_numpy(row: Row, rows: int) -> None:
    args = row.sample(rows)
    (got,) = interpret(verify(derived(row).value), args)
    want = np.asarray(row.reference(*args))
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


@each_row
def test_type_rule_says_the_type_of_the_value(row: Row) -> None:
    for dtype in ("f32", "f64"):
        value = derive(row, dtype).value
        for node, got in zip(value.outputs, interpret(value, row.sample(5, dtype)), strict=True):
            assert (node.dtype, with_rows(node.shape, 5)) == (got.dtype, got.shape)


@pytest.mark.parametrize("row", COMPOSED_ROWS, ids=lambda row: row.name)
def test_arrays_give_what_a_trace_gives(row: Row) -> None:
    args = row.sample(5)
    want = interpret(derived(row).value, args)[0]
    np.testing.assert_allclose(row.function(*args), want, rtol=1e-14)  # NumPy's own x**13 differs by an ulp


@pytest.mark.parametrize("row", COMPOSED_ROWS, ids=lambda row: row.name)
def test_vmap_is_a_loop(row: Row) -> None:
    one, other = row.sample(3), row.sample(3, seed=1)
    got = vmap(row.function)(*(np.stack(pair) for pair in zip(one, other, strict=True)))
    want = np.stack([np.asarray(row.function(*args)) for args in (one, other)])
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


@each_derivative
def test_reverse_mode_is_the_adjoint_of_forward_mode(row: Row) -> None:
    for rows in (1, 5):
        args, u, t = sample(row, rows)
        along = inner(u, interpret(verify(derived(row).tangent), [*args, *t]))
        back = inner(interpret(verify(derived(row).gradient), [*args, *u]), t)
        assert back == pytest.approx(along, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("row", [r for r in differentiable if not r.stops], ids=lambda row: row.name)
def test_tangent_is_the_limit_of_differences(row: Row) -> None:
    args, _, t = sample(row, 5)
    up, down = (interpret(derived(row).value, moved(row, args, t, by)) for by in (STEP, -STEP))
    for plus, minus, got in zip(
        floats(up), floats(down), interpret(derived(row).tangent, [*args, *t]), strict=True
    ):
        np.testing.assert_allclose(got, (plus - minus) / (2 * STEP), rtol=1e-7, atol=1e-7)


@each_derivative
def test_gradient_costs_at_most_five_times_the_function(row: Row) -> None:
    """As `cost` counts: every operation of the simplified graphs, and their reads and writes."""
    if row.name.startswith("det"):
        return  # cofactors of singular matrices too: a singular value decomposition against an LU
    graphs = derived(row)
    assert cost(optimize(graphs.gradient)) <= 5 * cost(optimize(graphs.value))


def test_every_weight_of_a_cost_is_that_of_a_primitive() -> None:
    assert set(WEIGHTS) | set(SOLVERS) <= set(PRIMITIVES)


@each_derivative
def test_second_derivative_is_the_limit_of_differences_of_the_first(row: Row) -> None:
    args, u, t = sample(row, 5)
    second = interpret(verify(derived(row).second), [*args, *u, *t])
    half = len(second) // 2
    up, down = (interpret(derived(row).gradient, [*moved(row, args, t, by), *u]) for by in (STEP, -STEP))
    for plus, minus, got in zip(up, down, second[:half], strict=True):
        np.testing.assert_allclose(got, (plus - minus) / (2 * STEP), rtol=1e-6, atol=1e-6)


@each_derivative
def test_gradient_of_the_gradient_is_the_tangent_of_the_gradient(row: Row) -> None:
    """A Hessian is symmetric; both sums over all float arguments, since they are differentiated together."""
    args, u, t = sample(row, 5)
    second = interpret(derived(row).second, [*args, *u, *t])
    half = len(second) // 2
    for forward, reverse in zip(second[:half], second[half:], strict=True):
        np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-10)


@each_row
@pytest.mark.parametrize("run", [*LAST, optimize], ids=lambda run: run.__name__)
def test_pass_preserves_value_and_gradient(row: Row, run: Callable[[Graph], Graph]) -> None:
    args, u, _ = sample(row, 5)
    graphs = derived(row)
    for graph, given in ((graphs.value, args), (graphs.gradient, [*args, *u])):
        after = verify(run(graph))
        assert after.inputs == graph.inputs
        assert [n.type for n in after.outputs] == [n.type for n in graph.outputs]
        for got, want in zip(interpret(after, given), interpret(graph, given), strict=True):
            # Rules are exact except for the order of additions: x - (-y), sums of shared values.
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)
