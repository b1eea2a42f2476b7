"""The modified Bessel functions I₀ and I₁, also scaled by exp(-|x|).

Up to |x| = 30 they are integrated by the trapezoidal rule, which converges faster than any power for a
periodic function; beyond, their asymptotic series are summed. Both have derivatives of every order.

Reference: Abramowitz & Stegun 1964, 9.6.16, 9.6.19 and 9.7.1; Trefethen & Weideman 2014, SIAM Review 56.
"""

from __future__ import annotations

import math
from typing import Any

import nnjit.numpy as np
from nnjit.numpy import Array
from nnjit.scipy.special.promoted import in_f64

FAR = 30.0
# The rule's error, 2 I₂ₙ(x) with n points, vanishes in float64 at |x| = 30.
POINTS = 36
COSINES = tuple(math.cos(math.pi * (k + 0.5) / (2 * POINTS)) for k in range(POINTS))


def _asymptotic(order: int) -> tuple[float, ...]:
    """√(2πx) exp(-x) Iₙ(x) as a polynomial in 1/x."""
    terms = [1.0]
    for k in range(1, 20):
        terms.append(-terms[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    return tuple(terms)


SERIES = (_asymptotic(0), _asymptotic(1))


def _far(order: int, size: Any) -> Any:
    """exp(-x) Iₙ(x) for x >= 30."""
    v = 1 / size
    total: Any = SERIES[order][-1]
    for coefficient in SERIES[order][-2::-1]:
        total = total * v + coefficient
    return total * np.sqrt(v / (2 * math.pi))


def _near(order: int, x: Any) -> Any:
    """Iₙ(x) for |x| <= 30: the mean of cosh(x cos θ), or sinh(x cos θ) cos θ, over a quarter circle."""
    cosines = np.asarray(COSINES)
    grown = np.expand_dims(x, -1) * cosines
    up, down = np.expm1(grown), np.expm1(-grown)
    if order == 0:
        return 1 + np.sum(up + down, -1) * (0.5 / POINTS)
    return np.sum((up - down) * (0.5 / POINTS * cosines), -1)


def _modified(order: int, x: Any, scaled: bool) -> Any:
    magnitude = x * np.sign(x)  # with curvature 0 at 0: with `abs` it would be NaN times 0
    is_near = magnitude < FAR
    inner = np.where(is_near, x, 0.0)
    size = np.where(is_near, FAR, magnitude)
    near, far = _near(order, inner), _far(order, size)
    if scaled:
        near = near * np.exp(-abs(inner))
    else:
        far = np.exp(size) * far
    return np.where(is_near, near, np.where(x < 0, -far, far) if order else far)


@in_f64
def i0(x: Array) -> Any:
    """The modified Bessel function of the first kind of order 0."""
    return _modified(0, x, scaled=False)


@in_f64
def i0e(x: Array) -> Any:
    """exp(-|x|) `i0`; its derivative at the kink at 0 is 0."""
    return _modified(0, x, scaled=True)


@in_f64
def i1(x: Array) -> Any:
    """The modified Bessel function of the first kind of order 1, the derivative of `i0`."""
    return _modified(1, x, scaled=False)


@in_f64
def i1e(x: Array) -> Any:
    """exp(-|x|) `i1`."""
    return _modified(1, x, scaled=True)
