"""The products of a convolution with examples as lanes: a vector holds one element of several examples.

An argument is an array of vectors, `[B,…,lanes]`: a batch of groups of examples. A product reads it at
*places* of each example and *taps*, the elements of a window; an element's offset is the place's plus the
tap's, so overlapping windows need no copies. Both are axes with a length and a stride, the stride in vectors.

`codegen/rewrite/lanes.py` builds them from `matmul`, `windows` and `overlap_add`, after all derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType, Shape, static
from nnjit.primitives.define import require

Axes = tuple[tuple[int, int], ...]
"""(length, stride) of each."""

MOST_PLACES, MOST_TAPS = 2, 3  # axes with loops in the kernels; the last axis of the taps has stride 1


def length(axes: Axes) -> int:
    """The number of elements."""
    return math.prod(n for n, _ in axes)


def joined(axes: Axes) -> Axes:
    """The same elements in the same order, along as few axes as possible."""
    out: list[tuple[int, int]] = []
    for n, stride in axes:
        if n == 1:
            continue
        if out and out[-1][1] == n * stride:
            out[-1] = out[-1][0] * n, stride
        else:
            out.append((n, stride))
    return tuple(out)


def _span(axes: Axes) -> int:
    return sum((n - 1) * stride for n, stride in axes)


def _read(x: np.ndarray, places: Axes, taps: Axes, *, writeable: bool = False) -> np.ndarray:
    """The vectors `[groups, *places, *taps, lanes]` of an array of vectors."""
    lanes = x.shape[-1]
    flat = x.reshape(len(x), -1, lanes)
    steps = [flat.strides[1] * stride for _, stride in (*places, *taps)]
    shape = (len(x), *(n for n, _ in (*places, *taps)), lanes)
    return np.lib.stride_tricks.as_strided(
        flat, shape, (flat.strides[0], *steps, flat.strides[2]), writeable=writeable
    )


def _matrices(x: np.ndarray, places: Axes, taps: Axes) -> np.ndarray:
    """The same as matrices `[groups, places, taps, lanes]`."""
    return _read(x, places, taps).reshape(len(x), length(places), length(taps), x.shape[-1])


def _check(x: ArrayType, places: Axes, taps: Axes) -> None:
    size = x.row_size // x.row_shape[-1]
    has_loops = len(places) <= MOST_PLACES and len(taps) <= MOST_TAPS and taps[-1][1] == 1
    fits = has_loops and _span(places) + _span(taps) < size
    require(fits and x.is_float, f"lane product: {x} at {places} and {taps}")


def _infer_product(x: ArrayType, w: ArrayType, places: Axes, taps: Axes, shape: Shape) -> ArrayType:
    _check(x, places, taps)
    rows, columns = w.row_shape
    fits = rows == length(taps) and math.prod(static(shape)) == length(places) * columns
    require(
        fits and shape[-1] == columns, f"lane product: {x} at {places} and {taps} by {w} gives no {shape}"
    )
    return x.with_shape((*x.shape[:1], *shape, x.shape[-1]))


def _product(x: np.ndarray, w: np.ndarray, places: Axes, taps: Axes, shape: tuple[int, ...]) -> np.ndarray:
    out = np.einsum("gpkl,kn->gpnl", _matrices(x, places, taps), w)
    return np.asarray(out.reshape(len(x), *shape, x.shape[-1]), x.dtype)


def _infer_spread(g: ArrayType, w: ArrayType, places: Axes, taps: Axes, shape: Shape) -> ArrayType:
    out = g.with_shape((*g.shape[:1], *shape, g.shape[-1]))
    _check(out, places, taps)
    columns, rows = w.row_shape
    fits = rows == length(taps) and g.row_size == length(places) * columns * g.row_shape[-1]
    require(fits, f"lane spread: {g} by {w} at {places} and {taps}")
    return out


def _spread(g: np.ndarray, w: np.ndarray, places: Axes, taps: Axes, shape: tuple[int, ...]) -> np.ndarray:
    lanes = g.shape[-1]
    out = np.zeros((len(g), *shape, lanes), g.dtype)
    parts = np.einsum("gpnl,nk->gpkl", g.reshape(len(g), length(places), w.shape[0], lanes), w)
    parts = parts.reshape(len(g), *(n for n, _ in (*places, *taps)), lanes)
    target, first = _read(out, places, taps, writeable=True), 1 + len(places)
    for tap in np.ndindex(*(n for n, _ in taps)):
        index = (*(slice(None),) * first, *tap)
        target[index] += parts[index]
    return out


def _infer_weights(x: ArrayType, g: ArrayType, places: Axes, taps: Axes) -> ArrayType:
    _check(x, places, taps)
    columns, rest = divmod(g.row_size, length(places) * g.row_shape[-1])
    require(rest == 0 and g.shape[-1] == x.shape[-1], f"lane weights: {x} at {places} and {taps} by {g}")
    return x.with_shape((length(taps), columns))


def _weights(x: np.ndarray, g: np.ndarray, places: Axes, taps: Axes) -> np.ndarray:
    right = g.reshape(len(x), length(places), -1, x.shape[-1])
    return np.asarray(np.einsum("gpkl,gpnl->kn", _matrices(x, places, taps), right), x.dtype)


def _make(name: str, infer: Any, evaluate: Any, **options: Any) -> Primitive:
    return Primitive(name, "matmul", infer, evaluate, **options)


# Σ_k x[p+k] w[k,n], [B,*shape,lanes]; its transpose, Σ_n g[p,n] w[n,k] added at p+k, of the same shape;
# and Σ_p x[p+k] g[p,n] over all groups and lanes, [k,n]: the lanes are summed last.
lane_product = _make("lane_product", _infer_product, _product)
lane_spread = _make("lane_spread", _infer_spread, _spread)
lane_weights = _make("lane_weights", _infer_weights, _weights, expression="{0} + {1}", identity="{t}(0)")
LANE_PRODUCTS = (lane_product, lane_spread, lane_weights)
