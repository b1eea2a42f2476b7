"""The incomplete gamma functions P and Q = 1 - P, with derivatives of every order in both arguments.

With D = xᵃ exp(-x) / Γ(a):

    P(a, x) = D ∫ exp(x (1 - exp(-s)) - a s) ds,    Q(a, x) = D ∫ (1 + s)ᵃ⁻¹ exp(-x s) ds,    0 <= s < inf

The first serves x <= a, the second x > a. There the integrands fall monotonically, and are integrated by the
trapezoidal rule after s = exp(τ - exp(-τ)) (double exponential). They are smooth in both arguments, so that what is
true of the values is true of the derivatives. Below x = 1 the power series is used.

Reference: Abramowitz & Stegun 1964, 6.5.2, 6.5.3 and 6.5.29; Takahasi & Mori 1974, Publ. RIMS 9, for the rule.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.numpy import Array
from nnjit.scipy.special.gamma import HALF_LOG_2PI, LARGE, hurwitz, stirling_rest
from nnjit.scipy.special.promoted import in_f64

STEP = 0.11
_TAUS = STEP * numpy.arange(-34, 37)
NODES = numpy.exp(_TAUS - numpy.exp(-_TAUS))
WEIGHTS = STEP * NODES * (1 + numpy.exp(-_TAUS))
TERMS = 20  # of the power series below x = 1
# log Γ(1 + a) = Σ LOG_GAMMA[k] aᵏ: its own digits where Γ(1 + a) is near 1.
SMALL = 0.25
LOG_GAMMA = (0.0, -0.5772156649015329, *((-1) ** k * float(hurwitz(float(k), 1.0)) / k for k in range(2, 28)))


@in_f64
def gammainc(a: Array, x: Array) -> Any:
    """The regularised lower incomplete gamma function P(a, x) = ∫ tᵃ⁻¹ exp(-t) dt / Γ(a) from 0 to `x`.

    Args:
        a: > 0; at 0 the result is 1, and 0 at inf.
        x: >= 0; NaN below.
    """
    return _parts(a, x)[0]


@in_f64
def gammaincc(a: Array, x: Array) -> Any:
    """1 - `gammainc`, without cancellation."""
    return _parts(a, x)[1]


def _parts(a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q."""
    is_inner = np.logical_and(np.logical_and(a >= 0, x >= 0), np.logical_and(a < math.inf, x < math.inf))
    is_inner = np.logical_and(is_inner, np.maximum(a, x) > 0)
    is_start = np.logical_and(is_inner, x < 1)
    is_lower = np.logical_and(is_inner, np.logical_and(x >= 1, x <= a))
    is_upper = np.logical_and(is_inner, np.logical_and(x >= 1, x > a))
    start = _start(np.where(is_start, a, 1.0), np.where(is_start, x, 0.5))
    lower = _lower(np.where(is_lower, a, 2.0), np.where(is_lower, x, 1.0))
    upper = _upper(np.where(is_upper, a, 1.0), np.where(is_upper, x, 2.0))
    rest = np.where(_is_edge(a, x), np.where(a < x, 1.0, 0.0), math.nan * (a + x))
    choices = ((is_start, start), (is_lower, (lower, 1 - lower)), (is_upper, (1 - upper, upper)))
    p, q = rest, 1 - rest
    for condition, (below, above) in choices:
        p, q = np.where(condition, below, p), np.where(condition, above, q)
    return p, q


def _is_edge(a: Any, x: Any) -> Any:
    """Whether one argument alone is infinite, and the other not negative."""
    is_infinite = np.not_equal(np.equal(a, math.inf), np.equal(x, math.inf))
    return np.logical_and(is_infinite, np.minimum(a, x) >= 0)


def _start(a: Any, x: Any) -> tuple[Any, Any]:
    """P and Q for 0 <= x < 1, with S = Σ (-x)ᵏ / (k! (a + k)): P = xᵃ / Γ(1 + a) (1 + a S)."""
    total: Any = 0.0
    for k in range(TERMS, 0, -1):
        total = x * (-1 / k) * (1 / (a + k) + total)
    below = np.power(x, a) * np.exp(-np.gammaln(1 + a)) * (1 + a * total)
    is_small = np.logical_and(a < SMALL, x > 0)
    s, t = np.where(is_small, a, SMALL), np.where(is_small, x, 0.5)
    log_gamma: Any = LOG_GAMMA[-1]
    for coefficient in LOG_GAMMA[-2::-1]:
        log_gamma = log_gamma * s + coefficient
    exponent = s * np.log(t) - log_gamma
    above = -np.expm1(exponent) - np.exp(exponent) * s * np.where(is_small, total, 0.0)
    return below, np.where(is_small, above, 1 - below)


def _lower(a: Any, x: Any) -> Any:
    """P for 1 <= x <= a."""
    s, c = _scaled(a - x, x)
    wide_a, wide_x = np.expand_dims(a, -1), np.expand_dims(x, -1)
    inner = np.exp((wide_x - wide_a) * s - wide_x * _bend(s))
    return _front(a, x) * c * np.sum(WEIGHTS * inner, -1)


def _upper(a: Any, x: Any) -> Any:
    """Q for x >= 1 and x > a."""
    s, c = _scaled(x - a, a)
    wide_a, wide_x = np.expand_dims(a, -1), np.expand_dims(x, -1)
    inner = np.exp((wide_a - wide_x) * s - wide_a * _gap_of_log(s)) / (1 + s)
    return _front(a, x) * c * np.sum(WEIGHTS * inner, -1)


def _scaled(gap: Any, curvature: Any) -> tuple[Any, Any]:
    """The nodes, stretched to fit how fast the integrand falls, which changes no integral; and the stretch."""
    c = np.stop_gradient(1 / (gap + np.sqrt(curvature)))
    return np.expand_dims(c, -1) * NODES, c


def _bend(s: Any) -> Any:
    """exp(-s) - 1 + s."""
    is_near = s < 0.5
    near = np.where(is_near, s, 0.0)
    total: Any = 1 / math.factorial(15)
    for k in range(14, 1, -1):
        total = 1 / math.factorial(k) - near * total
    return np.where(is_near, near * near * total, np.expm1(-s) + s)


def _front(a: Any, x: Any) -> Any:
    """D; for large `a` by Stirling's series, whose large terms cancel on paper."""
    is_large = a >= LARGE
    big = np.where(is_large, a, LARGE)
    ratio = np.where(is_large, (x - a) / big, 0.0)
    large = np.sqrt(big) * np.exp(-big * _gap_of_log(ratio) - stirling_rest(big) - HALF_LOG_2PI)
    low, y = np.where(is_large, 1.0, a), np.where(is_large, 1.0, x)
    return np.where(is_large, large, np.exp(low * np.log(y) - y - np.gammaln(low)))


def _gap_of_log(u: Any) -> Any:
    """u - log(1 + u) for u > -1: near 0 by log(1 + u) = 2 artanh(r), r = u / (2 + u)."""
    is_near = abs(u) < 0.35
    near, far = np.where(is_near, u, 0.0), np.where(is_near, 1.0, u)
    r = near / (2 + near)
    square = r * r
    total: Any = 1 / 27
    for k in range(25, 2, -2):
        total = total * square + 1 / k
    return np.where(is_near, r * (near - 2 * square * total), far - np.log1p(far))
