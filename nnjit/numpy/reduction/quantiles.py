"""Quantiles under NumPy's names: of sorted elements, so that `jit` can compile them wherever it can sort."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Node, type_of
from nnjit.numpy.elementwise import add, multiply, subtract, where
from nnjit.numpy.indexing.reading import take
from nnjit.numpy.indexing.sorting import sort
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction.sums import Axis, axes_of
from nnjit.numpy.shaping.axes import expand_dims, length_of, moveaxis, reshape, shape
from nnjit.numpy.special import isnan


def quantile(x: Array, q: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The value below which a fraction `q` of the elements over `axis` lies; NaN if one of them is.

    Between two elements it is linear.

    Args:
        q: from 0 to 1, known; several give a new first axis.

    Raises:
        GraphError: a fraction is traced, or outside of 0 to 1.
    """
    if isinstance(q, Node) or np.any(np.asarray(q) < 0) or np.any(np.asarray(q) > 1):
        raise GraphError(f"quantile: expected known fractions from 0 to 1 (percentile: 0 to 100), got {q!r}")
    lines, axes = _sorted_lines(x, axis)
    place = np.asarray(q, float) * (length_of(lines, -1) - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, length_of(lines, -1) - 1)
    low, high = take(lines, below, -1), take(lines, above, -1)
    out = add(low, multiply(subtract(high, low), (place - below).astype(lines.dtype)))
    last = reshape(lines[..., -1], (*shape(lines)[:-1], *(1 for _ in range(place.ndim))))
    out = where(isnan(last), last, out)
    out = moveaxis(out, range(-place.ndim, 0), range(place.ndim)) if place.ndim else out
    return expand_dims(out, [a + place.ndim for a in axes]) if keepdims else out


def percentile(x: Array, q: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """As `quantile`, with `q` from 0 to 100."""
    return quantile(x, q if isinstance(q, Node) else np.asarray(q, float) / 100, axis, keepdims)


def median(x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle element over `axis` in order, the mean of both of an even number; NaN if one of them is."""
    lines, axes = _sorted_lines(x, axis)
    length = length_of(lines, -1)
    low, high, last = lines[..., (length - 1) // 2], lines[..., length // 2], lines[..., -1]
    middle = low if length % 2 else multiply(add(low, high), 0.5)
    out = where(isnan(last), last, middle)
    return expand_dims(out, axes) if keepdims else out


def _sorted_lines(x: Array, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The elements over `axis` in ascending order, NaN last, as the last axis; and the axes it replaces."""
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    axes = axes_of(array, axis)
    rest = [d for a, d in enumerate(shape(array)) if a not in axes]
    lines = reshape(moveaxis(array, axes, range(-len(axes), 0)), (*rest, -1))
    if length_of(lines, -1) == 0:
        raise GraphError(f"{type_of(array)} has no elements over axes {axes}")
    return sort(lines, -1), axes
