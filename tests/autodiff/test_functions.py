"""grad and related functions of functions: nesting, closures, structures, mistakes, long chains."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import nnjit.numpy as nnp
from nnjit.autodiff import (
    check_grads,
    grad,
    jacfwd,
    jvp,
    linearize,
    make_graph,
    pull_back,
    push_forward,
    trace,
    value_and_grad,
    vjp,
    vmap,
)
from nnjit.ir import Graph, array_type, constant, interpret, new_input, topological
from nnjit.ir.graph import constant_p, input_p
from nnjit.passes import optimize


def derivative(f: Callable[..., Any]) -> Callable[[Any], Any]:
    """The derivative by forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


@pytest.mark.parametrize("outer", [grad, derivative], ids=["grad", "jvp"])
@pytest.mark.parametrize("inner", [grad, derivative], ids=["grad", "jvp"])
def test_perturbations_are_not_confused(outer: Callable[..., Any], inner: Callable[..., Any]) -> None:
    """d/dx [x · d/dy (x + y)] = 1 (Siskind & Pearlmutter 2005); confused, it would be 2."""
    assert float(outer(lambda x: x * inner(lambda y: x + y)(1.0))(3.0)) == 1.0
    assert float(outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0)) == 6.0


@pytest.mark.parametrize("outer", [grad, derivative], ids=["grad", "jvp"])
@pytest.mark.parametrize("middle", [grad, derivative], ids=["grad", "jvp"])
@pytest.mark.parametrize("inner", [grad, derivative], ids=["grad", "jvp"])
def test_third_derivative_by_any_modes(outer: Any, middle: Any, inner: Any) -> None:
    assert float(outer(middle(inner(lambda x: x**5)))(2.0)) == pytest.approx(240.0)


def test_closure_over_a_value_that_is_being_differentiated() -> None:
    def f(x: Any) -> Any:
        y = nnp.sin(x)
        return grad(lambda z: z * z * y * x)(y)  # 2 y · y x

    x = 0.7
    want = 4 * np.sin(x) * np.cos(x) * x + 2 * np.sin(x) ** 2
    assert float(grad(f)(x)) == pytest.approx(want, rel=1e-14)


def test_inner_derivative_at_a_point_that_depends_on_the_outer_variable() -> None:
    f = grad(lambda x: jvp(nnp.exp, (x * x,), (x,))[1])  # x e^(x²)
    assert float(f(0.5)) == pytest.approx(1.5 * np.exp(0.25), rel=1e-14)


def test_pull_back_of_vjp_can_be_called_inside_another_trace() -> None:
    _, back = vjp(lambda x: x**3, 2.0)
    assert float(back(1.0)[0]) == 12.0
    assert float(grad(lambda u: back(u)[0])(5.0)) == 12.0


def test_gradient_goes_through_a_traced_function() -> None:
    graph = trace(lambda x: grad(lambda y: nnp.sum(y**3))(x), [array_type("f64", (2,))])
    assert len(graph.inputs) == 1
    assert str(graph.outputs[0].type) == "f64[2]"


def test_argnums_choose_the_arguments() -> None:
    def f(x: Any, y: Any, z: Any) -> Any:
        return x * y**2 + z

    assert float(grad(f)(2.0, 3.0, 1.0)) == 9.0
    assert float(grad(f, argnums=1)(2.0, 3.0, 1.0)) == 12.0
    assert [float(g) for g in grad(f, argnums=(2, 0))(2.0, 3.0, 1.0)] == [1.0, 9.0]
    assert float(grad(lambda x, scale: scale * x)(2.0, scale=3.0)) == 3.0


def test_aux_is_passed_through_as_arrays() -> None:
    def f(x: Any) -> Any:
        y = x * x
        return nnp.sum(y), {"square": y, "label": 7}

    gradient, aux = grad(f, has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(gradient, [2.0, 4.0])
    np.testing.assert_array_equal(aux["square"], [1.0, 4.0])
    text = grad(lambda x: (x * x, {"name": "square", "none": None, "of": len}), has_aux=True)(3.0)[1]
    assert text == {"name": "square", "none": None, "of": len}
    (value, _), again = value_and_grad(f, has_aux=True)(np.array([1.0, 2.0]))
    assert float(value) == 5.0
    np.testing.assert_array_equal(again, gradient)


class Layer(NamedTuple):
    weight: Any
    bias: Any


def test_gradient_has_the_structure_of_its_argument() -> None:
    params = {"b": [Layer(np.ones((2, 3)), np.ones(3)), Layer(np.ones(3), 2.0)], "a": (np.asarray(1.0),)}

    def f(p: Any, x: Any) -> Any:
        h = nnp.tanh(x @ p["b"][0].weight + p["b"][0].bias)
        return (h @ p["b"][1].weight + p["b"][1].bias) * p["a"][0]

    g = grad(f)(params, np.array([0.1, 0.2]))
    assert isinstance(g["b"][0], Layer)
    assert isinstance(g["a"], tuple)
    assert np.shape(g["b"][0].weight) == (2, 3)
    assert float(g["b"][1].bias) == 1.0
    check_grads(lambda p: f(p, np.array([0.1, 0.2])), [params])


def test_none_is_a_structure_without_leaves() -> None:
    params = {"w": np.ones(2), "b": None, "layers": [None, (3.0, None)]}

    def f(p: Any) -> Any:
        return nnp.sum(p["w"]) * p["layers"][1][0] + (0.0 if p["b"] is None else p["b"])

    g = grad(f)(params)
    assert g["b"] is None
    assert g["layers"][0] is None
    assert float(g["layers"][1][0]) == 2.0
    assert jvp(f, (params,), (params,))[1] == 12.0
    np.testing.assert_array_equal(jacfwd(lambda p: (p["w"], None))(params)[0]["w"], np.eye(2))


def test_argument_that_is_not_used_has_gradient_zero() -> None:
    np.testing.assert_array_equal(grad(lambda x, y: y * 2.0)(np.ones(3), 1.0), np.zeros(3))
    assert float(grad(lambda x: 3.0)(1.0)) == 0.0
    assert float(jvp(lambda x: 3.0, (1.0,), (1.0,))[1]) == 0.0


def test_integer_arguments_may_stand_beside_those_of_the_gradient() -> None:
    labels = np.array([0, 2], np.int32)
    g = grad(lambda x, y: nnp.sum(x * nnp.one_hot(y, 3, "f64")))(np.ones((2, 3)), labels)
    np.testing.assert_array_equal(g, np.eye(3)[labels])


def chain(n: int, by: float = 1.0001) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        for _ in range(n):
            x = x * by
        return x

    return f


def test_chain_of_50000_operations_differentiates_without_recursion() -> None:
    value, gradient = value_and_grad(chain(50_000))(1.0)
    assert float(value) == float(gradient)
    assert float(gradient) == pytest.approx(1.0001**50_000, rel=1e-10)  # 50,000 roundings


@pytest.mark.parametrize(
    "run",
    [
        lambda f: jvp(f, (1.0,), (1.0,))[1],
        lambda f: linearize(f, 1.0)[1](1.0),
        lambda f: vjp(f, 1.0)[1](1.0)[0],
        lambda f: vmap(grad(f))(np.ones(2))[0],
        lambda f: jacfwd(grad(lambda x: f(x) * x / 2))(1.0),
        lambda f: interpret(make_graph(grad(f))(1.0), [np.asarray(1.0)])[0],
    ],
    ids=["jvp", "linearize", "vjp", "vmap", "jacfwd of grad", "make_graph"],
)
def test_long_chain_needs_no_recursion_in_any_transformation(run: Callable[..., Any]) -> None:
    n = 2 * sys.getrecursionlimit()
    assert float(run(chain(n))) == pytest.approx(1.0001**n, rel=1e-10)


def repeated(step: Callable[[Any], Any], point: Any) -> Callable[[int], tuple[Callable[[Any], Any], Any]]:
    """A function of one number, of this many steps and a sum, and a point to differentiate it at."""

    def scalar(n: int) -> tuple[Callable[[Any], Any], Any]:
        def f(x: Any) -> Any:
            for _ in range(n):
                x = step(x)
            return nnp.sum(x)

        return f, point

    return scalar


def network(n: int) -> tuple[Callable[[Any], Any], Any]:
    def f(params: Any) -> Any:
        x: Any = np.ones((5, 3))
        for w, b in params:
            x = nnp.tanh(nnp.dot(x, w) + b)
        return nnp.sum(x**2)

    return f, [(np.eye(3), np.ones(3))] * n


def rosenbrock(n: int) -> tuple[Callable[[Any], Any], Any]:
    def f(x: Any) -> Any:
        return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(n))

    return f, np.ones(n + 1)


# fmt: off
LENGTHS: dict[str, Callable[[int], tuple[Callable[[Any], Any], Any]]] = {
    "products":   repeated(lambda x: x * 1.0001, 1.0),
    "tanh":       repeated(nnp.tanh, 1.0),
    "sin, exp":   repeated(lambda x: nnp.sin(x) * nnp.exp(-x), 1.0),
    "quotients":  repeated(lambda x: x / (1 + x * x), 1.0),
    "powers":     repeated(lambda x: (1 + x) ** 0.3, 1.0),
    "logs":       repeated(lambda x: nnp.log(2 + nnp.abs(x)), 1.0),
    "rectifiers": repeated(lambda x: nnp.relu(x) - 0.5, 1.0),
    "logsumexp":  repeated(lambda x: x + nnp.logsumexp(x), np.ones(3)),
    "softmax":    repeated(nnp.softmax, np.ones(3)),
    "network":    network,
    "rosenbrock": rosenbrock,
}
# fmt: on


def operations(graph: Graph) -> int:
    return sum(node.primitive not in (input_p, constant_p) for node in graph.nodes)


@pytest.mark.parametrize("of_length", LENGTHS.values(), ids=LENGTHS)
def test_gradient_takes_at_most_five_times_the_operations_of_the_function(of_length: Any) -> None:
    f, point = of_length(20)
    own, gradient = (operations(optimize(make_graph(g)(point))) for g in (f, grad(f)))
    assert gradient <= 5 * own


@pytest.mark.parametrize("of_length", [LENGTHS[name] for name in ("tanh", "network", "rosenbrock")])
def test_graph_of_a_gradient_grows_as_the_function_does(of_length: Any) -> None:
    few, many = (len(make_graph(grad(f))(point).nodes) for f, point in map(of_length, (100, 1000)))
    assert many <= 10.5 * few


def test_gradient_of_a_chain_is_as_long_as_the_chain() -> None:
    """Reverse mode visits a node once, however many paths lead to it: 2^50 here."""
    x = new_input(array_type("f64"))
    y = x
    for _ in range(50):
        y = y + y
    (g,) = pull_back([y], [x], [constant(1.0)])
    assert len(topological([g])) < 200
    assert float(grad(lambda x: sum_of_doubles(x, 50))(1.0)) == 2.0**50


def sum_of_doubles(x: Any, n: int) -> Any:
    for _ in range(n):
        x = x + x
    return x


def test_derivatives_can_be_taken_at_nodes_inside_a_graph() -> None:
    x = new_input(array_type("f64"))
    y = nnp.sin(x)
    z = y * y * x
    (g,) = pull_back([z], [y], [constant(1.0)])  # x is held fixed: 2 y x
    (t,) = push_forward([z], [y], [constant(1.0)])
    at = trace(lambda v: 2 * nnp.sin(v) * v, [array_type("f64")])
    from nnjit.ir import Graph

    want = interpret(at, [np.asarray(0.3)])[0]
    for node in (g, t):
        assert float(interpret(Graph((x,), (node,)), [np.asarray(0.3)])[0]) == pytest.approx(
            float(want), rel=1e-15
        )


def test_check_grads_finds_a_wrong_derivative() -> None:
    check_grads(lambda x: nnp.sin(x) * x, [np.array([0.3, 2.0])])
    with pytest.raises(AssertionError, match="forward mode gives"):
        check_grads(lambda x: nnp.stop_gradient(nnp.sin(x)) * x, [np.array([0.3, 2.0])])
