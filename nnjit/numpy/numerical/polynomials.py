"""Polynomials under NumPy's names: vectors of coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

from nnjit.numpy.elementwise import add, multiply
from nnjit.numpy.promotion import Array, as_array, filled, promote
from nnjit.numpy.shaping.axes import length_of
from nnjit.numpy.shaping.joining import stack


def polyval(p: Array, x: Array) -> Any:
    """The polynomial of the coefficients `p`, that of the highest power first, at `x` (Horner's scheme)."""
    p, x = promote(p, x)
    total: Any = filled(x, 0)
    for coefficient in p:
        total = add(multiply(total, x), coefficient)
    return total


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Any:  # NumPy's name
    """The powers of a vector as columns, N of them, the highest first unless `increasing`."""
    array, count = as_array(x), length_of(x, 0) if N is None else N
    powers = [filled(array, 1)]
    for _ in range(count - 1):
        powers.append(multiply(powers[-1], array))
    return stack(powers[:count] if increasing else powers[:count][::-1], -1)
