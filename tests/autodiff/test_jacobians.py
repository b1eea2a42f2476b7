"""Jacobians, Hessians and their products: structure, modes, orders, and against differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import nnjit.numpy as nnp
from nnjit.autodiff import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, vmap
from nnjit.codegen import jit
from nnjit.errors import GraphError

A = np.arange(6.0).reshape(2, 3) / 7
X = np.array([0.3, -0.7, 1.1])
each_mode = pytest.mark.parametrize("mode", [jacobian, jacfwd, jacrev], ids=lambda f: f.__name__)


def central(f: Callable[[np.ndarray], Any], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The Jacobian by central differences, with an error of about step² + 1e-16 / step."""
    columns = [
        (np.asarray(f(x + step * t)) - f(x - step * t)) / (2 * step)
        for t in np.eye(x.size).reshape(x.size, *x.shape)
    ]
    out = np.stack(columns, axis=-1)
    return out.reshape(*out.shape[:-1], *x.shape)


@each_mode
@pytest.mark.parametrize(
    "f",
    [
        lambda x: A @ nnp.tanh(x),
        lambda x: nnp.sum(x * x),
        lambda x: nnp.stack([x, x * x]),
        lambda x: x.T @ A.T,
    ],
    ids=["matrix", "scalar", "stack", "product"],
)
def test_jacobian_is_that_of_differences(mode: Any, f: Callable[..., Any]) -> None:
    got = mode(f)(X)
    assert isinstance(got, np.ndarray)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, central(f, X), atol=1e-9)


@each_mode
def test_axes_are_those_of_the_result_and_then_of_the_argument(mode: Any) -> None:
    assert mode(lambda x: A.T @ x)(np.ones((2, 4))).shape == (3, 4, 2, 4)
    assert mode(lambda x: x * 2.0)(3.0).shape == ()
    assert mode(lambda x: x)(np.ones(0)).shape == (0, 0)
    assert mode(nnp.tanh)(np.float32([1, 2])).dtype == np.float32


@each_mode
def test_jacobian_has_the_structure_of_the_result_and_of_the_arguments(mode: Any) -> None:
    def f(p: Any, y: Any, scale: float) -> Any:
        return {"a": p["w"] * y[0] * scale, "b": (nnp.sum(p["w"]), p["c"])}

    out = mode(f, argnums=(0, 1))({"w": X, "c": 2.0}, [3.0], scale=2.0)
    assert out["b"][1][0]["c"] == 1.0
    np.testing.assert_array_equal(out["a"][0]["w"], 6.0 * np.eye(3))
    np.testing.assert_array_equal(out["a"][1][0], 2.0 * X)
    np.testing.assert_array_equal(out["b"][0][0]["w"], np.ones(3))


@each_mode
def test_aux_stands_beside_the_jacobian(mode: Any) -> None:
    jac, aux = mode(lambda x: (x * x, {"twice": 2 * x}), has_aux=True)(X)
    np.testing.assert_allclose(jac, np.diag(2 * X))
    np.testing.assert_array_equal(aux["twice"], 2 * X)


def test_mode_is_the_one_of_fewer_passes_and_can_be_asked() -> None:
    assert jacobian(lambda x: nnp.sum(x * x)).mode(X) == "reverse"
    assert jacobian(lambda x: x * X).mode(2.0) == "forward"
    assert jacobian(nnp.tanh).mode(X) == "reverse"
    assert jacfwd(nnp.tanh).mode(X) == "forward"


MODES = {"grad": grad, "jacfwd": jacfwd, "jacrev": jacrev}


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_all_mixtures_of_modes_agree_up_to_order_4(order: int) -> None:
    want = [None, 5.0 * 2**4, 20.0 * 2**3, 60.0 * 2**2, 120.0 * 2][order]
    for modes in itertools.product(MODES.values(), repeat=order):
        f: Callable[..., Any] = lambda x: x**5  # noqa: E731
        for mode in modes:
            f = mode(f)
        assert float(f(2.0)) == pytest.approx(want)


@pytest.mark.parametrize("inner", MODES.values(), ids=MODES)
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_function_that_takes_a_derivative_of_what_it_closes_over_has_all_of_its_own(
    inner: Any, order: int
) -> None:
    """With y = x, x · d/dy (x y³) is 3 x⁴; if both variables were confused, 4 x⁴."""
    want = [3 * 2.0**4, 12 * 2.0**3, 36 * 2.0**2, 72 * 2.0][order]
    for modes in itertools.product(MODES.values(), repeat=order):
        f: Callable[..., Any] = lambda x: x * inner(lambda y: x * y**3)(x)  # noqa: E731
        for mode in modes:
            f = mode(f)
        assert float(f(2.0)) == pytest.approx(want)


@pytest.mark.parametrize("outer", [jacfwd, jacrev], ids=lambda f: f.__name__)
@pytest.mark.parametrize("inner", [jacfwd, jacrev], ids=lambda f: f.__name__)
def test_second_order_of_a_vector_function_by_any_modes(outer: Any, inner: Any) -> None:
    got = outer(inner(lambda x: A @ (x * x * x[::1])))(X)
    want = np.zeros((2, 3, 3))
    for k in range(3):
        want[:, k, k] = 6 * A[:, k] * X[k]
    np.testing.assert_allclose(got, want, atol=1e-14)


@pytest.mark.parametrize("outer", [grad, jacfwd, jacrev], ids=lambda f: f.__name__)
@pytest.mark.parametrize("inner", [grad, jacfwd, jacrev], ids=lambda f: f.__name__)
def test_perturbations_are_not_confused(outer: Any, inner: Any) -> None:
    """d/dx [x · d/dy (x + y)] = 1 (Siskind & Pearlmutter 2005); confused, it would be 2."""
    assert float(outer(lambda x: x * inner(lambda y: x + y)(1.0))(3.0)) == 1.0
    assert float(outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0)) == 6.0


def network(theta: Any) -> Any:
    """The cost of a network 2-3-1 on four examples; theta has 13 elements."""
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    hidden = nnp.tanh(x @ theta[:6].reshape(2, 3) + theta[6:9])
    out = nnp.sigmoid(hidden @ theta[9:12] + theta[12])
    return nnp.mean((out - y) ** 2)


THETA = np.random.default_rng(0).standard_normal(13)


def test_hessian_of_a_network_is_that_of_differences_of_its_gradient() -> None:
    got = hessian(network)(THETA)
    np.testing.assert_allclose(got, central(grad(network), THETA), atol=1e-8)
    np.testing.assert_allclose(got, got.T, atol=1e-15)
    v = np.random.default_rng(1).standard_normal(13)
    np.testing.assert_allclose(hvp(network)(THETA, v), got @ v, rtol=1e-12)
    np.testing.assert_allclose(jacrev(jacfwd(network))(THETA), got, atol=1e-14)


def test_hessian_of_several_arguments_has_a_block_for_each_pair() -> None:
    blocks = hessian(lambda x, y: x * x * y, argnums=(0, 1))(2.0, 3.0)
    assert [[float(b) for b in row] for row in blocks] == [[6.0, 4.0], [4.0, 0.0]]


def rosenbrock(x: Any) -> Any:
    return nnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


COMPILED = {run: (run(grad(rosenbrock)), run(hvp(rosenbrock))) for run in (jit, lambda f: f)}


@pytest.mark.parametrize("derivatives", COMPILED.values(), ids=["jit", "interpreted"])
@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "BFGS"])
def test_scipy_minimizes_rosenbrock_with_our_derivatives(method: str, derivatives: Any) -> None:
    gradient, product = derivatives
    options: dict[str, Any] = {} if method == "BFGS" else {"hessp": product}
    start = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    found = scipy.optimize.minimize(rosenbrock, start, jac=gradient, method=method, tol=1e-8, **options)
    np.testing.assert_allclose(found.x, np.ones(5), atol=1e-5)


def test_compiled_derivatives_are_those_of_the_interpreter() -> None:
    def f(x: Any) -> Any:
        return grad(rosenbrock)(x), hessian(rosenbrock)(x), jacfwd(lambda x: A @ x**2)(x)

    want = f(X)
    for got, expected in zip(jit(f)(X), want, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(grad(jit(rosenbrock))(X), want[0], rtol=1e-12)


W = np.random.default_rng(1).standard_normal((4, 3, 2))
XS = np.random.default_rng(0).standard_normal((4, 3))
MAPPED = (
    ((0, None, None), (XS, W[0], 2.0)),
    ((None, 0, None), (X, W, 2.0)),
    ((1, 0, 0), (XS.T, W, np.arange(4.0))),
    ((0, 2, None), (XS[:2], W.transpose(1, 2, 0)[:, :, :2], 1.0)),
)


@pytest.mark.parametrize(("axes", "args"), MAPPED, ids=[str(m[0]) for m in MAPPED])
def test_vmap_is_a_loop(axes: Any, args: Any) -> None:
    def f(x: Any, w: Any, y: Any) -> Any:
        return nnp.concatenate([nnp.tanh(x @ w), nnp.max(w, 0) * y]), (w.T @ x).reshape(1, 2), y * 3.0

    got = vmap(f, in_axes=axes)(*args)
    for i in range(len(got[0])):
        one = f(*(a if k is None else np.take(a, i, k) for a, k in zip(args, axes, strict=True)))
        for stack, want in zip(got, one, strict=True):
            np.testing.assert_allclose(stack[i], want, rtol=1e-13)


def test_vmap_of_grad_gives_the_gradient_of_each_example_and_nests() -> None:
    w, x = np.array([1.0, 2.0, 3.0]), np.arange(12.0).reshape(4, 3)
    gradient = grad(lambda w, x: nnp.tanh(w @ x / 10))
    each = vmap(gradient, in_axes=(None, 0))(w, x)
    np.testing.assert_allclose(each, np.stack([gradient(w, row) for row in x]))
    pairs = vmap(lambda a: vmap(lambda b: a @ b)(x))(x)
    np.testing.assert_allclose(pairs, x @ x.T)
    np.testing.assert_allclose(vmap(lambda v: v * v, out_axes=1)(x), (x * x).T)


def test_vmap_takes_arguments_by_name_and_structures_of_axes() -> None:
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0])
    np.testing.assert_array_equal(vmap(lambda v, *, scale: v * scale)(x, scale=w), x * w[:, None])
    np.testing.assert_array_equal(vmap(lambda v: v["a"] * v["b"])(v={"a": w, "b": w}), w * w)

    def f(p: Any, v: Any) -> Any:
        return {"y": v @ p["w"], "z": p["b"] * v}

    made = vmap(f, in_axes=({"w": None, "b": 0}, 1), out_axes={"y": 0, "z": 1})(
        {"w": w, "b": np.arange(3.0)}, x
    )
    np.testing.assert_array_equal(made["y"], w @ x)
    np.testing.assert_array_equal(made["z"], x * np.arange(3.0))
    np.testing.assert_array_equal(vmap(lambda a, b: (a, b), [0, None], (0, 1))(w, x)[1], np.stack([x, x], 1))


def test_vmap_of_jvp_pushes_many_tangents_at_once() -> None:
    moved = vmap(lambda t: jvp(nnp.sin, (X,), (t,))[1])(np.eye(3))
    np.testing.assert_allclose(moved, np.diag(np.cos(X)))


# fmt: off
MISTAKES = (
    ("whole numbers",  lambda: jacobian(lambda x: x)(3), r"whole numbers have no derivative; use floats"),
    ("integer result", lambda: jacobian(lambda x: nnp.astype(x, "i32"))(X), r"returns floats, got i32\[3\]"),
    ("argnums",        lambda: jacobian(lambda x: x, argnums=1)(X), "argnums has 1, but 1 positional"),
    ("has_aux",        lambda: jacobian(lambda x: x, has_aux=True)(X), r"expected a pair \(result, other\)"),
)
# fmt: on


@pytest.mark.parametrize(("run", "message"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistake_says_what_is_allowed(run: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        run()
