"""The incomplete gamma functions P and Q = 1 - P, with derivatives of every order in both arguments.

With D = xᵃ exp(-x) / Γ(a):

    P(a, x) = D ∫ exp(x (1 - exp(-s)) - a s) ds,    Q(a, x) = D ∫ exp(a s - x (exp(s) - 1)) ds,    s >= 0

The first serves x <= a, the second x > a. There both integrands are exp(-|a - x| s - x b(∓s)) with b(u) =
exp(u) - 1 - u. They fall monotonically, and are integrated by the trapezoidal rule after s = exp(τ - exp(-τ))
(double exponential). They are smooth in both arguments, so derivatives are as accurate as values. Below x = 1
the power series is used.

Reference: Abramowitz & Stegun 1964, 6.5.2, 6.5.3 and 6.5.29; Takahasi & Mori 1974, Publ. RIMS 9.
"""

from __future__ import annotations

import math
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.numpy import Array
from nnjit.primitives import expm1mx
from nnjit.scipy.special.gamma_relatives import HALF_LOG_2PI, LARGE, hurwitz, stirling_rest
from nnjit.scipy.special.promoted import at_edge, in_f64

STEP = 0.065
_TAUS = STEP * numpy.arange(-56, 60)
NODES = numpy.exp(_TAUS - numpy.exp(-_TAUS))
WEIGHTS = STEP * NODES * (1 + numpy.exp(-_TAUS))
TERMS = 20  # of the power series below x = 1
# log Γ(1 + a) = Σ LOG_GAMMA[k] aᵏ: full precision where Γ(1 + a) is near 1.
SMALL = 0.25
LOG_GAMMA = (0.0, -0.5772156649015329, *((-1) ** k * float(hurwitz(float(k), 1.0)) / k for k in range(2, 28)))


@in_f64
def gammainc(a: Array, x: Array) -> Any:
    """The regularised lower incomplete gamma function P(a, x) = ∫ tᵃ⁻¹ exp(-t) dt / Γ(a) from 0 to `x`.

    Args:
        a: > 0; the result is 1 at 0, and 0 at inf.
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
    is_start, is_later = np.logical_and(is_inner, x < 1), np.logical_and(is_inner, x >= 1)
    p, q = _start(np.where(is_start, a, 1.0), np.where(is_start, x, 0.5))
    part = _later(np.where(is_later, a, 1.0), np.where(is_later, x, 1.0))
    is_lower = x <= a
    p = np.where(is_later, np.where(is_lower, part, 1 - part), p)
    q = np.where(is_later, np.where(is_lower, 1 - part, part), q)
    is_end = _is_end(a, x)
    p = np.where(is_end, np.where(is_lower, 0.0, 1.0), p)
    q = np.where(is_end, np.where(is_lower, 1.0, 0.0), q)
    is_wrong = np.logical_not(np.logical_or(is_inner, is_end))
    return at_edge(is_wrong, math.nan, p, a, x), at_edge(is_wrong, math.nan, q, a, x)


def _is_end(a: Any, x: Any) -> Any:
    """Whether one argument is infinite, and the other finite and not negative."""
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


def _later(a: Any, x: Any) -> Any:
    """P where 1 <= x <= a, Q where x is above both."""
    gap, sign = abs(a - x), np.where(x <= a, -1.0, 1.0)
    # Stretching the nodes, to fit the integrand's decay, does not change the integral.
    stretch = np.stop_gradient(1 / (gap + np.sqrt(x)))
    slope, scale, wide = (np.expand_dims(y, -1) for y in (-gap * stretch, sign * stretch, x))
    integrand = np.exp(slope * NODES - wide * expm1mx(scale * NODES))
    return _front(a, x) * stretch * np.matmul(integrand, WEIGHTS)


def _front(a: Any, x: Any) -> Any:
    """D; for large `a` by Stirling's series, after cancelling its large terms on paper."""
    is_large = a >= LARGE
    big = np.where(is_large, a, LARGE)
    ratio = np.where(is_large, (x - a) / big, 0.0)
    large = np.sqrt(big) * np.exp(-big * _gap_of_log(ratio) - stirling_rest(big) - HALF_LOG_2PI)
    low, y = np.where(is_large, 1.0, a), np.where(is_large, 1.0, x)
    return np.where(is_large, large, np.exp(low * np.log(y) - y - np.gammaln(low)))


def _gap_of_log(u: Any) -> Any:
    """The gap u - log(1 + u) for u > -1: near 0 by log(1 + u) = 2 artanh(r), r = u / (2 + u)."""
    is_near = abs(u) < 0.35
    near, far = np.where(is_near, u, 0.0), np.where(is_near, 1.0, u)
    r = near / (2 + near)
    square = r * r
    total: Any = 1 / 27
    for k in range(25, 2, -2):
        total = total * square + 1 / k
    return np.where(is_near, r * (near - 2 * square * total), far - np.log1p(far))
