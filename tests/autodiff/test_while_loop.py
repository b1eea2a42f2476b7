"""`while_loop` against the same loop in Python: plain, compiled, mapped, and in forward mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import (
    cond,
    custom_vjp,
    eval_shape,
    grad,
    jacfwd,
    jit,
    jvp,
    linearize,
    make_graph,
    scan,
    switch,
    vmap,
    while_loop,
)
from nnjit.errors import GraphError
from nnjit.ir import interpret, verify

pytestmark = pytest.mark.small

RUNS = (lambda f: f, jit)
each_run = pytest.mark.parametrize("run", RUNS, ids=["plain", "jit"])
STACK = np.array([2.0, 0.3, 50.0])


def collatz(n: Any) -> Any:
    """How many steps the Collatz sequence of n takes to 1."""
    after = lambda c: (nnp.where(c[0] % 2 == 0, c[0] // 2, 3 * c[0] + 1), c[1] + 1)  # noqa: E731
    return while_loop(lambda c: c[0] != 1, after, (n, 0))[1]


def halved(x: Any, scale: Any = 0.6) -> Any:
    """Shrink x until it is below 1, and count: between kinks the loop is a power of x."""
    y = scale * 1.0
    after = lambda c: {"x": nnp.sqrt(c["x"]) * y + 0.1 * c["x"], "n": c["n"] + 1}  # noqa: E731
    return while_loop(lambda c: c["x"] > 1.0, after, {"x": x, "n": 0})


def in_python(x: Any, scale: Any = 0.6) -> tuple[Any, int]:
    n, value = 0, float(x)
    y = x
    while value > 1.0:
        y = nnp.sqrt(y) * scale + 0.1 * y
        value, n = value**0.5 * 0.6 + 0.1 * value, n + 1
    return y, n


def unrolled(x: float) -> Callable[[Any], Any]:
    """The same with the number of steps taken at x."""
    _, steps = in_python(x)

    def f(x: Any) -> Any:
        for _ in range(steps):
            x = nnp.sqrt(x) * 0.6 + 0.1 * x
        return x

    return f


@each_run
def test_value_is_that_of_the_loop(run: Any) -> None:
    assert [int(run(collatz)(n)) for n in (1, 2, 3, 27)] == [0, 1, 7, 111]
    for x in STACK:
        got = run(halved)(x)
        y, n = in_python(x)
        assert (float(got["x"]), int(got["n"])) == (pytest.approx(float(y), rel=1e-14), n)


@each_run
def test_examples_that_have_ended_keep_their_values(run: Any) -> None:
    assert run(vmap(collatz))(np.array([3, 1, 27, 2])).tolist() == [7, 0, 111, 1]
    got = run(vmap(halved))(STACK)
    np.testing.assert_allclose(got["x"], [float(in_python(x)[0]) for x in STACK], rtol=1e-14)
    assert got["n"].tolist() == [in_python(x)[1] for x in STACK]
    table = run(vmap(vmap(collatz)))(np.array([[3, 1], [27, 2]]))
    assert table.tolist() == [[7, 0], [111, 1]]


@each_run
def test_examples_that_end_together_need_no_choice(run: Any) -> None:
    """The condition reads only shared values; the carry, and a value closed over, differ."""
    power = lambda x, n: while_loop(lambda c: c[1] < n, lambda c: (c[0] * x, c[1] + 1), (1.0, 0))[0]  # noqa: E731
    np.testing.assert_allclose(run(vmap(power, (0, None)))(STACK, 3), STACK**3, rtol=1e-14)
    graph = make_graph(vmap(power, (0, None)))(STACK, 3)
    [loop] = [n for n in graph.nodes if n.primitive.name == "while_loop"]
    assert not any(n.primitive.name == "select" for n in loop.params["step"].nodes)
    np.testing.assert_allclose(run(vmap(power, (None, 0)))(2.0, np.array([0, 3, 1])), [1, 8, 2])


@each_run
def test_forward_mode_is_that_of_the_steps_taken(run: Any) -> None:
    first = lambda x: jvp(lambda x: halved(x)["x"], (x,), (1.0,))[1]  # noqa: E731
    second = lambda x: jacfwd(jacfwd(lambda x: halved(x)["x"]))(x)  # noqa: E731
    for order, f in enumerate((first, second)):
        want = []
        for x in STACK:
            g = grad(unrolled(x))
            want.append(float((grad(g) if order else g)(x)))
        np.testing.assert_allclose([run(f)(x) for x in STACK], want, rtol=1e-12)
        np.testing.assert_allclose(run(vmap(f))(STACK), want, rtol=1e-12)
    by_scale = jacfwd(lambda s: halved(2.0, s)["x"])
    h = 1e-6
    difference = (halved(2.0, 0.6 + h)["x"] - halved(2.0, 0.6 - h)["x"]) / (2 * h)
    assert float(run(by_scale)(0.6)) == pytest.approx(float(difference), rel=1e-8)


def test_a_linearized_loop_is_linear() -> None:
    value, push = linearize(lambda x: halved(x)["x"], 50.0)
    assert float(value) == pytest.approx(float(halved(50.0)["x"]), rel=1e-14)
    assert float(push(3.0)) == pytest.approx(3 * float(push(1.0)), rel=1e-14)


def test_the_interpreter_and_the_types_agree() -> None:
    graph = verify(make_graph(halved)(50.0))
    n, x = interpret(graph, [np.array(50.0)])
    assert (int(n), float(x)) == (int(halved(50.0)["n"]), float(halved(50.0)["x"]))
    assert {k: str(v) for k, v in eval_shape(halved, 50.0).items()} == {"x": "f64[]", "n": "i64[]"}


@each_run
def test_values_of_all_dtypes_are_carried_exactly(run: Any) -> None:
    first = {
        "b": np.array([True, False]),
        "i": np.int32(-5),
        "l": np.int64(-(2**62) - 3),
        "u": np.array([2**32 - 9], np.uint32),
        "f": np.array([0.1, 2.0], np.float32),
        "d": np.array([[0.1]]),
        "none": np.zeros((0, 3)),
        "n": 0,
    }

    def three(first: Any) -> Any:
        def after(c: Any) -> Any:
            more = {k: c[k] + c[k].dtype.type(1) for k in ("i", "l", "u", "f", "d")}
            return {"b": c["b"][::-1], **more, "none": c["none"], "n": c["n"] + 1}

        return while_loop(lambda c: c["n"] < 3, after, first)

    got = run(three)(first)
    want = dict(first) | {"n": np.int64(3), "b": np.array([False, True])}
    for _ in range(3):
        want |= {k: want[k] + want[k].dtype.type(1) for k in ("i", "l", "u", "f", "d")}
    for name, value in want.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)
        assert (got[name].dtype, got[name].shape) == (value.dtype, np.shape(value)), name


@each_run
def test_whole_numbers_alone_and_values_that_change_places(run: Any) -> None:
    numbers = lambda n: while_loop(lambda c: c[2] > 0, lambda c: (c[1], c[0] + c[1], c[2] - 1), (0, 1, n))  # noqa: E731
    assert [int(v) for v in run(numbers)(90)] == [2880067194370816120, 4660046610375530309, 0]
    narrow = run(lambda n: while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 2), (np.int32(0), 1)))
    assert [int(v) for v in narrow(np.int32(40))] == [40, 2**40]


@each_run
def test_loops_branches_and_products_go_inside(run: Any) -> None:
    w = np.array([[0.4, 0.3], [0.1, 0.5]])

    def f(x: Any, w: Any) -> Any:
        def after(c: Any) -> Any:
            v, n = c
            v = scan(lambda h, row: (h @ w + row, None), v, w)[0]
            v = cond(n % 2 == 0, lambda: v, lambda: nnp.sin(v))
            inner = while_loop(lambda u: nnp.sum(u * u) > 0.5, lambda u: 0.5 * u, v)
            return switch(n, [lambda: inner, lambda: nnp.linalg.solve(w, inner), lambda: -inner]), n + 1

        return while_loop(lambda c: c[1] < 4, after, (x, 0))[0]

    def wanted(x: np.ndarray) -> np.ndarray:
        for n in range(4):
            for row in w:
                x = x @ w + row
            x = x if n % 2 == 0 else np.sin(x)
            while np.sum(x * x) > 0.5:
                x = 0.5 * x
            x = (x, np.linalg.solve(w, x), -x, -x)[n]
        return x

    x = np.array([1.0, -2.0])
    np.testing.assert_allclose(run(f)(x, w), wanted(x), rtol=1e-12)
    step = 1e-7
    columns = [(wanted(x + step * e) - wanted(x - step * e)) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(run(jacfwd(f))(x, w), np.transpose(columns), rtol=1e-6, atol=1e-8)
    stack = np.stack([x, 3 * x])
    np.testing.assert_allclose(run(vmap(f, (0, None)))(stack, w), [wanted(v) for v in stack], rtol=1e-12)


@each_run
def test_a_step_of_a_scan_may_be_a_loop(run: Any) -> None:
    f = lambda xs: scan(lambda c, x: (c + halved(x)["x"], halved(x)["n"]), 0.0, xs)  # noqa: E731
    total, counts = run(f)(STACK)
    assert counts.tolist() == [in_python(x)[1] for x in STACK]
    assert float(total) == pytest.approx(sum(float(in_python(x)[0]) for x in STACK), rel=1e-13)


@each_run
def test_no_step_returns_what_it_is_given(run: Any) -> None:
    got = run(halved)(0.5)
    assert (float(got["x"]), int(got["n"])) == (0.5, 0)
    assert run(vmap(collatz))(np.zeros(0, int)).shape == (0,)


def test_a_rule_of_ones_own_gives_it_reverse_mode() -> None:
    @custom_vjp
    def root(a: Any) -> Any:
        return while_loop(lambda x: abs(x * x - a) > 1e-13 * a, lambda x: (x + a / x) / 2, a)

    def forward(a: Any) -> Any:
        x = root(a)
        return x, x

    root.defvjp(forward, lambda x, g: (g / (2 * x),))
    for run in RUNS:
        assert float(run(grad(root))(2.0)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-12)


def test_a_count_of_steps_needs_no_derivative() -> None:
    for run in RUNS:
        assert float(run(grad(lambda x: x * halved(x)["n"]))(50.0)) == in_python(50.0)[1]


# fmt: off
MISTAKES: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: grad(lambda x: halved(x)["x"])(2.0),
     "no reverse mode .*; use fori_loop with a fixed number .*, or scan, or forward mode"),
    (lambda: while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1].astype("f8")), (0, np.ones(2, "f4"))),
     r"while_loop: carry\[1\] is f32\[2\] before a step and f64\[2\] after it; use nnjit.numpy.astype"),
    (lambda: while_loop(lambda c: c["x"] < 3, lambda c: {"x": c["x"] + np.ones(2)}, {"x": 0.0}),
     r"carry\['x'\] is f64\[\] before a step and f64\[2\] after it; give init the shape"),
    (lambda: while_loop(lambda c: c[0] < 3, lambda c: c[0], (0,)), r"is \(\*,\) before a step and a single"),
    (lambda: while_loop(lambda c: c > 3, lambda c: c, np.ones(2)), r"cond returns a single b1\[2\]; expect"),
    (lambda: while_loop(lambda c: None, lambda c: c, 1.0), "cond returns None; expected one truth value"),
    (lambda: while_loop(lambda c: True, lambda c: c, ()), "init has no numbers"),
)
# fmt: on


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_misuse_says_what_fits(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
