"""Quantiles under NumPy's names: of sorted elements, so that `jit` can compile them wherever it can sort."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.errors import GraphError
from nnjit.ir import Node
from nnjit.numpy.elementwise import add, multiply, subtract
from nnjit.numpy.indexing import take
from nnjit.numpy.promotion import Array, as_array, astype
from nnjit.numpy.reduction import Axis, axes_of
from nnjit.numpy.shaping import expand_dims, length_of, moveaxis, reshape, shape
from nnjit.numpy.sorting import sort


def quantile(x: Array, q: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The value below which a share `q` of the elements over `axis` lies, between two of them linearly.

    Args:
        q: from 0 to 1, known; several give a new first axis.

    Raises:
        GraphError: a share is traced, or outside of 0 to 1.
    """
    if isinstance(q, Node) or np.any(np.asarray(q) < 0) or np.any(np.asarray(q) > 1):
        raise GraphError(f"quantile: expected known shares from 0 to 1 (percentile: 0 to 100), got {q!r}")
    array = as_array(x) if as_array(x).dtype.kind == "f" else astype(x, "f64")
    axes = axes_of(array, axis)
    rest = [d for a, d in enumerate(shape(array)) if a not in axes]
    line = sort(reshape(moveaxis(array, axes, range(-len(axes), 0)), (*rest, -1)), -1)
    place = np.asarray(q, float) * (length_of(line, -1) - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, length_of(line, -1) - 1)
    low, high = take(line, below, -1), take(line, above, -1)
    out = add(low, multiply(subtract(high, low), (place - below).astype(line.dtype)))
    out = moveaxis(out, range(-place.ndim, 0), range(place.ndim)) if place.ndim else out
    return expand_dims(out, [a + place.ndim for a in axes]) if keepdims else out


def percentile(x: Array, q: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """As `quantile`, with `q` from 0 to 100."""
    return quantile(x, q if isinstance(q, Node) else np.asarray(q, float) / 100, axis, keepdims)
