"""Recognise convolutions, which a graph expresses as products of windows, and write them as ONNX's `Conv`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nnjit.export.onnx.builder import Builder
from nnjit.ir import Node
from nnjit.ir.types import static


@dataclass(frozen=True)
class Convolution:
    """A convolution of channels-last inputs.

    Args:
        source: the inputs (B, lengths…, C), or with some of these axes joined.
        weight: (sizes…, C, F).
        lengths: of the inputs, with padding.
    """

    source: Node
    weight: Node
    lengths: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return static(self.weight.shape)[:-2]

    @property
    def channels(self) -> int:
        return static(self.weight.shape)[-2]


def convolution_of(node: Node) -> Convolution | None:
    """Return the convolution that a `matmul` node computes; None for other products."""
    rows, columns = node.inputs
    is_plain = not (node.params["ta"] or node.params["tb"]) and node.dtype == np.float32
    windows = rows.inputs[0] if rows.primitive.name == "reshape" else rows
    if not is_plain or windows.primitive.name != "windows" or windows.params["first"] != 1:
        return None
    if columns.primitive.name != "reshape":
        return None
    weight = columns.inputs[0]
    axes = len(windows.params["sizes"])
    is_of_windows = node.shape[:-1] == windows.shape[: 1 + axes]
    if not is_of_windows or weight.ndim != axes + 2 or weight.type.is_batched:
        return None
    return _matched(windows, weight)


def _matched(windows: Node, weight: Node) -> Convolution | None:
    """The convolution of windows whose last axis may be joined with the channels."""
    source, axes = windows.inputs[0], weight.ndim - 2
    *sizes, channels, _ = static(weight.shape)
    given, strides, dilations = (windows.params[key] for key in ("sizes", "strides", "dilations"))
    lengths = static(source.shape[1:])
    if given == tuple(sizes) and math.prod(lengths[axes:]) == channels:
        return Convolution(source, weight, lengths[:axes], strides, dilations)
    is_joined = given == (*sizes[:-1], sizes[-1] * channels) and len(lengths) == axes and dilations[-1] == 1
    if not is_joined or strides[-1] % channels:
        return None
    last = lengths[-1] // channels, strides[-1] // channels
    return Convolution(source, weight, (*lengths[:-1], last[0]), (*strides[:-1], last[1]), dilations)


def add_convolution(b: Builder, found: Convolution) -> str:
    """Add the operators of a convolution; they move the channels to the second axis and back."""
    axes = len(found.sizes)
    x = b.whole(found.source)
    shape = (*found.lengths, found.channels)
    if found.source.shape[1:] != shape:
        x = b.add("Reshape", x, b.ints(0, *shape))
    x = b.add("Transpose", x, perm=[0, axes + 1, *range(1, axes + 1)])
    weight = b.add("Transpose", b.whole(found.weight), perm=[axes + 1, axes, *range(axes)])
    options = {"kernel_shape": found.sizes, "strides": found.strides, "dilations": found.dilations}
    y = b.add("Conv", x, weight, **options)
    return b.add("Transpose", y, perm=[0, *range(2, axes + 2), 1])
