"""Sliding windows, for convolution and pooling, and their transpose, the sum of overlapping windows.

Axes `first`, `first + 1`, … of an array, one per size, become two groups: first a window's places, then its
elements. `[B,H,W,C]` with windows of 3 × 3 becomes `[B,H-2,W-2,3,3,C]`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnjit.ir.graph import Primitive
from nnjit.ir.types import ArrayType
from nnjit.primitives.define import define, require

Sizes = tuple[int, ...]


def places(length: int, size: int, stride: int, dilation: int) -> int:
    """How many windows of `size` elements, `dilation` apart, fit into `length` at a distance of `stride`."""
    return (length - dilation * (size - 1) - 1) // stride + 1


def _infer(x: ArrayType, first: int, sizes: Sizes, strides: Sizes, dilations: Sizes) -> ArrayType:
    n = len(sizes)
    lengths = x.shape[first : first + n]
    counts = [
        places(length, *options) if isinstance(length, int) else 0
        for length, *options in zip(lengths, sizes, strides, dilations, strict=True)
    ]
    valid = len(lengths) == n and min((*sizes, *strides, *dilations, *counts), default=0) > 0
    require(valid, f"windows: {x} has no windows of {sizes} from axis {first}")
    return x.with_shape((*x.shape[:first], *counts, *sizes, *x.shape[first + n :]))


def _windows(x: np.ndarray, first: int, sizes: Sizes, strides: Sizes, dilations: Sizes) -> np.ndarray:
    n = len(sizes)
    own = x.strides[first : first + n]
    counts = [
        places(*options)
        for options in zip(x.shape[first : first + n], sizes, strides, dilations, strict=True)
    ]
    outer = [s * k for s, k in zip(own, strides, strict=True)]
    inner = [s * k for s, k in zip(own, dilations, strict=True)]
    shape = (*x.shape[:first], *counts, *sizes, *x.shape[first + n :])
    steps = (*x.strides[:first], *outer, *inner, *x.strides[first + n :])
    return np.lib.stride_tricks.as_strided(x, shape, steps, writeable=False)


def _infer_overlap(x: ArrayType, first: int, lengths: Sizes, strides: Sizes, dilations: Sizes) -> ArrayType:
    n = len(lengths)
    shapes = zip(
        x.shape[first : first + n],
        lengths,
        x.shape[first + n : first + 2 * n],
        strides,
        dilations,
        strict=True,
    )
    fits = all(isinstance(size, int) and places(d, size, s, k) == count for count, d, size, s, k in shapes)
    require(fits, f"overlap_add: {x} is not windows of {lengths} from axis {first}")
    return x.with_shape((*x.shape[:first], *lengths, *x.shape[first + 2 * n :]))


def _overlap(x: np.ndarray, first: int, lengths: Sizes, strides: Sizes, dilations: Sizes) -> np.ndarray:
    n = len(lengths)
    out = np.zeros((*x.shape[:first], *lengths, *x.shape[first + 2 * n :]), x.dtype)
    counts, sizes = x.shape[first : first + n], x.shape[first + n : first + 2 * n]
    for offset in np.ndindex(*sizes):
        spans = [
            slice(k * d, k * d + s * (c - 1) + 1, s)
            for k, d, s, c in zip(offset, dilations, strides, counts, strict=True)
        ]
        lead = (slice(None),) * first
        out[(*lead, *spans)] += x[(*lead, *(slice(None),) * n, *offset)]
    return out


def _fold(g: Any, x: Any, first: int, sizes: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    lengths = x.shape[first : first + len(sizes)]
    return overlap_add(g, first=first, lengths=lengths, strides=strides, dilations=dilations)


def _unfold(g: Any, x: Any, first: int, lengths: Sizes, strides: Sizes, dilations: Sizes) -> Any:
    n = len(lengths)
    sizes = x.shape[first + n : first + 2 * n]
    return windows(g, first=first, sizes=sizes, strides=strides, dilations=dilations)


def _lift(n: int, first: int, **others: Any) -> dict[str, Any]:
    return {"first": first + 1, **others}


overlap_add: Primitive  # a rule refers to the row below

# fmt: off
windows     = define(Primitive("windows", "view", _infer, _windows, transposes=(_fold,), lift=_lift))
overlap_add = define(Primitive("overlap_add", "reduce", _infer_overlap, _overlap, transposes=(_unfold,),
                               expression="{0} + {1}", identity="{t}(0)", lift=_lift))
# fmt: on
