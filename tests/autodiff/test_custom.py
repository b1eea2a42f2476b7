"""Custom rules, linearization, stopped gradients, and graphs as text."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import (
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    make_graph,
    stop_gradient,
    vjp,
    vmap,
)
from nnjit.codegen import jit
from nnjit.errors import GraphError

X = np.array([0.3, -0.7, 1.1])


@custom_jvp
def log1pexp(x: Any) -> Any:
    return nnp.log(1 + nnp.exp(x))


@log1pexp.defjvp
def _rule(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return log1pexp(x), t * (1 - 1 / (1 + nnp.exp(x)))


@custom_vjp
def scaled(p: Any, x: Any) -> Any:
    """Its rule is wrong on purpose: the cotangent of x is ten times too large, the cotangent of w zero."""
    return {"y": p["w"] * x, "z": p["b"] + x}


scaled.defvjp(
    lambda p, x: ({"y": p["w"] * x, "z": p["b"] + x}, (p, x)),
    lambda residuals, g: ({"w": g["y"] * 0.0, "b": g["z"]}, 10.0 * g["y"] * residuals[0]["w"] + g["z"]),
)


def test_rule_is_used_by_both_modes_at_any_order() -> None:
    with np.errstate(over="ignore"):
        assert float(log1pexp(800.0)) == np.inf
    assert float(grad(log1pexp)(800.0)) == 1.0
    assert float(jvp(log1pexp, (800.0,), (2.0,))[1]) == 2.0
    s = 1 / (1 + np.exp(-0.3))
    for f in (grad(grad(log1pexp)), jacfwd(grad(log1pexp)), grad(jacfwd(log1pexp)), hessian(log1pexp)):
        assert float(f(0.3)) == pytest.approx(s * (1 - s), rel=1e-14)


def test_rule_over_structures_gives_each_leaf_its_cotangent() -> None:
    def f(p: Any, x: Any) -> Any:
        out = scaled(p, x)
        return nnp.sum(out["y"] * out["y"]) + nnp.sum(out["z"])

    p = {"w": X, "b": np.ones(3)}
    for made in (grad(f, argnums=(0, 1)), jacfwd(f, argnums=(0, 1)), jacrev(f, argnums=(0, 1))):
        gp, gx = made(p, 2.0 * X)
        np.testing.assert_array_equal(gp["w"], np.zeros(3))
        np.testing.assert_array_equal(gp["b"], np.ones(3))
        np.testing.assert_allclose(gx, 10.0 * 2 * (2 * X * X) * X + 1.0)


def test_rule_composes_with_vmap_and_jit_in_either_order() -> None:
    big = np.array([800.0, 0.0])
    np.testing.assert_array_equal(vmap(grad(log1pexp))(big), [1.0, 0.5])
    np.testing.assert_array_equal(grad(lambda x: nnp.sum(vmap(log1pexp)(x)))(big), [1.0, 0.5])
    np.testing.assert_array_equal(jit(lambda x: grad(lambda x: nnp.sum(log1pexp(x)))(x))(big), [1.0, 0.5])
    np.testing.assert_allclose(jit(log1pexp)(X), log1pexp(X), rtol=1e-14)


def test_argument_that_is_no_traced_value_needs_no_cotangent() -> None:
    @custom_vjp
    def power(x: Any, n: int) -> Any:
        return x**n

    power.defvjp(lambda x, n: (x**n, (x, n)), lambda r, g: (g * r[1] * r[0] ** (r[1] - 1), None))
    assert float(grad(power)(2.0, 3)) == 12.0
    assert float(jvp(lambda x: power(x, 3), (2.0,), (1.0,))[1]) == 12.0


@partial(custom_jvp, nondiff_argnums=(3,))
def same(x: Any) -> Any:
    return x


same.defjvp(lambda known, primals, tangents: (primals[0], tangents[0]))


@custom_vjp
def shifted(x: Any, scale: Any = 2.0, *, shift: float = 1.0) -> Any:
    return x * scale + shift


shifted.defvjp(lambda x, scale: (x * scale + 1.0, (x, scale)), lambda r, g: (g * r[1], 100.0 * g * r[0]))


@custom_jvp
def raised(x: Any, n: Any = 3.0) -> Any:
    return x**n


raised.defjvp(lambda primals, tangents: (raised(*primals), 10.0 * tangents[0] + tangents[1]))


def test_arguments_by_name_reach_a_rule_by_position() -> None:
    assert float(grad(lambda x: shifted(scale=3.0, x=x))(2.0)) == 3.0
    assert float(grad(lambda s: shifted(2.0, scale=s))(3.0)) == 200.0
    assert float(grad(shifted)(2.0)) == 2.0  # a default too
    assert float(grad(lambda x: raised(n=2.0, x=x))(3.0)) == 10.0
    assert float(jvp(lambda n: raised(3.0, n=n), (2.0,), (1.0,))[1]) == 1.0
    assert float(jit(grad(lambda x: shifted(x, scale=x)))(2.0)) == pytest.approx(202.0, rel=1e-12)


@partial(custom_vjp, nondiff_argnums=(0, 2))
def applied(function: Any, x: Any, n: int) -> Any:
    return function(x) * n


applied.defvjp(
    lambda function, x, n: (function(x) * n, x), lambda function, n, x, g: (100.0 * g * n * function(x),)
)


@partial(custom_jvp, nondiff_argnums=(0,))
def run(function: Any, x: Any) -> Any:
    return function(x)


run.defjvp(lambda function, primals, tangents: (run(function, *primals), 5.0 * function(*tangents)))


def test_known_arguments_come_first_in_a_rule() -> None:
    assert float(grad(lambda x: applied(lambda v: v * v, x, 3))(2.0)) == 1200.0
    assert float(jvp(lambda x: applied(lambda v: v * v, x, n=3), (2.0,), (1.0,))[1]) == 1200.0
    np.testing.assert_array_equal(vmap(grad(lambda x: run(lambda v: 2 * v, x)))(X), np.full(3, 10.0))
    with pytest.raises(GraphError, match="applied: argument 2 is traced; remove it from nondiff_argnums"):
        grad(lambda n: applied(lambda v: v, 2.0, n))(3.0)
    with pytest.raises(GraphError, match="same: nondiff_argnums has 3, but there are 1 arguments"):
        grad(same)(2.0)


def test_cotangent_of_a_part_may_be_none() -> None:
    f = custom_vjp(lambda p: p["w"] * p["b"][0])
    f.defvjp(lambda p: (p["w"] * p["b"][0], p), lambda p, g: ({"w": g * p["b"][0], "b": None},))
    g = grad(f)({"w": 2.0, "b": [3.0]})
    assert (float(g["w"]), float(g["b"][0])) == (3.0, 0.0)


def test_function_without_its_rule_says_so() -> None:
    with pytest.raises(GraphError, match="f has no rule yet; define it with defjvp"):
        grad(custom_jvp(lambda x: x).__class__(f))(1.0)
    with pytest.raises(GraphError, match="f has no rules yet"):
        grad(custom_vjp(f))(1.0)


def f(x: Any) -> Any:
    return nnp.sin(x) * x


def test_linearize_is_jvp_computed_once() -> None:
    value, push = linearize(f, X)
    np.testing.assert_allclose(value, np.sin(X) * X)
    for t in np.eye(3):
        np.testing.assert_allclose(push(t), jvp(f, (X,), (t,))[1], rtol=1e-15)
    _, push = linearize(lambda p: {"y": p[0] * p[1]}, (X, 2.0))
    np.testing.assert_allclose(push((np.ones(3), 1.0))["y"], 2.0 + X)
    assert float(grad(lambda x: linearize(f, x)[1](1.0))(0.3)) == pytest.approx(
        2 * np.cos(0.3) - 0.3 * np.sin(0.3)
    )


def test_aux_of_vjp_and_jvp_is_the_third() -> None:
    _, back, aux = vjp(lambda x: (x * x, {"x": x}), X, has_aux=True)
    np.testing.assert_array_equal(back(np.ones(3))[0], 2 * X)
    np.testing.assert_array_equal(aux["x"], X)
    assert [float(v) for v in jvp(lambda x: (x * x, 3 * x), (2.0,), (1.0,), has_aux=True)] == [4.0, 4.0, 6.0]


def test_stop_gradient_takes_structures() -> None:
    g = grad(lambda p: p["a"] * stop_gradient(p)["a"] * stop_gradient([p["b"]])[0])({"a": 3.0, "b": 2.0})
    assert (float(g["a"]), float(g["b"])) == (6.0, 0.0)


def test_graph_as_text_names_the_arguments() -> None:
    def cost(params: Any, x: Any, *, scale: Any) -> Any:
        return nnp.sum(params["w"] * x + params["b"]) * scale

    text = str(make_graph(cost)({"w": X, "b": 1.0}, X, scale=2.0))
    assert text.splitlines() == [
        "params_0: f64[]",
        "params_1: f64[3]",
        "x: f64[3]",
        "scale: f64[]",
        "mul_1: f64[3] = mul(params_1, x)",
        "broadcast_1: f64[3] = broadcast(params_0, shape=(3,), axes=())",
        "add_1: f64[3] = add(mul_1, broadcast_1)",
        "reduce_sum_1: f64[] = reduce_sum(add_1, axes=(0,))",
        "mul_2: f64[] = mul(reduce_sum_1, scale)",
        "return mul_2",
    ]
    assert repr(make_graph(grad(cost, argnums=1))({"w": X, "b": 1.0}, X, scale=2.0)).startswith(
        "params_0: f64[]"
    )
    graph = make_graph(lambda x, *, b, a, **others: x + b * a - others["c"])(1.0, b=2.0, a=3.0, c=4.0)
    assert "mul_1: f64[] = mul(b, a)" in str(graph)
    assert str(make_graph(lambda *xs: xs[0] + xs[1])(1.0, 2.0)).startswith("xs_0: f64[]\nxs_1")
