"""Search and count under NumPy's names: the results are whole numbers, without derivatives."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.ir import Node, type_of
from nnjit.numpy.elementwise import (
    add,
    equal,
    floor_divide,
    less,
    less_equal,
    logical_and,
    logical_or,
    not_equal,
    subtract,
    where,
)
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.promotion import Array, as_array, astype, filled, filled_block, promote
from nnjit.numpy.shaping.arranging import flip
from nnjit.numpy.shaping.axes import length_of, shape

Side = Literal["left", "right"]


def searchsorted(a: Array, v: Array, side: Side = "left", sorter: Array | None = None) -> Any:
    """The index in the ascending vector `a` where each element of `v` belongs; NaN comes last.

    By bisection, in log₂(length of `a`) steps.

    Args:
        side: whether it belongs before ("left") or after ("right") equal elements.
        sorter: indices that sort `a`.

    Raises:
        GraphError: `a` is not a vector, or the side is unknown.
    """
    if side not in ("left", "right"):
        raise GraphError(f'searchsorted: unknown side {side!r}; valid: "left", "right"')
    a, v = promote(a, v)
    if a.ndim != 1:
        raise GraphError(f"searchsorted: expected an ascending vector, got {type_of(a)}")
    a = a if sorter is None else take(a, sorter)
    length = length_of(a, 0)
    low: Any = filled(v, 0, "i64")
    high: Any = filled(v, length, "i64")
    for _ in range(length.bit_length()):
        middle = floor_divide(add(low, high), 2)
        element = take(a, middle, mode="clip")
        is_after = _precedes(element, v) if side == "left" else ~_precedes(v, element)
        is_after = logical_and(is_after, less(low, high))
        low, high = where(is_after, add(middle, 1), low), where(is_after, high, middle)
    return low


def _precedes(x: Any, y: Any) -> Any:
    """Whether `x` comes before `y`; NaN comes last."""
    return logical_or(less(x, y), logical_and(equal(x, x), not_equal(y, y)))


def digitize(x: Array, bins: Array, right: bool = False) -> Any:
    """The index i of each element's bin: `bins[i-1] <= x < bins[i]`, both reversed if they descend.

    Args:
        bins: monotonic; if traced, the first and the last give the direction.
        right: whether a bin includes its right end instead of its left end.
    """
    side: Side = "left" if right else "right"
    edges = as_array(bins)
    if edges.ndim != 1:
        raise GraphError(f"digitize: expected a vector of bins, got {type_of(edges)}")
    length = length_of(edges, 0)
    if isinstance(edges, Node):
        rising = searchsorted(edges, x, side)
        falling = subtract(length, searchsorted(flip(edges), x, side))
        return where(less_equal(edges[0], edges[-1]), rising, falling) if length else rising
    steps = np.diff(edges)
    if not ((steps >= 0).all() or (steps <= 0).all()):
        raise GraphError("digitize: the bins neither ascend nor descend")
    if (steps >= 0).all():
        return searchsorted(edges, x, side)
    return subtract(length, searchsorted(edges[::-1], x, side))


def bincount(x: Array, weights: Array | None = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of 0, 1, … occurs in a vector of whole numbers, or the sums of their `weights`.

    Args:
        weights: the weight of each element, 1 if None; weighted sums are f64 and differentiable.
        minlength: the least length of the result, which extends to the largest number.
        length: the length of the result, required for a traced `x`; larger numbers are ignored.

    Raises:
        GraphError: the numbers are not whole, or negative, or traced without a length.
    """
    numbers = as_array(x)
    if numbers.ndim != 1 or (numbers.dtype.kind not in "iub" and np.size(numbers)):
        raise GraphError(f"bincount: expected a vector of whole numbers, got {type_of(numbers)}")
    if weights is not None and shape(weights) != shape(numbers):
        raise GraphError(f"bincount: weights {type_of(as_array(weights))} for {type_of(numbers)}")
    numbers = astype(numbers, "i64")
    count = _count(numbers, minlength) if length is None else length
    inside = logical_and(less_equal(0, numbers), less(numbers, count))
    each = filled(numbers, 1, "i64") if weights is None else astype(weights, "f64")
    if length_of(numbers, 0) == 0:
        return filled_block(each, 0, (count,))
    return p.scatter_add(each, where(inside, numbers, count), axis=0, size=count + 1)[:count]


def _count(numbers: Any, least: int) -> int:
    """The length of a result that extends to the largest number."""
    if isinstance(numbers, Node):
        raise GraphError(
            f"bincount: a traced value {numbers.type} does not tell the result's length yet; give length=, "
            "and larger numbers are ignored"
        )
    if least < 0 or (numbers.size and numbers.min() < 0):
        raise GraphError(f"bincount: {min(least, numbers.min(initial=0))} is negative")
    return max(least, int(numbers.max()) + 1 if numbers.size else 0)
