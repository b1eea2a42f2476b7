"""`jit`: arguments and results, recompilation, and composition with derivatives and maps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import custom_jvp, custom_vjp, grad, hessian, jvp, make_graph, value_and_grad, vmap
from nnjit.codegen import jit
from nnjit.codegen.call import SMALL
from nnjit.errors import GraphError

pytestmark = [pytest.mark.kernels, pytest.mark.small]

X = np.array([0.3, -0.7, 1.1])


class Pair(NamedTuple):
    left: Any
    right: Any


def counted(f: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    """`f`, and a list that grows whenever it runs."""
    runs: list[int] = []

    def counting(*args: Any, **kwargs: Any) -> Any:
        runs.append(1)
        return f(*args, **kwargs)

    return counting, runs


def test_arguments_by_name_are_traced_as_those_by_position() -> None:
    f, runs = counted(lambda x, *, scale=2.0, shift: x * scale + shift)
    native = jit(f)
    for shift in (1.0, 5.0):
        for given, scale in (({}, 2.0), ({"scale": 3.0}, 3.0)):
            np.testing.assert_allclose(native(X, shift=shift, **given), X * scale + shift, rtol=1e-14)
        np.testing.assert_allclose(native(shift=shift, x=X), X * 2.0 + shift, rtol=1e-14)
    assert len(runs) == 3  # without scale, with it, and x by name; not again for new numbers


@pytest.mark.exact  # an argument is returned unchanged
def test_containers_are_taken_and_returned_as_they_are() -> None:
    def f(p: Any, q: Any, flag: Any, **named: Any) -> Any:
        return {"p": Pair(p["w"][0] * q[1][0], named["a"]["b"]), "q": [q[0], (p["w"][1], flag)], "n": None}

    got = jit(f)({"w": [X, 2.0]}, (1, (3.0,)), True, a={"b": X})
    assert type(got["p"]) is Pair
    np.testing.assert_array_equal(got["p"].left, X * 3.0)
    np.testing.assert_array_equal(got["p"].right, X)
    assert [v.dtype.str for v in (got["q"][0], got["q"][1][0], got["q"][1][1])] == ["<i8", "<f8", "|b1"]
    assert got["n"] is None


def test_another_type_structure_or_word_compiles_anew_and_nothing_else_does() -> None:
    f, runs = counted(lambda x, how=None: nnp.sum(x["a"] if isinstance(x, dict) else x) * (how != "no"))
    native = jit(f)
    cases = (
        (X,), (X[::-1],), (X[:2],), (X.astype("f4"),), ({"a": X},), ([X, X],), (X, "no"), (X, None),
        (np.asfortranarray(np.ones((2, 3))),),
    )  # fmt: skip
    for _ in range(2):
        for case in cases:
            np.testing.assert_allclose(native(*case), f(*case), rtol=1e-6)
            runs.pop()
    assert len(runs) == len(cases) - 1  # the first two are alike


def test_python_number_takes_the_dtype_of_arrays_beside_it() -> None:
    def f(x: Any, i: Any, s: Any, n: Any, b: Any) -> Any:
        rate = abs(1 - s**2 * (-s) % 2)
        return (
            x * s, x - rate * n, n * x + b, i * n + b, i + s, s * n, n + b, nnp.where(x > s, s, x),
            nnp.maximum(n, x), x * np.float64(2.0), x / n, x**n, x * nnp.exp(s), x // s, rate,
        )  # fmt: skip

    given = (X.astype("f4"), np.array([1, 2, 3], "i4"), 0.5, 3, True)
    want = [np.asarray(v).dtype for v in f(*given)]
    assert [v.dtype for v in jit(f)(*given)] == want
    assert [v.dtype for v in make_graph(f)(*given).outputs] == want
    assert grad(lambda s: nnp.sum(given[0] * s))(2.0).dtype == np.float64
    assert value_and_grad(lambda s: nnp.sum(given[0] * s))(2.0)[0].dtype == np.float32


def test_results_are_new_arrays_each_time() -> None:
    native = jit(lambda x: (x, x, nnp.zeros_like(x), 2, np.arange(2), "name"))
    x = X.copy()
    first, second = native(x), native(x)
    for one, two in zip(first[:5], second[:5], strict=True):
        one[...] = 7
        assert not (two == 7).any()
    np.testing.assert_array_equal(x, X)
    assert (second[3].dtype, second[4].tolist(), second[5]) == (np.dtype("i8"), [0, 1], "name")


@pytest.mark.parametrize("result", [(), {}, None, 3.5, {"a": [1, True]}], ids=str)
def test_function_that_computes_nothing_returns_what_it_returns(result: Any) -> None:
    assert jit(lambda x: result)(X) == result


def test_large_arrays_are_not_copied_and_views_of_them_are_read_right() -> None:
    n = SMALL // 8
    x, y = np.arange(2.0 * n), np.arange(3.0)
    native = jit(lambda x, y: (x * 2.0 + y[1], nnp.sum(y), y))
    for given in (x, x[::-1], np.repeat(x, 2)[::2]):
        for got, want in zip(native(given, y), (given * 2.0 + 1.0, 3.0, y), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-14)


def test_threads_may_call_it_at_the_same_time() -> None:
    native = jit(lambda x: nnp.sum(nnp.exp(x)) + x)
    given = [np.full(3, k + 0.5) for k in range(4)]
    want, wrong = [native(x) for x in given], []

    def call(k: int) -> None:
        wrong.extend(k for _ in range(200) if not np.array_equal(native(given[k]), want[k]))

    threads = [threading.Thread(target=call, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_it_composes_with_derivatives_and_maps_in_either_order() -> None:
    def f(x: Any, scale: Any = 1.0) -> Any:
        return nnp.sum(nnp.sin(x) * x) * scale

    inner = jit(f)
    want = np.cos(X) * X + np.sin(X)
    for g in (jit(grad(inner)), grad(inner), jit(jit(grad(f)))):
        np.testing.assert_allclose(g(X), want, rtol=1e-12)
        np.testing.assert_allclose(g(X, scale=2.0), 2 * want, rtol=1e-12)
    second = np.diag(2 * np.cos(X) - X * np.sin(X))
    np.testing.assert_allclose(jit(hessian(inner))(X), second, rtol=1e-12, atol=1e-15)
    stack = np.stack([X, 2 * X])
    rows = [float(f(row)) for row in stack]
    for g in (vmap(inner), jit(vmap(f)), jit(vmap(inner))):
        np.testing.assert_allclose(g(stack), rows, rtol=1e-12)
    np.testing.assert_allclose(jit(lambda x, t: jvp(inner, (x,), (t,))[1])(X, X), want @ X, rtol=1e-12)


def test_closure_over_a_traced_value_is_not_compiled_in() -> None:
    native = jit(lambda y, x=None: y * 2.0)

    def f(x: Any) -> Any:
        return nnp.sum(jit(lambda y: y * x)(X)) + nnp.sum(native(X))

    np.testing.assert_allclose(grad(f)(3.0), X.sum())


def test_rule_of_ones_own_is_gone_when_it_is_compiled() -> None:
    @custom_jvp
    def tenfold(x: Any) -> Any:
        return x * x

    tenfold.defjvp(lambda primals, tangents: (tenfold(*primals), 10.0 * tangents[0]))

    @custom_vjp
    def clipped(x: Any) -> Any:
        return x * 1.0

    clipped.defvjp(lambda x: (x, None), lambda _, g: (nnp.clip(g, -1.0, 1.0),))

    def both(x: Any) -> Any:
        value = nnp.sum(nnp.exp(tenfold(x)) + 5.0 * clipped(x))
        return value, grad(lambda x: nnp.sum(tenfold(x) + 5.0 * clipped(x)))(x)

    value, gradient = jit(both)(X)
    np.testing.assert_allclose(value, np.sum(np.exp(X * X) + 5 * X), rtol=1e-12)
    np.testing.assert_array_equal(gradient, np.full(3, 11.0))


# fmt: off
MISTAKES = (
    ("function",  lambda: jit(lambda f: f)(np.tanh), "jit: an argument is a ufunc; expected arrays, numbers"),
    ("complex",   lambda: jit(lambda x: x)(1j),      "dtype complex128 is not supported; valid: f32, f64"),
    ("if",        lambda: jit(lambda x: x if x > 0 else -x)(1.0), "use nnjit.numpy.where instead of `if`"),
)
# fmt: on


@pytest.mark.parametrize(("run", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_says_what_is_allowed(run: Callable[[], Any], message: str) -> None:
    with pytest.raises((GraphError, TypeError), match=message):
        run()


def test_a_new_function_can_be_called_from_several_threads_at_once() -> None:
    f = jit(lambda x: nnp.sum(nnp.sin(x) * 1.37 + nnp.tanh(x) ** 2))
    begin, found = threading.Barrier(4), []

    def call() -> None:
        begin.wait()
        found.append(float(f(np.full(5, 0.3))))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4
