"""Relatives of the gamma function: its logarithm's derivatives, beta, and the Hurwitz zeta function.

Reference: Abramowitz & Stegun 1964, 6.1.41 for Stirling's series, 6.4.7 and 6.4.10 for polygamma; Johansson
2014, arXiv:1309.2877, for zeta by Euler-Maclaurin summation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir import Node
from nnjit.numpy import Array
from nnjit.numpy.promotion import broadcast_shapes
from nnjit.scipy.special.elementary import gamma
from nnjit.scipy.special.promoted import at_edge, in_f64

# The Bernoulli numbers B₂, B₄, …
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
    854513 / 138, -236364091 / 2730,
)  # fmt: skip
STIRLING = tuple(b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI[:9], 1))
LARGE = 10.0  # from here on, the terms of `STIRLING` fall below 1e-17
TERMS = 12  # of zeta's sum before the Euler-Maclaurin rest
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

digamma = psi = in_f64(np.digamma)


def stirling_rest(x: Array) -> Any:
    """The error of Stirling's formula: log Γ(x) - (x - ½) log x + x - ½ log 2π, for x >= 10."""
    v = 1 / (x * x)
    total: Any = STIRLING[-1]
    for coefficient in STIRLING[-2::-1]:
        total = total * v + coefficient
    return total / x


@in_f64
def betaln(a: Array, b: Array) -> Any:
    """The logarithm of |B(a, b)|; for large arguments by Stirling's series, without its large terms."""
    return _at_poles(_betaln(a, b), a, b, _betaln)


@in_f64
def beta(a: Array, b: Array) -> Any:
    """B(a, b) = Γ(a) Γ(b) / Γ(a + b)."""
    return _at_poles(_beta(a, b), a, b, lambda x, y: _beta(x, y) * (1 - 2 * np.remainder(y, 2.0)))


def _beta(a: Any, b: Any) -> Any:
    fits = np.logical_and(np.logical_and(abs(a) < 100, abs(b) < 100), abs(a + b) < 100)
    x, y = np.where(fits, a, 1.0), np.where(fits, b, 1.0)
    product = gamma(x) / gamma(x + y) * gamma(y)
    product = np.where(_is_pole(x + y), 0.0 * (x + y), product)
    return np.where(fits, product, _sign(a, b) * np.exp(_betaln(a, b)))


def _betaln(a: Any, b: Any) -> Any:
    is_less = a < b
    small, large = np.where(is_less, a, b), np.where(is_less, b, a)
    are_large = np.logical_and(small >= LARGE, large < math.inf)
    is_large = np.logical_and(np.logical_and(large >= LARGE, large < math.inf), small + large >= LARGE)
    # Replace arguments of the other cases by harmless ones.
    q = np.where(is_large, large, LARGE)
    return np.where(
        are_large, _of_large(np.where(are_large, small, LARGE), q),
        np.where(is_large, _of_one_large(np.where(is_large, small, 1.0), q), _plain(a, b, large)),
    )  # fmt: skip


def _of_large(p: Any, q: Any) -> Any:
    rest = stirling_rest(p) + stirling_rest(q) - stirling_rest(p + q)
    powers = (p - 0.5) * np.log1p(q / p) + q * np.log1p(p / q)
    return rest + HALF_LOG_2PI - 0.5 * np.log(q) - powers


def _of_one_large(p: Any, q: Any) -> Any:
    rest = np.gammaln(p) + stirling_rest(q) - stirling_rest(p + q)
    return rest - (q - 0.5) * np.log1p(p / q) - p * np.log(p + q) + p


def _plain(a: Any, b: Any, large: Any) -> Any:
    out = np.gammaln(a) + (np.gammaln(b) - np.gammaln(a + b))
    return np.where(np.equal(large, math.inf), -large, out)


def _is_pole(x: Any) -> Any:
    return np.logical_and(x <= 0, np.equal(np.floor(x), x))


def _at_poles(value: Any, a: Any, b: Any, of: Callable[..., Any]) -> Any:
    """`value`, but inf where an argument is a whole number n <= 0.

    If the other argument, m, is whole too and 0 < m < 1 - n, it is `of(1 - n - m, m)` instead. None of these
    has a derivative.
    """
    is_pole = np.logical_or(_is_pole(a), _is_pole(b))
    whole, other = np.where(_is_pole(b), b, a), np.where(_is_pole(b), a, b)
    has_limit = np.logical_and(
        np.logical_and(other > 0, np.equal(np.floor(other), other)), 1 - whole - other > 0
    )
    has_limit = np.logical_and(is_pole, has_limit)
    y = np.where(has_limit, other, 1.0)
    x = np.where(has_limit, 1 - whole - other, 1.0)
    edge = np.where(has_limit, np.stop_gradient(of(x, y)), math.inf)
    return at_edge(is_pole, edge, value, a, b)


def _sign(a: Any, b: Any) -> Any:
    """The sign of B(a, b)."""
    return _sign_of_gamma(a) * _sign_of_gamma(b) * _sign_of_gamma(a + b)


def _sign_of_gamma(x: Any) -> Any:
    is_odd = np.not_equal(np.remainder(np.floor(x), 2.0), 0)
    return np.where(np.logical_and(x < 0, is_odd), -1.0, 1.0)


def zeta(x: Array, q: Array | None = None) -> Any:
    """The Hurwitz zeta function Σ (k + q)⁻ˣ over k = 0, 1, …; Riemann's if `q` is None.

    Args:
        x: > 1; inf at 1, NaN below. Without `q`, any number.
        q: > 0; inf at whole numbers <= 0, NaN elsewhere below 0, where SciPy has values for a whole `x`.
    """
    return _riemann(x) if q is None else _zeta(x, q)


@in_f64
def _riemann(x: Array) -> Any:
    """Riemann's zeta function: by the sum for x >= 0, by the functional equation below."""
    is_one, is_positive = np.equal(x, 1), x >= 0
    direct = hurwitz(np.where(np.logical_and(is_positive, np.logical_not(is_one)), x, 2.0), 1.0)
    s = np.where(is_positive, -1.0, x)
    whole = np.rint(0.5 * s)
    sine = np.sin(math.pi * (0.5 * s - whole)) * (1 - 2 * np.remainder(whole, 2.0))  # exactly 0 at its zeros
    is_far = s < -100  # here single factors would overflow
    near, far = np.where(is_far, -1.0, s), np.where(is_far, s, -1.0)
    near = gamma(1 - near) * np.power(2 * math.pi, near)
    far = np.exp(np.gammaln(1 - far) + math.log(2 * math.pi) * far)
    reflected = np.where(is_far, far, near) * sine * hurwitz(1 - s, 1.0) / math.pi
    return np.where(is_one, math.inf, np.where(is_positive, direct, reflected))


@in_f64
def _zeta(x: Array, q: Array) -> Any:
    is_valid = np.logical_and(x > 1, q > 0)
    s, first = np.where(is_valid, x, 2.0), np.where(is_valid, q, 1.0)
    is_pole = np.logical_and(x >= 1, np.logical_or(np.equal(x, 1), _is_pole(q)))
    edge = np.where(is_pole, math.inf, math.nan)
    return at_edge(np.logical_not(is_valid), edge, hurwitz(s, first), x, q)


def hurwitz(s: Array, q: Array) -> Any:
    """ζ(s, q) for s > 1 and q > 0: a few terms, and the Euler-Maclaurin sum for the rest."""
    total: Any = np.power(q, -s)
    for k in range(1, TERMS):
        total = total + np.power(q + k, -s)
    w = q + TERMS
    last = np.power(w, -s)
    counts = last > 0  # else products of s below might overflow
    s = np.where(counts, s, 2.0)
    v, factor, tail = 1 / (w * w), s / w, 0.5 + w / (s - 1)
    for k, number in enumerate(BERNOULLI, 1):
        tail = tail + factor * (number / math.factorial(2 * k))
        factor = factor * v * (s + (2 * k - 1)) * (s + 2 * k)
    return total + np.where(counts, last * np.where(counts, tail, 1.0), 0.0)


def polygamma(n: Array, x: Array) -> Any:
    """The derivative of order `n` of `digamma`: (-1)ⁿ⁺¹ n! ζ(n + 1, x), reflected for x <= 0.

    Args:
        n: a known whole number >= 0, or an array of them.

    Raises:
        GraphError: `n` is traced, negative or not whole.
    """
    if isinstance(n, Node):
        raise GraphError("polygamma: the order n is traced, and has no derivative; give a known whole number")
    orders = np.asarray(n)
    if (orders != orders.astype(int)).any() or (orders < 0).any():
        raise GraphError(f"polygamma: the order n must be a whole number >= 0, got {n!r}")
    found = [(int(k), _of_order(int(k))(x)) for k in sorted(set(orders.ravel().tolist()))]
    out = found[0][1]
    for k, value in found[1:]:
        out = np.where(orders == k, value, out)
    return np.broadcast_to(out, broadcast_shapes(orders.shape, np.shape(x)))


def _of_order(n: int) -> Any:
    return digamma if n == 0 else in_f64(lambda x: _polygamma(n, x))


def _polygamma(n: int, x: Any) -> Any:
    is_positive = x > 0
    z = np.where(is_positive, x, 1 - x)
    value = (-1) ** (n + 1) * math.gamma(n + 1) * hurwitz(n + 1.0, z)
    # Below 0: ψ(1 - x) - ψ(x) = π cot(πx), differentiated n times.
    turn = np.where(is_positive, 0.25, np.where(np.equal(x, 0), x, x - np.rint(x)))
    return np.where(
        is_positive,
        value,
        (-1) ** n * value - math.pi ** (n + 1) * _slope_of_cot(n, 1 / np.tan(math.pi * turn)),
    )


def _slope_of_cot(n: int, c: Any) -> Any:
    """The derivative of order n >= 1 of cot, a polynomial in c = cot: P′ₙ₊₁ = -(1 + c²) P′ₙ."""
    coefficients = [0, 1]
    for _ in range(n):
        slope = [k * value for k, value in enumerate(coefficients)][1:]
        coefficients = [-(low + high) for low, high in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    total: Any = float(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * c + float(coefficient)
    return total
