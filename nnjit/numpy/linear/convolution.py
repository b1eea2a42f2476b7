"""Sliding windows, for convolution and pooling layers, and convolutions of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnjit import primitives as p
from nnjit.errors import GraphError
from nnjit.numpy.promotion import Array, as_array
from nnjit.numpy.reduction.sums import sum
from nnjit.numpy.shaping.arranging import flip
from nnjit.numpy.shaping.axes import length_of, moveaxis, normal_axes, reshape
from nnjit.numpy.shaping.padding import pad


def windows(
    x: Array, first: int, sizes: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Any:
    """The windows over axes `first`, `first + 1`, … of `x`: their places, then their elements.

    Args:
        sizes: a window's length along each of the axes.
        strides: the distance between successive windows.
        dilations: the distance between a window's elements.

    >>> import numpy
    >>> windows(numpy.arange(5), 0, [2], [1], [2]).tolist()
    [[0, 2], [1, 3], [2, 4]]
    """
    options = {"sizes": tuple(sizes), "strides": tuple(strides), "dilations": tuple(dilations)}
    return p.windows(as_array(x), first=first, **options)


def sliding_window_view(x: Array, window_shape: int | Sequence[int], axis: Any = None) -> Any:
    """The windows over `axis` (all axes if None), their elements last, as in NumPy."""
    array = as_array(x)
    sizes = (window_shape,) if isinstance(window_shape, int) else tuple(window_shape)
    axes = tuple(range(array.ndim)) if axis is None else tuple(normal_axes(axis, array.ndim))
    if len(sizes) != len(axes):
        raise GraphError(f"sliding_window_view: {len(sizes)} sizes for {len(axes)} axes")
    for size, place in zip(sizes, axes, strict=True):
        array = moveaxis(windows(array, place, (size,), (1,), (1,)), place + 1, -1)
    return array


def convolve(a: Array, v: Array, mode: str = "full") -> Any:
    """The convolution Σₖ a[n-k] v[k] of two vectors.

    Args:
        mode: "full": wherever they overlap; "same": the longer vector's length; "valid": where the shorter
            vector overlaps entirely.
    """
    a, v = (as_array(reshape(x, (-1,))) for x in (a, v))
    if a.size < v.size:
        a, v = v, a
    n = v.size
    if mode not in ("full", "same", "valid"):
        raise GraphError(f'convolve: unknown mode {mode!r}; valid: "full", "same", "valid"')
    before = {"full": n - 1, "same": n // 2, "valid": 0}[mode]
    after = {"full": n - 1, "same": (n - 1) // 2, "valid": 0}[mode]
    return sum(windows(pad(a, (before, after)), 0, (n,), (1,), (1,)) * flip(v), -1)


def correlate(a: Array, v: Array, mode: str = "valid") -> Any:
    """Σₙ a[n+k] v[n] for each shift k of `v` along `a`; `mode` as in `convolve`."""
    if length_of(a, 0) < length_of(v, 0):
        return flip(correlate(v, a, mode))
    return convolve(a, flip(v), mode)
