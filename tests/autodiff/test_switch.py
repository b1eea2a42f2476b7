"""`switch`: the branch chosen by the index, its derivatives, and nothing from the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import check_grads, grad, hessian, jacfwd, jit, make_graph, scan, switch, vmap
from nnjit.errors import GraphError
from nnjit.ir import interpret, verify

pytestmark = pytest.mark.small

NUMBERS = np.array([0, 1, 2, 7, -3], np.int32)  # the last two are clamped
TAKEN = (0, 1, 2, 2, 0)
X = np.array([-1.2, 0.5, 2.0, 3.0, -0.4])


def piece(k: Any, x: Any) -> Any:
    """The logarithm is NaN at points that take another branch; y is closed over."""
    y = x * x
    log = lambda x: nnp.log(x - 0.4)  # noqa: E731
    return switch(k, [lambda x: nnp.sin(x) * y, log, lambda x: x * 3.0], x)


def wanted(order: int) -> list[float]:
    rows: tuple[tuple[Callable[[float], float], ...], ...] = (
        (
            lambda x: np.sin(x) * x**2,
            lambda x: np.cos(x) * x**2 + 2 * x * np.sin(x),
            lambda x: (2 - x**2) * np.sin(x) + 4 * x * np.cos(x),
        ),
        (lambda x: np.log(x - 0.4), lambda x: 1 / (x - 0.4), lambda x: -1 / (x - 0.4) ** 2),
        (lambda x: 3 * x, lambda x: 3.0, lambda x: 0.0),
    )
    return [rows[k][order](x) for k, x in zip(TAKEN, X, strict=True)]


def test_each_branch_has_its_own_derivatives_plain_compiled_and_mapped() -> None:
    """With the index mapped, the operands, and both."""

    def orders(k: Any, x: Any) -> Any:
        f = lambda x: piece(k, x)  # noqa: E731
        return f(x), grad(f)(x), jacfwd(grad(f))(x)

    native = jit(orders)
    for n, (k, x) in enumerate(zip(NUMBERS, X, strict=True)):
        want = [wanted(order)[n] for order in range(3)]
        np.testing.assert_allclose(orders(int(k), x), want, rtol=1e-12)
        np.testing.assert_allclose(native(k, x), want, rtol=1e-12)
    for run in (vmap(orders), jit(vmap(orders))):
        for order, got in enumerate(run(NUMBERS, X)):
            np.testing.assert_allclose(got, wanted(order), rtol=1e-12)
    got = vmap(lambda x: orders(2, x)[1])(X)
    np.testing.assert_allclose(got, np.full(5, 3.0))
    np.testing.assert_allclose(jit(vmap(lambda x, k: piece(k, x), (0, None)))(X, 7), X * 3.0, rtol=1e-14)
    np.testing.assert_allclose(vmap(lambda k: piece(k, 0.5))(NUMBERS)[1], np.log(0.1), rtol=1e-12)


def test_only_the_branch_that_is_chosen_is_evaluated() -> None:
    singular = lambda x: nnp.linalg.inv(nnp.outer(x, x))[0]  # noqa: E731  # LAPACK raises an error
    f = lambda k, x: switch(k, (lambda x: 2 * x, singular, lambda x: -x), x)  # noqa: E731
    graph = verify(make_graph(f)(0, np.ones(2)))
    for k, factor in ((0, 2), (2, -1), (9, -1)):
        np.testing.assert_array_equal(interpret(graph, [np.array(k), np.ones(2)])[0], factor * np.ones(2))
    with pytest.raises(np.linalg.LinAlgError):
        interpret(graph, [np.array(1), np.ones(2)])
    assert float(switch(5, [lambda: 1 / 0, lambda: 2.0])) == 2.0


def test_structures_dtypes_and_numbers() -> None:
    def f(k: Any, x: Any) -> Any:
        return switch(
            k,
            [
                lambda p: {"a": p["x"], "b": (nnp.argmax(p["x"]), 1)},
                lambda p: {"a": p["x"] * 2, "b": (nnp.argmin(p["x"]), 0.5)},
                lambda p: {"a": nnp.zeros_like(p["x"]), "b": (-1, k)},
            ],
            {"x": x},
        )

    x = np.array([1.0, 3.0, -2.0], np.float32)
    for got in (jit(f)(1, x), f(1, x)):
        np.testing.assert_array_equal(got["a"], 2 * x)
        assert (got["a"].dtype, int(got["b"][0]), float(got["b"][1])) == (np.float32, 2, 0.5)
    graph = make_graph(f)(1, x)  # a number takes the dtype of the other results
    assert [str(n.type) for n in graph.outputs] == ["f32[3]", "i32[]", "f64[]"]
    check_grads(lambda x: jit(f)(1, x)["a"], [np.array([1.0, 3.0, -2.0])])


def test_steps_of_a_loop_take_turns() -> None:
    def walk(x: Any) -> Any:
        step = lambda c, k: (switch(k % 3, [nnp.sin, nnp.cos, lambda c: c * x], c), None)  # noqa: E731
        return scan(step, x, np.arange(5))[0]

    unrolled = lambda x: nnp.cos(nnp.sin(x * nnp.cos(nnp.sin(x))))  # noqa: E731
    for run in (lambda f: f, jit):
        for f, g in ((walk, unrolled), (grad(walk), grad(unrolled)), (hessian(walk), hessian(unrolled))):
            assert float(run(f)(0.7)) == pytest.approx(float(g(0.7)), rel=1e-12)


def test_one_branch_needs_no_choice() -> None:
    assert float(jit(lambda k, x: switch(k, [nnp.exp], x))(3, 0.0)) == 1.0


# fmt: off
MISTAKES: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (lambda k: switch(k, []), r"expected a list of one or more functions as branches, got \[\]"),
    (lambda k: switch(k, [1.0, 2.0]), r"one or more functions as branches, got \[1"),
    (lambda k: switch(k * 0.5, [abs, abs], 1.0), r"index is f64\[\]; expected one whole number; use"),
    (lambda k: switch(k > 0, [abs, abs], 1.0), r"the index is b1\[\]; .* nnjit.cond takes a truth value"),
    (lambda k: switch(nnp.arange(2) + k, [abs, abs], 1.0), r"the index is i64\[2\]; expected one"),
    (lambda k: switch(k, [lambda: 1.0, lambda: 2.0, lambda: (1, 2)]), r"structures, \* and \(\*, \*\)"),
    (lambda k: switch(k, [lambda: 1.0, lambda: X]), r"result 0 of the branches is f64\[\] and f64\[5\]"),
)
# fmt: on


@pytest.mark.parametrize(("f", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_mistake_says_what_is_right(f: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        make_graph(f)(1)
