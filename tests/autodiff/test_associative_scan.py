"""`associative_scan` against combining one element after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit import associative_scan, check_grads, grad, hessian, jit, make_graph, vmap
from nnjit.errors import GraphError

pytestmark = pytest.mark.small

RNG = np.random.default_rng(0)
RUNS = (lambda f: f, jit)
each_run = pytest.mark.parametrize("run", RUNS, ids=["plain", "jit"])


def affine(f: Any, g: Any) -> Any:
    """Compose y = a x + b with another: the solution of a linear recurrence. The order matters."""
    return {"a": g["a"] * f["a"], "b": g["a"] * f["b"] + g["b"]}


def recurrence(a: Any, b: Any, reverse: bool = False) -> Any:
    return associative_scan(affine, {"a": a, "b": b}, reverse=reverse)["b"]


def in_order(a: np.ndarray, b: np.ndarray, reverse: bool = False) -> np.ndarray:
    y, out = np.zeros(b.shape[1:]), np.zeros_like(b)
    for k in range(len(a))[:: -1 if reverse else 1]:
        y = out[k] = a[k] * y + b[k]
    return out


@each_run
@pytest.mark.parametrize("reverse", [False, True])
def test_it_solves_a_recurrence_of_any_length(run: Any, reverse: bool) -> None:
    for n in (0, 1, 2, 3, 7, 8):
        a, b = RNG.normal(size=(2, n, 2))
        got = run(lambda a, b: recurrence(a, b, reverse))(a, b)
        np.testing.assert_allclose(got, in_order(a, b, reverse), rtol=1e-12, atol=1e-14, err_msg=str(n))


@each_run
def test_it_combines_along_any_axis_and_in_any_dtype(run: Any) -> None:
    whole = RNG.integers(-5, 5, (3, 5, 2)).astype(np.int32)
    for axis in (0, 1, -1):
        sums, most = run(
            lambda x, axis=axis: associative_scan(
                lambda x, y: (x[0] + y[0], nnp.maximum(x[1], y[1])), (x, x > 0), axis=axis
            )
        )(whole)
        np.testing.assert_array_equal(sums, np.cumsum(whole, axis, dtype=np.int32))
        np.testing.assert_array_equal(most, np.maximum.accumulate(whole > 0, axis))
        assert (sums.dtype, most.dtype) == (np.int32, np.bool_)
    matrices = RNG.normal(size=(6, 2, 2))
    got = run(lambda m: associative_scan(nnp.matmul, m)[-1])(matrices)
    np.testing.assert_allclose(got, np.linalg.multi_dot(list(matrices)), rtol=1e-12)


def test_it_has_derivatives_of_both_modes_and_maps() -> None:
    a, b = RNG.normal(size=(2, 5))
    check_grads(recurrence, [a, b])
    cost = lambda b: nnp.sum(nnp.sin(recurrence(a, b)))  # noqa: E731
    check_grads(grad(cost), [b])
    np.testing.assert_allclose(jit(hessian(cost))(b), hessian(cost)(b), rtol=1e-12, atol=1e-14)
    stack = RNG.normal(size=(3, 5))
    for run in RUNS:
        got = run(vmap(grad(cost)))(stack)
        np.testing.assert_allclose(got, [grad(cost)(row) for row in stack], rtol=1e-12)


def test_its_graph_grows_with_the_logarithm_of_the_length() -> None:
    calls: list[int] = []

    def add(x: Any, y: Any) -> Any:
        calls.append(x.shape[0])
        return x + y

    make_graph(lambda x: associative_scan(add, x))(np.ones(1024))
    assert len(calls) == 2 * 10 - 1
    assert sum(calls) < 2 * 1024


# fmt: off
MISTAKES: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: associative_scan(affine, {"a": np.ones(3), "b": np.ones(4)}),
     r"equally long along the axis; got 3 \(elems\['a'\]\), 4 \(elems\['b'\]\)"),
    (lambda: associative_scan(nnp.add, np.ones(3), axis=1), r"elems is f64\[3\], which has no axis 1"),
    (lambda: associative_scan(lambda x, y: nnp.sum(x + y), np.ones(4)),
     r"fn returns f64\[\] for elems, but was given f64\[2\]; it must combine the elements one by"),
    (lambda: associative_scan(lambda x, y: (x, y), np.ones(4)), r"fn returns \(\*, \*\) for elements"),
    (lambda: associative_scan(lambda x, y: None, np.ones(4)), "fn returns None for elements of the"),
)
# fmt: on


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[m[1][:40] for m in MISTAKES])
def test_a_misuse_says_what_fits(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        call()
