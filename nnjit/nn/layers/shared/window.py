"""Windows of convolutions and poolings over the axes of an image or a signal, channels last.

Channels are the last axis (NHWC): a window is then contiguous in memory, and a convolution is one product of
the windows and the weight.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy
from pydantic import BeforeValidator

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.registry import Count, Index

AXES = {1: "(steps, channels)", 2: "(height, width, channels)"}


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Counts = Annotated[Count | tuple[Count, ...], BeforeValidator(_pair)]
Padding = Literal["valid", "same"] | Index


class Window:
    """Windows over `axes` axes, and the padding around them.

    Args:
        sizes, strides, dilations: for each axis.
        padding: "valid": none; "same": a window for every stride begun, with the odd element after the axis;
            or the number of elements before and after each axis.
    """

    def __init__(
        self, axes: int, sizes: Counts, strides: Counts, dilations: Counts, padding: str | int
    ) -> None:
        self.sizes = for_each_axis(sizes, axes, "size")
        self.strides = for_each_axis(strides, axes, "stride")
        self.dilations = for_each_axis(dilations, axes, "dilation")
        self.padding = padding

    def widths(self, lengths: Shape) -> list[tuple[int, int]]:
        """The amount of padding before and after each axis."""
        if isinstance(self.padding, int):
            return [(self.padding, self.padding)] * len(lengths)
        if self.padding == "valid":
            return [(0, 0)] * len(lengths)
        missing = [
            max((-(-n // stride) - 1) * stride + reach - n, 0)
            for n, stride, reach in zip(lengths, self.strides, self._reaches(), strict=True)
        ]
        return [(m // 2, m - m // 2) for m in missing]

    def counts(self, lengths: Shape, kind: str) -> Shape:
        """The number of windows along each axis.

        Raises:
            GraphError: a window is longer than its axis.
        """
        counts = []
        pairs = zip(lengths, self.widths(lengths), self._reaches(), self.strides, strict=True)
        for n, (before, after), reach, stride in pairs:
            padded = n + before + after
            if reach > padded:
                where = f"{padded} with its padding" if padded > n else str(n)
                raise GraphError(
                    f"{kind}: a window over {reach} elements does not fit into an axis of {where}; "
                    'take a smaller one, or padding: "same"'
                )
            counts.append((padded - reach) // stride + 1)
        return tuple(counts)

    def __call__(self, x: Array, fill: float = 0.0) -> Array:
        """The windows (B, positions…, sizes…, C) of x (B, lengths…, C); elements outside x are `fill`."""
        return np.windows(self.padded(x, fill), 1, self.sizes, self.strides, self.dilations)

    def padded(self, x: Array, fill: float = 0.0) -> Array:
        """The array `x` (B, lengths…, C) with its padding."""
        widths = self.widths(_lengths(x))
        return np.pad(x, [(0, 0), *widths, (0, 0)], constant_values=fill)

    def runs(self, x: Array) -> Array:
        """The windows, with their last axis and the channels merged, in this order.

        If adjacent in x, these are read as one run.
        """
        if self.dilations[-1] != 1:
            windows = self(x)
            return np.reshape(windows, (*np.shape(windows)[:-2], -1))
        padded = self.padded(x)
        *lead, length, channels = (np.shape(padded)[0], *static(np.shape(padded)[1:]))
        sizes, strides = ((*own[:-1], own[-1] * channels) for own in (self.sizes, self.strides))
        return np.windows(np.reshape(padded, (*lead, length * channels)), 1, sizes, strides, self.dilations)

    def blocks(self, x: Array) -> Array | None:
        """The windows (B, positions, sizes, …, C) if they split x into pieces; else None.

        Each axis of positions is followed by its window's axis.
        """
        lengths = _lengths(x)
        is_cut = self.strides == self.sizes and set(self.dilations) == {1}
        if not is_cut or any(width != (0, 0) for width in self.widths(lengths)):
            return None
        counts = [n // size for n, size in zip(lengths, self.sizes, strict=True)]
        whole = tuple(slice(0, c * s) for c, s in zip(counts, self.sizes, strict=True))
        pairs = [d for pair in zip(counts, self.sizes, strict=True) for d in pair]
        return np.reshape(x[(slice(None), *whole)], (np.shape(x)[0], *pairs, np.shape(x)[-1]))

    def elements(self, lengths: Shape) -> numpy.ndarray:
        """How many elements of each window, without dilation, are not padding; shape (positions…, 1)."""
        counts = numpy.ones(())
        for n, (before, after), size, stride in zip(
            lengths, self.widths(lengths), self.sizes, self.strides, strict=True
        ):
            start = numpy.arange(0, n + before + after - size + 1, stride) - before
            counts = counts[..., None] * (numpy.minimum(start + size, n) - numpy.maximum(start, 0))
        return counts[..., None]

    def _reaches(self) -> list[int]:
        return [d * (s - 1) + 1 for s, d in zip(self.sizes, self.dilations, strict=True)]


def _lengths(x: Array) -> tuple[int, ...]:
    return static(np.shape(x)[1:-1])


def for_each_axis(given: Counts, axes: int, what: str) -> tuple[int, ...]:
    """One number per axis, from one for all or one for each."""
    if isinstance(given, int):
        return (given,) * axes
    if len(given) != axes:
        raise GraphError(
            f"{what} has {len(given)} numbers for {axes} axes, {given}; give one, or one for each"
        )
    return given


def with_channels(shape: Shape, axes: int, kind: str) -> Shape:
    """The shape of an example with channels; one channel is added to an example of `axes` axes.

    Raises:
        GraphError: it has another number of axes.
    """
    if len(shape) == axes:
        return (*shape, 1)
    if len(shape) != axes + 1:
        raise GraphError(f"{kind} takes inputs of shape {AXES[axes]}, got {shape}; put a reshape before it")
    return shape
