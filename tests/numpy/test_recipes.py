"""Edge cases of selecting, searching and transforming where a derivative could be lost or become NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import nnjit.numpy as nnp
from nnjit import grad, hessian, jit
from nnjit.autodiff import vmap

X = np.array([-1.0, 0.0, 4.0])


def test_a_bessel_function_and_its_derivative_are_exact_to_an_ulp_or_two() -> None:
    x = np.concatenate([np.linspace(-60, 60, 241), [19.999, 20.001, 1e-9, 700.0]])
    np.testing.assert_allclose(nnp.i0(x), scipy.special.i0(x), rtol=4e-15)
    np.testing.assert_allclose(grad(lambda x: nnp.sum(nnp.i0(x)))(x), scipy.special.i1(x), rtol=4e-15)


def test_even_derivatives_of_a_bessel_function_are_right_at_0() -> None:
    """I₀(x) = 1 + x²/4 + x⁴/64 + …"""
    second = grad(grad(nnp.i0))
    assert float(second(0.0)) == 0.5
    assert float(grad(grad(second))(0.0)) == 24 / 64


@pytest.mark.parametrize("way", [lambda f: f, jit], ids=["plain", "compiled"])
def test_a_function_is_not_differentiated_where_its_condition_does_not_hold(way: Callable[..., Any]) -> None:
    def f(x: Any, a: Any) -> Any:
        parts = [lambda v, a: a * v * v, lambda v, a: a * nnp.sqrt(v)]
        return nnp.sum(nnp.piecewise(x, [x <= 0, x > 0], parts, a))

    np.testing.assert_array_equal(way(grad(f))(X, 1.0), [-2.0, 0.0, 0.25])
    np.testing.assert_array_equal(way(grad(f, 1))(X, 1.0), 3.0)
    np.testing.assert_array_equal(way(hessian(f))(X, 1.0), np.diag([2.0, 2.0, -1 / 32]))


def test_nothing_flows_to_what_a_reduction_leaves_out() -> None:
    x = np.array([1.0, np.nan, 3.0, np.inf])
    for f in (nnp.sum, nnp.prod, nnp.mean, nnp.var, nnp.std):
        slope = grad(lambda x, f=f: f(x, where=nnp.isfinite(x)))(x)
        assert np.isfinite(slope).all()
        assert (slope[[1, 3]] == 0).all()


def test_a_factor_of_0_has_a_derivative_and_takes_infinity_away() -> None:
    x, b = np.array([0.0, 1.0, np.inf]), np.array([1.0, 0.0, 0.0])
    assert float(nnp.logsumexp(x, b=b)) == 0.0
    slope = grad(lambda b: nnp.logsumexp(np.array([0.0, 1.0]), b=b))(b[:2])
    np.testing.assert_allclose(slope, [1.0, math.e], rtol=1e-15)


def test_quantiles_of_nothing_but_nan_are_nan_and_leave_the_others_alone() -> None:
    x = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    for f in (lambda x: nnp.nanquantile(x, 0.25, axis=1), lambda x: nnp.nanmedian(x, axis=1)):
        got = f(x)
        assert got[0] in (1.5, 2.0)
        assert np.isnan(got[1])
        slope = grad(lambda x, f=f: f(x)[0])(x)
        assert slope[0].sum() == 1
        assert slope[0, 1] == 0


def test_functions_of_functions_take_what_closes_over_traced_values() -> None:
    w = np.arange(3.0)
    for f in (
        lambda x: nnp.sum(nnp.vectorize(lambda a: x * a)(w)),
        lambda x: nnp.sum(nnp.apply_along_axis(lambda a: x * a, 0, w)),
        lambda x: nnp.vectorize(lambda a, b: x * (a @ b), signature="(m),(m)->()")(w, np.ones(3)),
    ):
        assert float(jit(grad(f))(2.0)) == 3.0
    known = jit(lambda x: x * nnp.sum(nnp.vectorize(lambda a: math.cos(a))(w)))  # of no traced value
    np.testing.assert_allclose(known(2.0), 2 * np.cos(w).sum())


def test_vectorize_decorates_excludes_and_says_what_it_returns() -> None:
    @nnp.vectorize(excluded=[1], otypes="f")
    def scaled(a: Any, factors: Any) -> Any:
        """A docstring of its own."""
        return a * factors[1]

    assert scaled.__doc__ == "A docstring of its own."
    for way in (lambda x: scaled(x, [1, 2]), jit(lambda x: scaled(x, [1, 2]))):
        assert way(X).dtype == np.float32
        np.testing.assert_array_equal(way(X), 2 * X)
    with pytest.raises(Exception, match="truth value"):
        grad(lambda x: nnp.sum(nnp.vectorize(lambda a: a if a > 0 else -a)(x)))(X)


def test_places_are_found_for_each_example_of_a_batch() -> None:
    edges = np.sort(np.random.default_rng(0).normal(size=(4, 6)))
    x = np.random.default_rng(1).normal(size=(4, 3))
    want = [np.searchsorted(e, row) for e, row in zip(edges, x, strict=True)]
    np.testing.assert_array_equal(vmap(nnp.searchsorted)(edges, x), want)
    counts = vmap(lambda i, w: nnp.bincount(i, w, length=3))(np.array([[0, 1], [2, 5]]), x[:2, :2])
    np.testing.assert_array_equal(counts, [[x[0, 0], x[0, 1], 0.0], [0.0, 0.0, x[1, 0]]])


@pytest.mark.parametrize("n", [1, 2, 7, 30, 33, 37, 74, 96, 1000, 41 * 43])
def test_a_transform_of_any_length_is_that_of_numpy_and_its_inverse_inverts_it(n: int) -> None:
    x = np.random.default_rng(n).normal(size=n)
    found, want = nnp.fft.rfft(x), np.fft.rfft(x)
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], want, rtol=0, atol=1e-13 * n)
    np.testing.assert_allclose(nnp.fft.irfft(found, n), x, rtol=0, atol=1e-13 * n)


def test_a_complex_array_is_refused_with_what_to_give_instead() -> None:
    with pytest.raises(
        Exception, match=r"complex numbers are not supported; give \(real, imaginary\) as the last axis"
    ):
        nnp.fft.irfft(np.fft.rfft(X))
