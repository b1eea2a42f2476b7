"""`nnjit.scipy.special` over whole domains: SciPy's values in both dtypes, and derivatives at edges."""

# ruff: noqa: E501  # one row is one line

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import nnjit.numpy as nnp
from nnjit import grad, jit, jvp
from nnjit.errors import GraphError
from nnjit.scipy import special

INF, NAN = np.inf, np.nan
LINE = np.concatenate([-np.geomspace(1e-12, 500, 40), [0.0, -0.0], np.geomspace(1e-12, 500, 60)])
ENDS = np.array([-INF, -1.0, 0.0, 1.0, 2.0, INF, NAN])
UNIT = np.concatenate(
    [np.geomspace(1e-30, 0.5, 40), 1 - np.geomspace(1e-7, 0.5, 20), [0.0, 1.0, -0.5, 1.5, NAN]]
)
SIZES = np.concatenate([np.geomspace(1e-3, 1e4, 15), [0.0]])

# fmt: off
ONE_ARGUMENT: dict[str, np.ndarray] = {
    **{name: np.concatenate([LINE, ENDS]) for name in (
        "erf", "erfc", "erfcx", "ndtr", "log_ndtr", "expit", "log_expit", "expi", "gamma", "entr",
    )},
    "gammaln": np.concatenate([LINE, ENDS[1:]]),
    "digamma": np.concatenate([LINE, np.arange(-4.0, 3), [INF]]),
    "exp1":    np.concatenate([LINE, [-1.0, INF, NAN]]),
    "erfinv":  np.concatenate([UNIT, -UNIT]),
    "erfcinv": np.concatenate([UNIT, 2 - UNIT]),
    "ndtri":   UNIT,
    "logit":   UNIT,
    "zeta":    np.concatenate([np.linspace(-20, 20, 101), [-120.5, -150.25, 0.999, 1.001, 700.0, NAN]]),
    # At ±inf SciPy has NaN for i0 and i1, which are infinite there.
    "i0":      LINE, "i0e": np.concatenate([LINE, ENDS]), "i1": LINE, "i1e": np.concatenate([LINE, ENDS]),
}
# Closer to a zero of the function, fewer digits are right, or none of SciPy's own.
ABSOLUTE = {"digamma": 1e-14, "gammaln": 1e-14, "expi": 1e-14}
TWO_ARGUMENTS: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "xlogy":     (np.array([0.0, 1.5, -2, INF, NAN]), np.array([0.0, -0.0, 1e-30, 1, 2, -1, INF, NAN])),
    "xlog1py":   (np.array([0.0, 1.5, -2, NAN]), np.array([0.0, 1e-30, -1, 2, -2, INF, NAN])),
    "rel_entr":  (np.array([0.0, 1e-30, 1, 1 + 1e-9, -1, NAN]), np.array([0.0, 1e-300, 1, 2, -1, NAN])),
    "kl_div":    (np.array([0.0, 1e-30, 1, -1, NAN]), np.array([0.0, 1e-300, 1, 2, -1, NAN])),
    "beta":      (np.array([-3.0, -1.5, 0.0, 0.3, 2, 30, 150, NAN]), np.array([-0.5, 0.5, 1, 2, 3, 40, 200])),
    "betaln":    (np.array([-3.0, -1.5, 0.3, 2, 30, 150, 1e3, NAN]), np.array([0.5, 1, 2, 3, 40, 200])),
    "zeta":      (np.array([1.0, 1.001, 1.5, 2, 30, 800, 0.5]), np.array([0.0, -1, 1e-3, 0.7, 1, 30, 1e4, INF])),
    "gammainc":  (SIZES[::2], SIZES), "gammaincc": (SIZES[::2], SIZES),
}
TWO_ARGUMENTS |= {
    f"{name} at its ends": (np.array([0.0, 1.0, -1.0, INF, NAN]), np.array([0.0, 1.0, -1.0, INF, NAN]))
    for name in ("gammainc", "gammaincc")
}
# fmt: on


@functools.cache
def compiled(name: str) -> Callable[..., Any]:
    return jit(getattr(special, name))


def assert_like_scipy(words: str, *args: np.ndarray, rtol: float, atol: float = 0.0) -> None:
    """Compare plain and compiled; compiled functions may give 0 for nearly subnormal results."""
    name = words.split()[0]
    with np.errstate(all="ignore"):
        want = getattr(scipy.special, name)(*(a.astype(np.float64) for a in args)).astype(args[0].dtype)
        results = [getattr(special, name)(*args), compiled(name)(*args)]
    for got in results:
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=rtol, atol=max(atol, 100 * np.finfo(want.dtype).tiny))


# SciPy's own errors, and ours, relative to the result.
RTOL = {"f64": 5e-13, "f32": 5e-7}
each_dtype = pytest.mark.parametrize("dtype", RTOL)
quiet = pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")  # of plain NumPy at the edges


@quiet
@each_dtype
@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_function_of_one_argument_is_that_of_scipy_everywhere(name: str, dtype: str) -> None:
    x = ONE_ARGUMENT[name].astype(np.dtype(dtype.replace("f", "float")))
    atol = ABSOLUTE.get(name, 0.0) * (1 if dtype == "f64" else 1e8)
    assert_like_scipy(name, x, rtol=RTOL[dtype], atol=atol)


@quiet
@each_dtype
@pytest.mark.parametrize("name", TWO_ARGUMENTS)
def test_function_of_two_arguments_is_that_of_scipy_everywhere(name: str, dtype: str) -> None:
    x, y = (
        a.ravel().astype(np.dtype(dtype.replace("f", "float"))) for a in np.meshgrid(*TWO_ARGUMENTS[name])
    )
    assert_like_scipy(name, x, y, rtol=RTOL[dtype], atol=1e-14 if dtype == "f64" else 1e-6)


@quiet
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_polygamma_is_that_of_scipy_everywhere(n: int) -> None:
    x = np.concatenate([np.geomspace(1e-6, 1e6, 30), -np.linspace(0.1, 8, 24), [0.0, -1.0, -2.0, NAN, INF]])
    for got in (special.polygamma(n, x), jit(lambda x: special.polygamma(n, x))(x)):
        np.testing.assert_allclose(got, scipy.special.polygamma(n, x), rtol=1e-12, atol=1e-14)


# fmt: off
AT_A_POINT: tuple[tuple[str, Callable[[Any], Any], float, float], ...] = (
    ("erfc",               special.erfc,                              0.0,    -2 / np.sqrt(np.pi)),
    ("erfc far out",       special.erfc,                              -1e3,   0.0),
    ("erfinv at 1",        special.erfinv,                            1.0,    INF),
    ("erfinv beyond 1",    special.erfinv,                            1.5,    NAN),
    ("erfcinv at 0",       special.erfcinv,                           0.0,    -INF),
    ("ndtri at 0",         special.ndtri,                             0.0,    INF),
    ("log_ndtr far below", special.log_ndtr,                          -1e10,  1e10),
    ("log_ndtr far above", special.log_ndtr,                          1e10,   0.0),
    ("entr at 0",          special.entr,                              0.0,    INF),
    ("xlogy at 0",         lambda x: special.xlogy(x, 2.0),           0.0,    np.log(2.0)),
    ("xlogy at 0 and 0",   lambda x: special.xlogy(x, 0.0),           0.0,    -INF),
    ("xlogy of 0",         lambda y: special.xlogy(0.0, y),           0.0,    0.0),
    ("xlog1py at 0",       lambda x: special.xlog1py(x, 1.0),         0.0,    np.log(2.0)),
    ("rel_entr at 0",      lambda x: special.rel_entr(x, 1.0),        0.0,    -INF),
    ("rel_entr of 0",      lambda y: special.rel_entr(0.0, y),        1.0,    0.0),
    ("kl_div of equals",   lambda x: special.kl_div(x, 2.0),          2.0,    0.0),
    ("expi at 0",          special.expi,                              0.0,    INF),
    ("exp1 below 0",       special.exp1,                              -1.0,   NAN),
    ("gamma at a pole",    special.gamma,                             -1.0,   NAN),
    ("digamma at a pole",  special.digamma,                           -1.0,   NAN),
    ("beta at a pole",     lambda x: special.beta(x, 2.0),            -3.0,   NAN),
    ("i0 at 0",            special.i0,                                0.0,    0.0),
    ("i0e at 0",           special.i0e,                               0.0,    0.0),
    ("i1 at 0",            special.i1,                                0.0,    0.5),
    ("i1e at 0",           special.i1e,                               0.0,    0.5),
    ("gammainc(1, x)",     lambda x: special.gammainc(1.0, x),        0.0,    1.0),
    ("gammainc(½, x)",     lambda x: special.gammainc(0.5, x),        0.0,    INF),
    ("gammainc(2, x)",     lambda x: special.gammainc(2.0, x),        0.0,    0.0),
    ("gammainc below 0",   lambda x: special.gammainc(2.0, x),        -1.0,   NAN),
    ("gammaincc of a < 0", lambda a: special.gammaincc(a, 1.0),       -1.0,   NAN),
    ("zeta at a pole",     lambda q: special.zeta(2.0, q),            -1.0,   NAN),
    ("zeta below 1",       lambda s: special.zeta(s, 2.0),            0.5,    NAN),
    ("gammainc at inf",    lambda x: special.gammainc(2.0, x),        INF,    0.0),
    ("logit at 1",         special.logit,                             1.0,    INF),
)
# fmt: on


@quiet
@pytest.mark.parametrize(("f", "x", "want"), [c[1:] for c in AT_A_POINT], ids=[c[0] for c in AT_A_POINT])
def test_derivative_at_an_edge_is_the_limit_or_nan(f: Callable[[Any], Any], x: float, want: float) -> None:
    for got in (grad(f)(x), jit(grad(f))(x), jvp(f, (x,), (1.0,))[1]):
        np.testing.assert_allclose(float(got), float(want), rtol=1e-12)


@pytest.mark.parametrize("x", [-1e5, -30.0, -11.0, -1.0, 0.0, 3.0])
def test_derivatives_of_log_ndtr_are_right_in_the_tail(x: float) -> None:
    """With h = φ(x) / Φ(x), far below by its series: h′ = -h (x + h), h″ = h (x + h)(x + 2h) - h."""
    first = grad(special.log_ndtr)
    second, third = grad(first), grad(grad(first))
    if x < -1e4:
        want = (-x - 1 / x, -1 + 1 / x**2, -2 / x**3)
    else:
        h = np.sqrt(2 / np.longdouble(np.pi)) / np.longdouble(scipy.special.erfcx(-x / np.sqrt(2)))
        want = (h, -h * (x + h), h * (x + h) * (x + 2 * h) - h)
    for f, w, rel in zip((first, second, third), want, (1e-12, 1e-9, 1e-6), strict=True):
        assert float(f(x)) == pytest.approx(float(w), rel=rel)  # the formulas of `want` cancel


@pytest.mark.parametrize(
    ("a", "x"), [(0.05, 0.3), (0.7, 0.9), (2.0, 1.5), (2.0, 6.0), (80.0, 70.0), (80.0, 95.0)]
)
def test_derivatives_of_the_incomplete_gamma_functions(a: float, x: float) -> None:
    """By x from the density, with known derivatives; by a from differences, to half the digits."""
    density = np.exp((a - 1) * np.log(x) - x - scipy.special.gammaln(a))
    to_a, to_x = grad(special.gammainc, argnums=(0, 1))(a, x)
    assert float(to_x) == pytest.approx(density, rel=1e-12)
    assert float(grad(special.gammaincc, argnums=1)(a, x)) == pytest.approx(-density, rel=1e-12)
    second = grad(grad(special.gammainc, argnums=1), argnums=1)(a, x)
    assert float(second) == pytest.approx(density * ((a - 1) / x - 1), rel=1e-11)
    mixed = grad(grad(special.gammainc, argnums=1), argnums=0)(a, x)
    assert float(mixed) == pytest.approx(density * (np.log(x) - scipy.special.digamma(a)), rel=1e-11)
    step = 1e-5 * a
    up, down = (scipy.special.gammainc(a + s, x) for s in (step, -step))
    assert float(to_a) == pytest.approx((up - down) / (2 * step), rel=1e-7)


def test_derivatives_of_bessel_functions_to_the_fourth_order_at_zero() -> None:
    """The series 1 + x²/4 + x⁴/64."""
    f, orders = special.i0, []
    for _ in range(4):
        f = grad(f)
        orders.append(float(f(0.0)))
    np.testing.assert_allclose(orders, [0, 1 / 2, 0, 3 / 8], atol=1e-15)


def test_second_derivatives_of_beta_at_equal_arguments() -> None:
    """Where the larger argument changes: the trigamma functions of A&S 6.3."""
    trigamma = functools.partial(scipy.special.polygamma, 1)
    for a in (0.5, 4.0, 30.0):
        got = grad(grad(special.betaln))(a, a)
        assert float(got) == pytest.approx(trigamma(a) - trigamma(2 * a), rel=1e-10)


def test_functions_of_scipy_take_traced_values() -> None:
    for name, x in itertools.product(("erfc", "ndtri", "i0", "psi", "expit", "log_expit"), (0.3, 0.6)):
        got = grad(getattr(scipy.special, name))(x)
        assert float(got) == pytest.approx(float(grad(getattr(special, name))(x)), rel=1e-14)


def test_softmax_is_over_all_elements_unless_told_otherwise() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert float(nnp.sum(special.softmax(x))) == pytest.approx(1)
    np.testing.assert_allclose(
        special.log_softmax(x, axis=0), scipy.special.log_softmax(x, axis=0), rtol=1e-14
    )


def test_weighted_logsumexp_gives_the_sign_of_a_negative_sum() -> None:
    a, b = np.array([1.0, 3.0, -INF]), np.array([2.0, -1.0, 0.0])
    value, sign = special.logsumexp(a, b=b, return_sign=True)
    np.testing.assert_allclose([value, sign], scipy.special.logsumexp(a, b=b, return_sign=True), rtol=1e-14)


@pytest.mark.parametrize("n", [-1, 1.5, [1, -2]])
def test_order_of_polygamma_is_checked(n: Any) -> None:
    with pytest.raises(GraphError, match="the order n must be a whole number >= 0, got"):
        special.polygamma(n, 1.0)


def test_traced_order_of_polygamma_is_refused() -> None:
    with pytest.raises(GraphError, match="the order n is traced"):
        jit(special.polygamma)(1, 1.0)
