"""Loops over steps, compiled: equal to the interpreter for any carried, recorded or read values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import config

import nnjit.numpy as nnp
from nnjit import fori_loop, grad, jit, make_graph, scan, while_loop
from nnjit.autodiff import as_node, pull_back
from nnjit.codegen import Compiled
from nnjit.ir import B, Graph, array_type, constant, interpret, new_input, with_rows

pytestmark = pytest.mark.small

COUNTS = (1, 5) if config.DISABLE_JIT else (1, 5, 300)  # rows of data; 300 take two blocks


def simple(w: Any, x: Any) -> Any:
    """A state of two numbers, and results of every step."""
    zero = nnp.zeros_like(x[:, 0, :2])
    last, every = scan(lambda h, v: (nnp.tanh(h @ w[:2] + v @ w[2:]), h * h), zero, x)
    return nnp.sum(last) + nnp.sum(every)


def gated(w: Any, x: Any) -> Any:
    """Two states, slices of one product, and the reverse order."""
    given, zero = x @ w[2:], nnp.zeros_like(x[:, 0, :1])

    def step(state: Any, v: Any) -> Any:
        h, c = state
        sums = v + nnp.concatenate([h, c], axis=1) @ w[:2]
        c = nnp.sigmoid(sums[:, :1]) * c + nnp.tanh(sums[:, 1:])
        h = nnp.tanh(c) * h + c
        return (h, c), h

    last, every = scan(step, (zero, zero), given, reverse=True)
    return nnp.sum(last[0] * last[1]) + nnp.sum(every[:, :, 0] * x[:, :, 0])


def deep(w: Any, x: Any) -> Any:
    """Elements with several axes, a state passed on unchanged, a value that only some steps change."""
    blocks = nnp.reshape(x, (nnp.shape(x)[0], 2, 2, 3))

    def step(state: Any, v: Any) -> Any:
        h, kept = state
        after = nnp.sum(v @ w[:3], axis=1) * 0.5 + h
        return (nnp.where(after > 0, after, h), kept), (v @ w[:3], after)

    zero = nnp.zeros_like(x[:, 0, :2])
    last, (every, sums) = scan(step, (zero, zero + 1), blocks)
    return nnp.sum(last[0] * last[1]) + nnp.sum(every * every) + nnp.sum(sums)


def offset(w: Any, x: Any) -> Any:
    """Values that all steps read: a number for each unit, and one for each row."""
    zero = nnp.zeros_like(x[:, 0, :2])
    own = nnp.tanh(x[:, 1, :2])
    last, _ = scan(lambda h, v: (nnp.tanh((h @ w[:2] + w[2]) * own + v[:, :2] + w[3]), None), zero, x)
    return nnp.sum(last * last)


def stacked(w: Any, x: Any) -> Any:
    """A loop over another loop's record."""
    zero = nnp.zeros_like(x[:, 0, :2])
    _, first = scan(lambda h, v: (nnp.tanh(h @ w[:2] + v @ w[2:]),) * 2, zero, x)
    last, _ = scan(lambda h, v: (nnp.sin(h + v), None), zero, first)
    return nnp.sum(last)


def nested(w: Any, x: Any) -> Any:
    """A loop inside a loop, which begins with the outer loop's state and reads its part of the data."""
    blocks = nnp.reshape(x, (nnp.shape(x)[0], 2, 2, 3))

    def within(h: Any, v: Any) -> Any:
        h = nnp.tanh(h @ w[:2] + v @ w[2:])
        return h, h * h

    def step(state: Any, v: Any) -> Any:
        last, every = scan(within, state * 0.5, v, reverse=True)
        return last + nnp.sum(every, axis=1), (last, every)

    last, (ends, every) = scan(step, nnp.zeros_like(x[:, 0, :2]), blocks)
    return nnp.sum(last * last) + nnp.sum(nnp.sin(ends)) + nnp.sum(every)


@pytest.mark.parametrize("dtype", [pytest.param("f64", marks=pytest.mark.kernels), "f32"])
@pytest.mark.parametrize("cost", [simple, gated, deep, offset, stacked, nested])
def test_value_and_gradient_equal_the_interpreter(cost: Callable[..., Any], dtype: str) -> None:
    shapes = {"w": (5, 2), "x": (B, 4, 3)}
    w, x = (new_input(array_type(dtype, s)) for s in shapes.values())
    out = as_node(cost(w, x))
    graph = Graph((w, x), (out, *pull_back([out], [w, x], [constant(1.0, out.dtype)])))
    compiled = Compiled(graph)
    close = {"f64": {"rtol": 1e-11, "atol": 1e-11}, "f32": {"rtol": 1e-4, "atol": 1e-4}}[dtype]
    for count in COUNTS:
        rng = np.random.default_rng(count)
        given = [rng.normal(size=with_rows(s, count)).astype(w.dtype) * 0.5 for s in shapes.values()]
        for got, want in zip(compiled(*given), interpret(graph, given), strict=True):
            np.testing.assert_allclose(got, want, **close)


def backwards(w: Any, x: Any) -> Any:
    """Two states, read only after the last step, in reverse order."""
    zero = nnp.zeros_like(x[:, 0, :2])
    step = lambda s, v: ((nnp.tanh(s[1] @ w[:2] + v @ w[2:]), s[0] + v[:, :2]), None)  # noqa: E731
    (h, c), _ = scan(step, (zero, zero), x, reverse=True)
    return h * c + h


@pytest.mark.parametrize("last", [backwards, offset, stacked, nested])
def test_a_loop_without_gradient_keeps_the_last_step_alone(last: Callable[..., Any]) -> None:
    w, x = new_input(array_type("f64", (5, 2))), new_input(array_type("f64", (B, 4, 3)))
    graph = Graph((w, x), (as_node(last(w, x)),))
    compiled = Compiled(graph)
    for count in COUNTS:
        rng = np.random.default_rng(count)
        given = [rng.normal(size=s) * 0.5 for s in ((5, 2), (count, 4, 3))]
        np.testing.assert_allclose(compiled(*given)[0], interpret(graph, given)[0], rtol=1e-11, atol=1e-11)


def test_the_memory_of_a_loop_grows_with_its_steps_only_for_its_gradient() -> None:
    def work(steps: int, run: Callable[[Any], Any] = lambda f: f) -> int:
        f = run(lambda x: nnp.sum(fori_loop(0, steps, lambda k, c: nnp.sin(c) * x + k, x)))
        return sum(Compiled(make_graph(f)(np.ones(500))).program.work.values())

    assert work(3000) - work(3) < 3200  # the numbers themselves
    assert work(300, grad) > 300 * 500


@pytest.mark.kernels
def test_a_step_reads_parts_of_what_it_carries() -> None:
    """A part of a carried vector begins inside the memory of the vector."""
    turned = lambda c: nnp.stack([c[1] + c[2], 0.5 * c[0], c[2] - c[1]])  # noqa: E731
    by_scan = lambda x: scan(lambda c, _: (turned(c), c[1:]), x, length=3)  # noqa: E731
    by_condition = lambda x: while_loop(lambda c: c[2] < 9.0, turned, x)  # noqa: E731
    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(jit(by_condition)(x), by_condition(x), rtol=1e-14)
    for got, want in zip(jit(by_scan)(x), by_scan(x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.kernels
def test_a_loop_without_rows_compiles() -> None:
    def f(x: Any) -> Any:
        last, every = scan(lambda c, k: (nnp.sin(c) * x + k, c), x, np.arange(5.0))
        return last + nnp.sum(every)

    assert jit(f)(0.3) == pytest.approx(float(f(0.3)), rel=1e-14)
    assert jit(grad(f))(0.3) == pytest.approx(float(grad(f)(0.3)), rel=1e-13)


def test_loops_inside_loops_compile_to_any_depth_and_order_of_derivative() -> None:
    def deepest(x: Any) -> Any:
        def loop(f: Any) -> Any:
            return lambda c, k: (scan(f, c, np.arange(2.0))[0] * 0.7 + k, None)

        step = loop(loop(lambda c, k: (nnp.sin(c) * x + k, None)))
        return scan(step, x, np.arange(3.0))[0]

    for f in (deepest, grad(deepest), grad(grad(deepest))):
        assert jit(f)(0.3) == pytest.approx(float(f(0.3)), rel=1e-12)


def test_a_failure_inside_a_loop_inside_a_loop_is_told() -> None:
    def f(a: Any) -> Any:
        def step(c: Any, k: Any) -> Any:
            return scan(lambda c, k: (nnp.linalg.solve(a, c), None), c, np.arange(2.0))[0], None

        return nnp.sum(scan(step, np.ones(2), np.arange(2.0))[0])

    assert jit(f)(np.eye(2) * 2) == pytest.approx(float(f(np.eye(2) * 2)))
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        jit(f)(np.ones((2, 2)))


def test_the_source_does_not_grow_with_the_steps() -> None:
    def lines(steps: int) -> int:
        w, x = new_input(array_type("f64", (5, 2))), new_input(array_type("f64", (B, steps, 3)))
        return len(Compiled(Graph((w, x), (as_node(simple(w, x)),))).program.source.splitlines())

    assert lines(3) == lines(50)
