"""Elementwise primitives for special functions, evaluated by SciPy.

`xlogy`, `xlog1py`, `entr` and `rel_entr` are 0 where their first argument is; `xdivy` is x / y, and 0 where
both are 0. Their derivatives there are the limits, possibly infinite, or NaN if there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.primitives.broadcasting import full_like
from nnjit.primitives.define import elementwise
from nnjit.primitives.elementwise import digamma, exp, expm1, less, log, log1p, select

xdivy: Primitive  # rules refer to it

SQRT_PI = math.sqrt(math.pi)
FAR = 10.0  # from here on, use the asymptotic series of erfcx
# erfcx′(x) = -1 / (√π x²) Σ (-1)ᵏ (2k + 1)!! / 2ᵏ x⁻²ᵏ: at x = 10 the next term is below 1e-17.
SLOPE = tuple((-0.5) ** k * math.prod(range(1, 2 * k + 2, 2)) for k in range(17))

EXP_REST = tuple(1 / math.factorial(k) for k in range(2, 17))  # of (exp(x) - 1 - x) / x², for |x| < ½


def _of_scipy(name: str) -> Callable[..., np.ndarray]:
    def evaluate(*args: np.ndarray) -> np.ndarray:
        import scipy.special

        return np.asarray(getattr(scipy.special, name)(*args))

    return evaluate


def _xdivy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where((x == 0) & (y == 0), x, x / y))


def _expm1mx(x: np.ndarray) -> np.ndarray:
    is_near = np.abs(x) < 0.5
    near = np.where(is_near, x, 0)
    series = np.polynomial.polynomial.polyval(near, np.array(EXP_REST, x.dtype))
    with np.errstate(invalid="ignore"):  # of inf - inf
        return np.asarray(np.where(is_near, near * near * series, np.where(x == np.inf, x, np.expm1(x) - x)))


def _erfcx_slope(out: Any, x: Any) -> Any:
    """2x erfcx(x) - 2/√π; by the asymptotic series where these terms cancel, far out."""
    is_far = less(full_like(x, FAR), x)
    near, far = select(is_far, full_like(x, 0), x), select(is_far, x, full_like(x, FAR))
    v = 1 / (far * far)
    total = full_like(x, SLOPE[-1])
    for coefficient in SLOPE[-2::-1]:
        total = total * v + coefficient
    return select(is_far, -v * total / SQRT_PI, 2 * near * out - 2 / SQRT_PI)


# fmt: off
erfc     = elementwise("erfc",     _of_scipy("erfc"),     "erfc_{t}({0})",     (lambda out, x: -2 / SQRT_PI * exp(-x * x),))
erfcx    = elementwise("erfcx",    _of_scipy("erfcx"),    "erfcx_{t}({0})",    (_erfcx_slope,))
erfinv   = elementwise("erfinv",   _of_scipy("erfinv"),   "erfinv_{t}({0})",   (lambda out, x: SQRT_PI / 2 * exp(out * out),))
erfcinv  = elementwise("erfcinv",  _of_scipy("erfcinv"),  "erfcinv_{t}({0})",  (lambda out, x: -SQRT_PI / 2 * exp(out * out),))
gamma    = elementwise("gamma",    _of_scipy("gamma"),    "gamma_{t}({0})",    (lambda out, x: out * digamma(x),))
expi     = elementwise("expi",     _of_scipy("expi"),     "expi_{t}({0})",     (lambda out, x: exp(x) / x,))
entr     = elementwise("entr",     _of_scipy("entr"),     "entr_{t}({0})",     (lambda out, x: -log(x) - 1,))
xlogy    = elementwise("xlogy",    _of_scipy("xlogy"),    "({t}(0) if {0} == {t}(0) and {1} == {1} else {0} * log_{t}({1}))",
                                                          (lambda out, x, y: log(y), lambda out, x, y: xdivy(x, y)))
xlog1py  = elementwise("xlog1py",  _of_scipy("xlog1py"),  "({t}(0) if {0} == {t}(0) and {1} == {1} else {0} * log1p_{t}({1}))",
                                                          (lambda out, x, y: log1p(y), lambda out, x, y: xdivy(x, 1 + y)))
rel_entr = elementwise("rel_entr", _of_scipy("rel_entr"), "rel_entr_{t}({0}, {1})",
                                                          (lambda out, x, y: log(x / y) + 1, lambda out, x, y: -xdivy(x, y)))
expm1mx  = elementwise("expm1mx",  _expm1mx,              "expm1mx_{t}({0})",  (lambda out, x: expm1(x),))
xdivy    = elementwise("xdivy",    _xdivy, "({0} if {0} == {t}(0) and {1} == {t}(0) else {0} / {1})",
                                                          (lambda out, x, y: 1 / y, lambda out, x, y: -out / y))
# fmt: on
