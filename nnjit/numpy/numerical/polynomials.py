"""Polynomials under NumPy's names: vectors of coefficients, highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import type_of
from nnjit.numpy import linalg
from nnjit.numpy.elementwise import add, divide, multiply, sqrt, square, subtract
from nnjit.numpy.linear.convolution import convolve
from nnjit.numpy.linear.products import matmul
from nnjit.numpy.promotion import Array, as_array, astype, broadcast_to, filled, promote
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.axes import expand_dims, length_of, shape, squeeze, swapaxes
from nnjit.numpy.shaping.creation import atleast_1d
from nnjit.numpy.shaping.joining import concatenate, stack
from nnjit.numpy.shaping.padding import pad


def polyval(p: Array, x: Array) -> Any:
    """Evaluate the polynomial with coefficients `p`, highest power first, at `x` by Horner's scheme."""
    p, x = promote(p, x)
    total: Any = filled(x, 0)
    for coefficient in p:
        total = add(multiply(total, x), coefficient)
    return total


def polyadd(a1: Array, a2: Array) -> Any:
    """The coefficients of the sum of two polynomials."""
    return add(*_equally_long(a1, a2))


def polysub(a1: Array, a2: Array) -> Any:
    """The coefficients of the difference of two polynomials."""
    return subtract(*_equally_long(a1, a2))


def polymul(a1: Array, a2: Array) -> Any:
    """The coefficients of the product of two polynomials.

    Leading zeros stay, since a shape cannot depend on values; NumPy drops them.
    """
    return convolve(atleast_1d(a1), atleast_1d(a2))


def _equally_long(*polynomials: Array) -> list[Any]:
    """The coefficients, the shorter ones padded with leading zeros."""
    lines = [atleast_1d(q) for q in polynomials]
    longest = max(length_of(q, 0) for q in lines)
    return [pad(q, (longest - length_of(q, 0), 0)) for q in lines]


def polyder(p: Array, m: int = 1) -> Any:
    """The coefficients of the `m`th derivative of a polynomial."""
    line = _coefficients("polyder", p, m)
    for _ in range(m):
        line = multiply(line[:-1], np.arange(length_of(line, 0) - 1, 0, -1))
    return line


def polyint(p: Array, m: int = 1, k: Array | None = None) -> Any:
    """The coefficients of an `m`th antiderivative of a polynomial.

    Args:
        k: the constants of integration, in order; one number for all, 0 if None.
    """
    line = _coefficients("polyint", p, m)
    constants = squeeze(0.0 if k is None else k)
    constants = constants[:m] if constants.ndim else broadcast_to(constants, (m,))
    if length_of(constants, 0) < m:
        raise GraphError(f"polyint: {type_of(constants)} for {m} integrals; give one number for each, or one")
    for i in range(m):
        line = concatenate([divide(line, np.arange(length_of(line, 0), 0, -1)), constants[i : i + 1]])
    return line


def _coefficients(name: str, p: Array, m: int) -> Any:
    if m < 0:
        raise GraphError(f"{name}: expected an order >= 0, got {m}")
    line = as_array(p)
    if line.ndim != 1:
        raise GraphError(f"{name}: expected a vector of coefficients, got {type_of(line)}")
    return line


def polyfit(
    x: Array,
    y: Array,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Array | None = None,
    cov: bool | str = False,
) -> Any:
    """The coefficients of the polynomial of degree `deg` fitted to the points (`x`, `y`) by least squares.

    The derivative assumes full rank.

    Args:
        y: the values of one polynomial, or of several in its columns.
        rcond: singular values of at most `rcond` times the largest count as zero; if None, the number of
            points times the dtype's epsilon.
        full: whether to also return the sum of squares, the rank, the singular values and `rcond`.
        w: a factor for each point's residual.
        cov: whether to also return the coefficients' covariances, scaled by the mean of squares unless
            "unscaled".

    Raises:
        GraphError: the degree is negative, or the arrays' shapes do not match.
    """
    x, y = promote(x, y, dtype="f2")
    points = length_of(x, 0) if x.ndim == 1 else 0
    if deg < 0 or points == 0 or y.ndim not in (1, 2) or length_of(y, 0) != points:
        raise GraphError(
            f"polyfit: {type_of(x)} and {type_of(y)}, degree {deg}: expected a vector of places, as many "
            "values or rows of values, and a degree from 0 on"
        )
    factors = None if w is None else astype(w, y.dtype)
    if factors is not None and shape(factors) != (points,):
        raise GraphError(f"polyfit: weights {type_of(factors)} for {points} points")
    powers = vander(x, deg + 1)
    if factors is not None:
        powers = multiply(powers, expand_dims(factors, 1))
        y = multiply(y, expand_dims(factors, 1) if y.ndim == 2 else factors)
    scale = sqrt(sum(square(powers), 0))
    cut = points * float(np.finfo(x.dtype).eps) if rcond is None else rcond
    found, squares, rank, values = linalg.lstsq(divide(powers, scale), y, cut)
    found = divide(found, expand_dims(scale, 1) if y.ndim == 2 else scale)
    if full:
        return found, squares, rank, values, cut
    return (found, _covariances(powers, squares, y, deg, cov)) if cov else found


def _covariances(powers: Any, squares: Any, y: Any, deg: int, cov: bool | str) -> Any:
    """(AᵀA)⁻¹, times the sum of squares over the degrees of freedom unless "unscaled"."""
    base = linalg.inv(matmul(swapaxes(powers, 0, 1), powers))
    free = length_of(powers, 0) - (deg + 1)
    if cov != "unscaled" and free <= 0:
        raise GraphError(
            f"polyfit: {length_of(powers, 0)} points are too few for covariances at degree {deg}"
        )
    factor = 1.0 if cov == "unscaled" else divide(squares, free)
    return multiply(expand_dims(base, -1) if y.ndim == 2 else base, factor)


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Any:  # NumPy's name
    """N powers of a vector as columns, highest first unless `increasing`."""
    array, count = as_array(x), length_of(x, 0) if N is None else N
    powers = [filled(array, 1)]
    for _ in range(count - 1):
        powers.append(multiply(powers[-1], array))
    return stack(powers[:count] if increasing else powers[:count][::-1], -1)
