"""Derivatives at ties, kinks and edges, as the primitives document them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnjit.numpy as nnp
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
