"""`cond`: the branch taken, its derivatives of any order, and nothing from the other branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import (
    check_grads,
    cond,
    custom_jvp,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    make_graph,
    scan,
    trace,
    vjp,
    vmap,
)
from nnjit.codegen import jit
from nnjit.errors import GraphError
from nnjit.ir import B, array_type, interpret, verify
from nnjit.passes import optimize

POINTS = (2.0, 0.0, -1.5)
STACK = np.array(POINTS)


def forward(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: jvp(f, (x,), (1.0,))[1]


def logarithm(x: Any) -> Any:
    """Log x above 0, else 0 x: the logarithm is NaN or -inf wherever it is not taken."""
    return cond(x > 0, nnp.log, lambda x: 0 * x, x)


def root_read_from_around(x: Any) -> Any:
    """The same for the root, of a value that the branches close over, nested twice."""
    y = x * 1.0
    root = lambda: cond(y < 100.0, lambda: nnp.sqrt(y), lambda: nnp.log(-y))  # noqa: E731
    return cond(x > 0, root, lambda: 0 * y)


WANTED = {
    logarithm: lambda x: (np.log(x), 1 / x, -1 / x**2, 2 / x**3),
    root_read_from_around: lambda x: (x**0.5, 0.5 * x**-0.5, -0.25 * x**-1.5, 0.375 * x**-2.5),
}
each_function = pytest.mark.parametrize("f", WANTED, ids=lambda f: f.__name__)


def wanted(f: Callable[..., Any], order: int) -> list[float]:
    return [WANTED[f](x)[order] if x > 0 else 0.0 for x in POINTS]


@each_function
@pytest.mark.parametrize("outer", [grad, forward], ids=["reverse", "forward"])
@pytest.mark.parametrize("inner", [grad, forward], ids=["reverse", "forward"])
def test_no_nan_of_the_other_branch_shows_in_any_mode_or_order(f: Any, outer: Any, inner: Any) -> None:
    orders = (f, inner(f), outer(inner(f)), inner(outer(inner(f))))
    for order, function in enumerate(orders):
        np.testing.assert_allclose([function(x) for x in POINTS], wanted(f, order), rtol=1e-13)


@each_function
def test_no_nan_shows_where_both_are_computed_and_one_is_selected(f: Callable[..., Any]) -> None:
    def total(x: Any) -> Any:
        return nnp.sum(vmap(f)(x))

    def all_orders(x: Any) -> Any:
        second = hessian(total)(x)
        return vmap(f)(x), grad(total)(x), vmap(grad(f))(x), second, vmap(grad(forward(f)))(x)

    second = np.diag(wanted(f, 2))
    want = (wanted(f, 0), wanted(f, 1), wanted(f, 1), second, wanted(f, 2))
    for run in (all_orders, jit(all_orders)):
        for got, expected in zip(run(STACK), want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12)
    one = jit(lambda x: (f(x), grad(f)(x), grad(grad(f))(x)))
    for x, *orders in zip(POINTS, wanted(f, 0), wanted(f, 1), wanted(f, 2), strict=True):
        np.testing.assert_allclose(one(x), orders, rtol=1e-12)


def test_only_the_branch_that_is_taken_is_evaluated() -> None:
    class Evaluated(Exception):  # no error
        pass

    def refuse(x: Any) -> Any:
        raise Evaluated

    assert float(cond(True, lambda x: x + 1, refuse, 1.0)) == 2.0
    x = array_type("f64", (3,))
    singular = lambda x: nnp.linalg.inv(nnp.outer(x, x))[0]  # noqa: E731  # LAPACK raises an error
    graph = verify(trace(lambda x: cond(x[0] > 0, lambda x: 2 * x, singular, x), [x]))
    np.testing.assert_array_equal(interpret(graph, [np.ones(3)])[0], 2 * np.ones(3))
    with pytest.raises(np.linalg.LinAlgError):
        interpret(graph, [-np.ones(3)])
    whole = verify(trace(lambda a, x: vmap(lambda x: cond(a > 0, lambda x: 2 * x, singular, x))(x),
                         [array_type("f64"), array_type("f64", (2, 3))]))  # fmt: skip
    np.testing.assert_array_equal(interpret(whole, [np.array(1.0), np.ones((2, 3))])[0], np.full((2, 3), 2.0))


def step(p: Any, x: Any, how: str, n: int) -> Any:
    """Results and operands of several structures and dtypes, and values from around."""
    y = nnp.tanh(x) * p["scale"]
    return cond(
        nnp.sum(x) > 0,
        lambda p, x, how, n: {"y": (x @ p["w"]) ** n, "z": [nnp.sum(y), n], "none": None},
        lambda p, x, how, n: {"y": x[:2] * y[0], "z": [p["scale"], 7], "none": None},
        p, x, how, n,
    )  # fmt: skip


W = {"w": np.arange(6.0).reshape(3, 2) / 7, "scale": 1.3}
X = np.array([0.4, -0.2, 0.9])


@pytest.mark.parametrize("x", [X, -X], ids=["true", "false"])
def test_structures_words_and_values_from_around(x: np.ndarray) -> None:
    def floats(p: Any, x: Any) -> Any:
        out = step(p, x, "word", 2)
        return out["y"], out["z"][0]

    assert step(W, x, "word", 2)["none"] is None
    want = floats(W, x)
    for got, expected in zip(
        interpret(make_graph(floats)(W, x), [np.array(W["scale"]), W["w"], x]), want, strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-14)
    for mode in (jacfwd, jacrev):
        check_grads(lambda p, x, mode=mode: mode(floats, argnums=1)(p, x), [W, x], tolerance=1e-5)
    check_grads(floats, [W, x])


def test_python_number_takes_the_dtype_of_the_other_branch() -> None:
    types = [array_type("f32")]
    graph = trace(lambda x: cond(x > 0, lambda: x, lambda: 0.0), types)
    assert str(graph.outputs[0].type) == "f32[]"
    assert str(trace(lambda x: cond(x > 0, lambda: 1, lambda: 0.0), types).outputs[0].type) == "f64[]"


def test_number_is_a_predicate_that_holds_where_it_is_not_zero() -> None:
    f = make_graph(lambda x: cond(x, lambda: 1.0, lambda: 2.0))
    assert [float(interpret(f(x), [np.float64(x)])[0]) for x in (0.0, -3.0)] == [2.0, 1.0]


def test_it_works_on_all_rows_of_a_batch_and_inside_rules_and_transposes() -> None:
    rows = array_type("f64", (B, 3))
    f = lambda x: cond(nnp.sum(x) > 0, lambda x: nnp.sqrt(x), lambda x: x * 2, x)  # noqa: E731
    graph = verify(optimize(trace(lambda x: grad(lambda x: nnp.sum(f(x)))(x), [rows])))
    assert not any(n.primitive.name == "switch" for n in graph.nodes)
    np.testing.assert_array_equal(interpret(graph, [-np.ones((4, 3))])[0], np.full((4, 3), 2.0))

    @custom_jvp
    def ruled(x: Any) -> Any:
        return logarithm(x)

    ruled.defjvp(lambda primals, tangents: (ruled(*primals), cond(primals[0] > 0, lambda: 10 * tangents[0],
                                                                  lambda: tangents[0])))  # fmt: skip
    assert [float(grad(ruled)(x)) for x in (2.0, -1.0)] == [10.0, 1.0]
    assert float(vjp(logarithm, 2.0)[1](3.0)[0]) == 1.5
    assert float(linearize(logarithm, 2.0)[1](3.0)) == 1.5


def test_loop_of_conds_stays_small() -> None:
    """Each closes over the one before; copied whole, they would double each time."""

    def f(x: Any) -> Any:
        for _ in range(40):
            before = x
            x = cond(before > 1.0, lambda b=before: b / 2, lambda b=before: b * 3)
        return x

    graph = make_graph(grad(f))(0.7)
    assert len(str(graph)) < 40_000
    assert np.isfinite(interpret(graph, [np.array(0.7)])[0])


def test_step_of_a_scan_may_take_a_branch() -> None:
    def product(xs: Any) -> Any:
        """The product of the logarithms of elements above 0."""
        step = lambda c, x: (cond(x > 0, lambda: nnp.log(x) * c, lambda: c), None)  # noqa: E731
        return scan(step, 1.5, xs)[0]

    xs = np.array([2.0, -1.0, 3.0])
    want = (1.5 * np.log(2) * np.log(3), [0.75 * np.log(3), 0.0, 0.5 * np.log(2)])
    for run in (lambda f: f, jit):
        value, gradient = run(lambda xs: (product(xs), grad(product)(xs)))(xs)
        assert float(value) == pytest.approx(want[0], rel=1e-13)
        np.testing.assert_allclose(gradient, want[1], rtol=1e-13)


# fmt: off
MISTAKES = (
    ("predicate", lambda x: cond(x > 0, lambda: 1.0, lambda: 0.0),
     r"cond: the predicate is b1\[3\]; expected one truth value; use nnjit.numpy.where"),
    ("structures", lambda x: cond(x[0] > 0, lambda: {"a": x}, lambda: [x, 1]),
     r"different structures, \{'a': \*\} and \[\*, \*\]"),
    ("shapes", lambda x: cond(x[0] > 0, lambda: (1.0, x), lambda: (1.0, x[0])),
     r"cond: result 1 of the branches is f64\[3\] and f64\[\]; all must have the same type: use nnjit"),
    ("dtypes", lambda x: cond(x[0] > 0, lambda: x, lambda: nnp.astype(x, "f32")),
     r"result 0 of the branches is f64\[3\] and f32\[3\]"),
    ("none", lambda x: cond(x[0] > 0, lambda: x, lambda: None), r"different structures, \* and None"),
)
# fmt: on


@pytest.mark.parametrize(("f", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_says_what_is_right(f: Callable[..., Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        trace(f, [array_type("f64", (3,))])
