"""Decorators that promote arguments to one float dtype, and values at the edges of a domain."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy

import nnjit.numpy as np
from nnjit.ir import Primitive
from nnjit.numpy.promotion import Array, astype, binary, broadcast_together, promote


def of_primitive(primitive: Primitive) -> Callable[..., Any]:
    """A function from a primitive of floats: promotes its arguments, whole numbers to f64, and broadcasts."""

    def function(*args: Array) -> Any:
        return binary(primitive, *args, dtype="f2")

    function.__name__ = function.__qualname__ = primitive.name
    function.__doc__ = f"`scipy.special.{primitive.name}` of each element; the arguments broadcast."
    return function


def in_f64(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute `function` in float64, from arguments broadcast to one shape, and round to their dtype.

    Like SciPy's functions, it does not warn of infinities and poles.
    """

    @wraps(function)
    def rounded(*args: Array) -> Any:
        given = promote(*args, dtype="f2")
        wide = broadcast_together(*(astype(x, "f64") for x in given))
        with numpy.errstate(all="ignore"):
            return astype(function(*wide), given[0].dtype)

    return rounded


def at_edge(is_edge: Any, value: Any, other: Any, *args: Any) -> Any:
    """`value` where `is_edge`, else `other`; at the edge, the derivative by every finite argument is NaN.

    This adds a square root and subtracts a cube root of 0 there, with derivatives inf and -inf.
    """
    moved = sum(np.where(np.isfinite(x), x - np.stop_gradient(x), 0.0) for x in args)
    apart = np.where(is_edge, moved, 1.0)
    return np.where(is_edge, value + np.sqrt(apart) - np.cbrt(apart), other)
