"""Derivatives at ties, kinks and edges, as the primitives document them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import nnjit.numpy as nnp
from nnjit import hessian, jit
from nnjit.autodiff import grad, jvp

# fmt: off
AT_A_POINT = (
    ("abs at 0",           nnp.abs,                               0.0,  0.0),
    ("abs below 0",        nnp.abs,                              -2.0, -1.0),
    ("sign at 0",          nnp.sign,                              0.0,  0.0),
    ("floor",              nnp.floor,                             1.0,  0.0),
    ("relu at 0",          nnp.relu,                              0.0,  0.0),
    ("relu above 0",       nnp.relu,                              1e-300, 1.0),
    ("maximum of equals",  lambda x: nnp.maximum(x, 1.0),         1.0,  0.5),
    ("minimum of equals",  lambda x: nnp.minimum(1.0, x),         1.0,  0.5),
    ("clip at its bound",  lambda x: nnp.clip(x, -1.0, 1.0),     -1.0,  0.5),
    ("where takes one",    lambda x: nnp.where(x > 0, x, 3 * x),  0.0,  3.0),
    ("x ** 2 at 0",        lambda x: x**2,                        0.0,  0.0),
    ("x ** 1 at 0",        lambda x: x**1,                        0.0,  1.0),
    ("x ** 0 at 0",        lambda x: x**0,                        0.0,  0.0),
    ("x ** 2.5 at 0",      lambda x: x**2.5,                      0.0,  0.0),
    ("0 ** x",             lambda x: 0.0**x,                      2.0,  0.0),
    ("hypot at 0",         lambda x: nnp.hypot(x, 0.0),           0.0,  0.0),
    ("norm at 0",          lambda x: nnp.linalg.norm(x * np.ones(2)), 0.0, 0.0),
    ("std of equals",      lambda x: nnp.std(x * np.ones(3)),     2.0,  0.0),
    ("fmax of equals",     lambda x: nnp.fmax(x, 1.0),            1.0,  0.5),
    ("fmax beside nan",    lambda x: nnp.fmax(x, np.nan),         2.0,  1.0),
    ("fmin beside nan",    lambda x: nnp.fmin(np.nan, 3 * x),     2.0,  3.0),
    ("ceil at a step",     nnp.ceil,                              1.0,  0.0),
    ("trunc at a step",    nnp.trunc,                            -1.0,  0.0),
    ("rint at a step",     nnp.rint,                              0.5,  0.0),
    ("floor_divide at a step", lambda x: x // 2.0,                4.0,  0.0),
    ("remainder at a step", lambda x: x % 2.0,                    4.0,  1.0),
    ("heaviside at 0",     lambda x: nnp.heaviside(x, 0.5),       0.0,  0.0),
    ("sinc at 0",          nnp.sinc,                              0.0,  0.0),
    ("xlogy at 0",         lambda x: nnp.xlogy(0.0, x),           0.0,  0.0),
    ("cbrt at 8",          nnp.cbrt,                              8.0,  1 / 12),
    ("prod beside a zero", lambda x: nnp.prod(nnp.stack([x, 0.0, 5.0])), 2.0, 0.0),
    ("prod of a zero",     lambda x: nnp.prod(nnp.stack([x, 2.0, 5.0])), 0.0, 10.0),
    ("cumprod of a zero",  lambda x: nnp.cumprod(nnp.stack([2.0, x, 5.0]))[2], 0.0, 10.0),
    ("logaddexp of equals", lambda x: nnp.logaddexp(x, 1.0),      1.0,  0.5),
    ("logaddexp beside -inf", lambda x: nnp.logaddexp(x, -np.inf), 1.0, 1.0),
    ("sort of equals",     lambda x: nnp.sort(nnp.stack([1.0, x]))[1], 1.0, 1.0),
    ("softplus at 1e4",    nnp.softplus,                          1e4,  1.0),
    ("softplus at -1e4",   nnp.softplus,                         -1e4,  0.0),
    ("sigmoid at 1e4",     nnp.sigmoid,                           1e4,  0.0),
    ("tanh at -1e4",       nnp.tanh,                             -1e4,  0.0),
)
# fmt: on


@pytest.mark.parametrize(("f", "x", "want"), [c[1:] for c in AT_A_POINT], ids=[c[0] for c in AT_A_POINT])
def test_derivative_at_a_point(f: Callable[[Any], Any], x: float, want: float) -> None:
    assert float(grad(f)(x)) == want
    assert float(jvp(f, (x,), (1.0,))[1]) == want


@pytest.mark.parametrize(("n", "want"), [(0, 0.0), (1, 0.0), (2, 2.0), (2.5, 0.0), (3, 0.0)])
def test_second_derivative_of_a_power_at_zero_is_a_number(n: float, want: float) -> None:
    assert float(grad(grad(lambda x: x**n))(0.0)) == want


@pytest.mark.parametrize("f", [nnp.max, nnp.min], ids=["max", "min"])
def test_extremum_shares_its_derivative_evenly_between_equals(f: Callable[..., Any]) -> None:
    x = np.array([2.0, 2.0, 2.0, 2.0])
    np.testing.assert_array_equal(grad(f)(x), np.full(4, 0.25))
    rows = np.array([[1.0, 3.0, 3.0], [-1.0, -1.0, -5.0]])
    want = {nnp.max: [[0, 0.5, 0.5], [0.5, 0.5, 0]], nnp.min: [[1, 0, 0], [0, 0, 1]]}[f]
    np.testing.assert_array_equal(grad(lambda x: nnp.sum(f(x, axis=1)))(rows), want)


def test_sinc_is_right_at_zero_to_the_fourth_order() -> None:
    """The series 1 - (πx)²/6 + (πx)⁴/120."""
    f, orders = nnp.sinc, []
    for _ in range(4):
        f = grad(f)
        orders.append(float(f(0.0)))
    np.testing.assert_allclose(orders, [0, -(np.pi**2) / 3, 0, np.pi**4 / 5], rtol=1e-14)


def test_every_derivative_of_gammaln_is_there() -> None:
    f = nnp.gammaln
    for n in range(4):
        f = grad(f)
        for x in (0.3, 1.0, 12.5):
            assert float(f(x)) == pytest.approx(float(scipy.special.polygamma(n, x)), rel=1e-12)


def test_stop_gradient_stops_both_modes() -> None:
    assert float(grad(lambda x: nnp.stop_gradient(x) * x)(3.0)) == 3.0
    assert float(jvp(lambda x: nnp.stop_gradient(x) * x, (3.0,), (1.0,))[1]) == 3.0


def test_gradient_of_logsumexp_is_softmax_even_far_from_zero() -> None:
    x = np.array([1e4, 1e4 - 1.0, -1e4])
    np.testing.assert_allclose(grad(nnp.logsumexp)(x), nnp.softmax(x), rtol=1e-12)


def test_cast_between_floats_keeps_the_dtype_of_each_side() -> None:
    x = np.array([1.0, 2.0], np.float32)
    g = grad(lambda x: nnp.sum(nnp.astype(x, "f64") ** 2))(x)
    assert g.dtype == np.float32
    np.testing.assert_array_equal(g, [2.0, 4.0])
    assert jvp(lambda x: nnp.astype(x, "f64"), (x,), (x,))[1].dtype == np.float64


def test_nothing_flows_through_whole_numbers() -> None:
    f = grad(lambda x: nnp.sum(nnp.astype(nnp.astype(x, "i32"), "f64") * x))
    np.testing.assert_array_equal(f(np.array([1.5, 2.5])), [1.0, 2.0])


def test_product_has_its_derivatives_in_all_four_orientations() -> None:
    a, b, u = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4), np.ones((2, 4))
    for f in (
        lambda a, b: a @ b,
        lambda a, b: (b.T @ a.T).T,
    ):
        ga, gb = grad(lambda a, b, f=f: nnp.sum(f(a, b) * u), argnums=(0, 1))(a, b)
        np.testing.assert_array_equal(ga, u @ b.T)
        np.testing.assert_array_equal(gb, a.T @ u)


# fmt: off
SQUARES_OF_NORMS = {  # with Hessian 2I at 0, or a variance's
    "norm":   lambda x: nnp.linalg.norm(x) ** 2,
    "norm 2": lambda x: nnp.linalg.norm(x, 2) ** 2,
    "norm of a matrix": lambda x: nnp.linalg.norm(nnp.reshape(x, (1, 2))) ** 2,
    "std":    lambda x: nnp.std(x) ** 2,
    "nanstd": lambda x: nnp.nanstd(x) ** 2,
    "hypot":  lambda x: nnp.hypot(x[0], x[1]) ** 2,
}
# fmt: on


@pytest.mark.parametrize("f", SQUARES_OF_NORMS.values(), ids=SQUARES_OF_NORMS)
def test_the_corner_of_a_norm_has_a_slope_of_zero_and_no_false_curvature(f: Callable[[Any], Any]) -> None:
    """2I would require recognising the square; a zero would be silently wrong."""
    at_zero = np.zeros(2)
    for slope, curvature in ((grad(f), hessian(f)), (jit(grad(f)), jit(hessian(f)))):
        np.testing.assert_array_equal(slope(at_zero), [0.0, 0.0])
        assert np.isnan(curvature(at_zero)).all()
        apart = np.array([0.3, -0.4])
        step = 1e-6 * np.eye(2)
        differences = [(slope(apart + h) - slope(apart - h)) / 2e-6 for h in step]
        np.testing.assert_allclose(curvature(apart), differences, atol=1e-8)


# fmt: off
EVEN = {  # functions of |x|, and their second derivative at 0 if they have one
    "abs":            (nnp.abs,                             np.nan),
    "its square":     (lambda x: nnp.abs(x) ** 2,           2.0),
    "with itself":    (lambda x: nnp.abs(x) * nnp.abs(x),   2.0),
    "its cosine":     (lambda x: nnp.cos(nnp.abs(x)),      -1.0),
    "fabs":           (lambda x: nnp.fabs(x) ** 2,          2.0),
    "with its sign":  (lambda x: x * nnp.abs(x),            np.nan),
    "norm 1":         (lambda x: nnp.linalg.norm(nnp.stack([x]), 1) ** 2, 2.0),
}
# fmt: on


@pytest.mark.parametrize(("f", "truth"), EVEN.values(), ids=EVEN)
def test_the_second_derivative_of_abs_at_zero_is_right_or_nan(f: Callable[[Any], Any], truth: float) -> None:
    for second in (grad(grad(f)), jit(grad(grad(f)))):
        assert np.isnan(second(0.0)) or second(0.0) == truth
        assert np.isfinite([second(0.3), second(-0.3)]).all()
    assert grad(f)(0.0) == jit(grad(f))(0.0) == 0.0


@pytest.mark.parametrize("order", [1.5, 2, 3, 7, "fro"])
def test_a_norm_of_any_order_has_the_slope_zero_at_zero(order: float | str) -> None:
    x = np.zeros((2, 2)) if order == "fro" else np.zeros(3)
    assert not grad(lambda x: nnp.linalg.norm(x, order))(x).any()
    assert not jit(grad(lambda x: nnp.linalg.norm(x, order)))(x).any()


def test_x_log_y_rises_by_log_y_from_zero() -> None:
    for f in (nnp.xlogy, jit(nnp.xlogy)):
        assert f(0.0, 2.0) == 0.0
        np.testing.assert_allclose(grad(f)(0.0, 2.0), np.log(2.0), rtol=1e-15)


def test_logit_keeps_its_digits_near_a_half() -> None:
    x = 0.5 + np.array([-1e-12, 1e-9, 0.1, 0.24, -0.26, 0.4999])
    np.testing.assert_allclose(nnp.logit(x), 2 * np.arctanh(2 * (x - 0.5)), rtol=1e-13)
    np.testing.assert_allclose(grad(lambda x: nnp.sum(nnp.logit(x)))(x), 1 / (x * (1 - x)), rtol=1e-12)
