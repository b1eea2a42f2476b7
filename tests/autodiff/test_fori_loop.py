"""`fori_loop` against the same loop in Python: values, derivatives, and types of the carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import check_grads, fori_loop, grad, hessian, jacfwd, jit, make_graph, vmap
from nnjit.errors import GraphError
from nnjit.ir import interpret, verify

pytestmark = pytest.mark.small

X = np.array([0.3, -0.7, 1.1])
RUNS = (lambda f: f, jit)
each_run = pytest.mark.parametrize("run", RUNS, ids=["plain", "jit"])


def loop(x: Any, lower: Any = 1, upper: Any = 4) -> Any:
    """A carry of several parts, one a whole number, and a value that the body closes over."""
    y = nnp.cos(x)

    def body(i: Any, carry: Any) -> Any:
        return {"z": [nnp.sin(carry["z"][0] * i + y)], "n": carry["n"] + 2 * i}

    return fori_loop(lower, upper, body, {"z": [x], "n": 0})


def looped(x: Any) -> Any:
    y, z, n = nnp.cos(x), x, 0
    for i in range(1, 4):
        z, n = nnp.sin(z * i + y), n + 2 * i
    return z, n


@each_run
def test_value_is_that_of_the_loop(run: Any) -> None:
    got = run(loop)(X)
    z, n = looped(X)
    np.testing.assert_allclose(got["z"][0], z, rtol=1e-14)
    assert (int(got["n"]), got["n"].dtype) == (n, np.int64)


def test_the_interpreter_gives_the_same_value() -> None:
    graph = verify(make_graph(lambda x: loop(x)["z"])(X))
    np.testing.assert_allclose(interpret(graph, [X])[0], looped(X)[0], rtol=1e-14)


def test_derivatives_of_both_modes_are_those_of_the_loop() -> None:
    value = lambda x: nnp.sum(loop(x)["z"][0] ** 2)  # noqa: E731
    check_grads(value, [X])
    want = hessian(lambda x: nnp.sum(looped(x)[0] ** 2))(X)
    for run in RUNS:
        np.testing.assert_allclose(run(hessian(value))(X), want, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        vmap(grad(value))(np.stack([X, -X])), [grad(value)(X), grad(value)(-X)], rtol=1e-12
    )


@each_run
def test_a_loop_of_no_steps_returns_what_it_is_given(run: Any) -> None:
    for lower, upper in ((2, 2), (5, np.int32(-1))):
        got = run(lambda x, a=lower, b=upper: loop(x, a, b))(X)
        np.testing.assert_array_equal(got["z"][0], X)
        assert (int(got["n"]), got["n"].dtype) == (0, np.int64)


@each_run
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_numbers_take_the_dtype_of_the_body(run: Any, dtype: str) -> None:
    x = X.astype(dtype)
    total, squares, kept = run(
        lambda x: fori_loop(0, 3, lambda i, c: (c[0] + x[0] * i, c[1] + i * i, c[2]), (0, 0, x))
    )(x)
    assert (total.dtype, squares.dtype, kept.dtype) == (x.dtype, np.int64, x.dtype)
    np.testing.assert_allclose(total, 3 * x[0], rtol=1e-6)
    assert int(squares) == 5


@each_run
def test_numbers_become_floats_if_the_body_makes_them_so(run: Any) -> None:
    x = np.float32(3.0)
    half, one, total = run(
        lambda x: fori_loop(0, 3, lambda i, c: (c[0] * 0.5, 1, c[2] + x * c[0]), (1, 0.5, 0.0))
    )(x)
    assert [(float(v), v.dtype.str) for v in (half, one, total)] == [
        (0.125, "<f8"), (1.0, "<f8"), (5.25, "<f4"),
    ]  # fmt: skip


def test_loops_in_loops_read_the_numbers_around_them() -> None:
    def table(x: Any) -> Any:
        outer = lambda i, c: fori_loop(0, 3, lambda j, d: d + x * i * j, c)  # noqa: E731
        return fori_loop(0, 4, outer, 0.0)

    for run in RUNS:
        assert float(run(table)(2.0)) == pytest.approx(36.0)
        assert float(run(grad(table))(2.0)) == pytest.approx(18.0)


@each_run
def test_bounds_may_be_traced(run: Any) -> None:
    for lower, upper in ((1, 4), (np.int32(-2), 3), (2, 2), (5, np.uint32(1))):
        got, want = run(loop)(X, lower, upper), loop(X, int(lower), int(upper))
        np.testing.assert_allclose(got["z"][0], want["z"][0], rtol=1e-14)
        assert int(got["n"]) == int(want["n"])
    half = run(lambda n: loop(X, 1, n)["z"][0])(4)
    np.testing.assert_allclose(half, looped(X)[0], rtol=1e-14)


@each_run
def test_traced_bounds_differ_from_example_to_example(run: Any) -> None:
    power = lambda x, n: fori_loop(0, n, lambda i, y: x * y, 1.0)  # noqa: E731
    x, n = np.array([2.0, 3.0, 0.5]), np.array([3, 0, 2])
    np.testing.assert_allclose(run(vmap(power))(x, n), x**n)
    np.testing.assert_allclose(run(vmap(jacfwd(power)))(x, n), n * x ** (n - 1.0))
    with pytest.raises(GraphError, match="fori_loop with traced bounds, have no reverse mode"):
        run(vmap(grad(power)))(x, n)


# fmt: off
MISTAKES: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: fori_loop(0, 2, lambda i, c: {"a": c["a"] + 0.5}, {"a": np.int32(1)}),
     r"fori_loop: carry\['a'\] is i32\[\] before a step and f64\[\] after it; use nnjit.numpy.astype"),
    (lambda: fori_loop(0, 2, lambda i, c: (c[0], c[1][:2]), (1.0, X)),
     r"carry\[1\] is f64\[3\] before a step and f64\[2\] after it; give init the shape"),
    (lambda: fori_loop(0, 2, lambda i, c: (c, c), 1.0), r"the carry is \* before a step and \(\*, \*\)"),
    (lambda: fori_loop(0, 2, lambda i, c: None, 1.0), "the carry is \\* before a step and None after it"),
    (lambda: fori_loop(0, 2, lambda i, c: "word", 1.0), "returns a str; expected arrays"),
    (lambda: jit(lambda n: fori_loop(0, n, lambda i, c: {"a": c["a"] + 0.5}, {"a": np.int32(1)}))(2),
     r"fori_loop: carry\['a'\] is i32\[\] before a step and f64\[\] after it"),
    (lambda: fori_loop(0, 2, lambda i, c: c, {"f": np.sin}), r"carry\['f'\] is a ufunc; expected arrays"),
    (lambda: fori_loop(0.5, 2, lambda i, c: c, 1.0), r"lower is f64\[\]; expected one whole number"),
    (lambda: fori_loop(0, [2], lambda i, c: c, 1.0), r"upper is i64\[1\]; expected one whole number"),
)
# fmt: on


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_misuse_says_what_fits(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
