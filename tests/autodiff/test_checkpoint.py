"""`checkpoint`: the function's values and derivatives, in less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import (
    check_grads,
    checkpoint,
    cond,
    custom_vjp,
    fori_loop,
    grad,
    hessian,
    jacfwd,
    jit,
    jvp,
    make_graph,
    remat,
    scan,
    value_and_grad,
    vmap,
    while_loop,
)
from nnjit.autodiff import pull_back
from nnjit.codegen import Compiled
from nnjit.ir import B, Graph, array_type, interpret, new_input, verify
from nnjit.ir.types import DTYPES
from nnjit.passes import optimize
from nnjit.primitives import full_like

pytestmark = pytest.mark.small

RNG = np.random.default_rng(0)
LAYERS, BLOCK = 16, 4
WS = [RNG.normal(size=(8, 8)) / 3 for _ in range(LAYERS)]
X = RNG.normal(size=(32, 8))
RUNS = (lambda f: f, jit)
each_run = pytest.mark.parametrize("run", RUNS, ids=["plain", "jit"])
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def as_it_is(f: Callable[..., Any]) -> Callable[..., Any]:
    return f


def block(ws: Any, x: Any) -> Any:
    for w in ws:
        x = nnp.tanh(x @ w)
    return x


def cost(wrap: Wrap, ws: Any, x: Any) -> Any:
    for k in range(0, LAYERS, BLOCK):
        x = wrap(block)(ws[k : k + BLOCK], x)
    return nnp.sum(x * x)


def bytes_of(f: Callable[..., Any], *args: Any) -> int:
    """The work memory of the compiled function."""
    program = Compiled(make_graph(f)(*args)).program
    return sum(size * DTYPES[program.memory[name]].itemsize for name, size in program.work.items())


@each_run
def test_values_and_gradients_are_those_of_the_function(run: Any) -> None:
    """Compiled kernels may fuse differently: a few last bits after a chain of 16 layers."""
    got, want = (run(value_and_grad(lambda ws, w=w: cost(w, ws, X)))(WS) for w in (checkpoint, as_it_is))
    np.testing.assert_allclose(got[0], want[0], rtol=1e-13)
    for one, other in zip(got[1], want[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)


def test_a_compiled_gradient_keeps_the_arguments_of_a_call_alone() -> None:
    """At the ends of 4 blocks and inside one block, there are 8 values as large as x instead of 16."""

    def gradient(wrap: Wrap) -> Callable[..., Any]:
        return lambda ws, x: value_and_grad(lambda ws: cost(wrap, ws, x))(ws)

    x = RNG.normal(size=(256, 8))
    kept, anew = (bytes_of(gradient(wrap), WS, x) for wrap in (as_it_is, checkpoint))
    assert kept >= LAYERS * x.nbytes
    assert anew <= (LAYERS // BLOCK + BLOCK + 4) * x.nbytes


def test_rows_of_a_batch_are_computed_anew_too() -> None:
    """In training, the number of rows is unknown, and all share the weights."""
    sizes = []
    for wrap in (as_it_is, checkpoint):
        inputs = [new_input(array_type("f64", (8, 8))) for _ in WS]
        rows = new_input(array_type("f64", (B, 8)))
        value = cost(wrap, inputs, rows)
        graph = Graph((*inputs, rows), (value, *pull_back([value], inputs, [full_like(value, 1)])))
        compiled = Compiled(verify(graph))
        sizes.append(compiled.program.work["work_f64"])
        want = interpret(graph, [*WS, X])
        for got, expected in zip(compiled(*WS, X), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)
    assert sizes[1] < 0.75 * sizes[0]


def test_a_loop_records_less() -> None:
    def total(wrap: Wrap) -> Callable[[Any], Any]:
        def inner(c: Any) -> Any:
            for _ in range(5):
                c = nnp.sin(c * c + 1.0)
            return c

        return lambda x: fori_loop(0, 50, lambda i, c: wrap(inner)(c), x)

    gradients = [lambda x, w=w: grad(lambda x: nnp.sum(total(w)(x)))(x) for w in (as_it_is, checkpoint)]
    x = np.linspace(0.1, 1.0, 64)
    kept, anew = (bytes_of(g, x) for g in gradients)
    assert anew < 0.5 * kept
    np.testing.assert_allclose(jit(gradients[1])(x), gradients[0](x), rtol=1e-10)


def several(p: Any, n: Any = 2, how: str = "sin") -> Any:
    """Results of several dtypes and shapes, one an argument, one known."""
    y = getattr(nnp, how)(p["x"]) * p["scale"]
    return {"y": y**n, "n": nnp.argmax(y), "p": p["x"], "k": 3, "none": None, "sum": nnp.sum(y), "f": y > 0}


@each_run
def test_structures_words_and_other_dtypes(run: Any) -> None:
    p = {"x": np.array([0.3, 2.0, -1.0]), "scale": 1.3}
    got, want = run(lambda p: checkpoint(several)(p, 3, how="cos"))(p), several(p, 3, how="cos")
    assert got["none"] is None
    for name in want.keys() - {"none"}:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-14)
        assert np.asarray(got[name]).dtype.kind == np.asarray(want[name]).dtype.kind
    f = lambda x: (lambda out: nnp.sum(out["y"]) * out["sum"])(checkpoint(several)({"x": x, "scale": 1.3}))  # noqa: E731
    check_grads(run(f), [p["x"]])
    check_grads(run(grad(f)), [p["x"]])


def test_both_modes_any_order_and_maps_in_either_order() -> None:
    w = 0.8

    def inner(x: Any) -> Any:
        return checkpoint(lambda x: nnp.sin(checkpoint(nnp.exp)(x) * w) + x**3)(x)

    plain = lambda x: nnp.sin(nnp.exp(x) * w) + x**3  # noqa: E731
    orders: list[Callable[[Any], Any]] = [
        grad,
        lambda f: grad(grad(f)),
        lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1]),
        lambda f: jacfwd(jacfwd(f)),
        lambda f: grad(grad(grad(f))),
    ]
    stack = np.array([0.3, -0.4])
    for order in orders:
        want = [float(order(plain)(x)) for x in stack]
        for run in RUNS:
            np.testing.assert_allclose([run(order(inner))(x) for x in stack], want, rtol=1e-11)
            np.testing.assert_allclose(run(vmap(order(inner)))(stack), want, rtol=1e-11)
    total = lambda x: nnp.sum(vmap(inner)(x))  # noqa: E731
    np.testing.assert_allclose(
        jit(hessian(total))(stack), hessian(lambda x: nnp.sum(plain(x)))(stack), rtol=1e-11
    )


def test_values_from_around_have_their_derivatives() -> None:
    def f(x: Any) -> Any:
        y = nnp.exp(x)
        return checkpoint(lambda: nnp.sin(y) * x)() + checkpoint(lambda z: z * y)(x)

    for run in RUNS:
        assert float(run(grad(f))(0.4)) == pytest.approx(
            float(grad(lambda x: nnp.sin(nnp.exp(x)) * x + x * nnp.exp(x))(0.4)), rel=1e-13
        )


def test_it_goes_inside_branches_loops_and_rules() -> None:
    square = checkpoint(lambda x: x * x)

    @custom_vjp
    def ruled(x: Any) -> Any:
        return square(x)

    ruled.defvjp(lambda x: (ruled(x), x), lambda x, g: (g * 10.0 * x,))

    def f(x: Any) -> Any:
        x = cond(x > 0, square, lambda x: x, x)
        return checkpoint(ruled)(scan(lambda c, _: (nnp.sin(square(c)), None), x, length=2)[0])

    unrolled = lambda x: nnp.sin(nnp.sin((x * x) ** 2) ** 2)  # noqa: E731
    for run in RUNS:
        want = 10.0 * float(unrolled(0.9)) * float(grad(unrolled)(0.9))
        assert float(run(grad(f))(0.9)) == pytest.approx(want, rel=1e-12)
    ended = lambda x: while_loop(lambda c: c > 1.0, lambda c: checkpoint(nnp.sqrt)(c) * 0.9, x)  # noqa: E731
    difference = (float(ended(2.0 + 1e-6)) - float(ended(2.0 - 1e-6))) / 2e-6
    for run in RUNS:
        assert float(run(jacfwd(ended))(2.0)) == pytest.approx(difference, rel=1e-8)


def test_outside_a_trace_it_is_the_function() -> None:
    assert remat is checkpoint
    assert checkpoint(several)({"x": np.ones(2), "scale": 2.0})["k"] == 3
    assert checkpoint(lambda word: word)("word") == "word"
    graph = optimize(make_graph(checkpoint(block))(WS[:2], X))
    assert {n.primitive.name for n in graph.nodes} == {"input", "matmul", "tanh"}
