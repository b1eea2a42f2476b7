"""What the poolings share: windows over one or two axes, whose channels stay apart."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.layer import Context, Layer
from nnjit.nn.layers.shared.window import AXES, Counts, Padding, Window


class Pooling(Layer):
    """One figure for each window and channel, of inputs (steps, channels) or (height, width, channels)."""

    fill: ClassVar[float] = 0.0
    """What stands for padding."""

    size: Counts = 2
    """The elements of a window along each axis, one number or one for each axis."""
    stride: Counts | None = None
    """How far each window is behind the one before; null means its size, so that they do not overlap."""
    padding: Padding = "valid"
    """`valid`: none; `same`: so that an output has ceil(length / stride) places; or the number of elements
    before and behind each axis. Padding never counts."""

    def output_shape(self, *inputs: Shape) -> Shape:
        *lengths, channels = self._checked(inputs[0])
        return (*self._window(len(lengths)).counts(tuple(lengths), self.type), channels)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        axes = x.ndim - 2
        window = self._window(axes)
        blocks = window.blocks(x)
        if blocks is not None:
            return self._pool(blocks, tuple(range(2, 2 + 2 * axes, 2)), 1 / math.prod(window.sizes))
        shares = 1 / window.elements(static(np.shape(x)[1:-1]))
        return self._pool(window(x, self.fill), tuple(range(1 + axes, 1 + 2 * axes)), shares.astype(x.dtype))

    @abstractmethod
    def _pool(self, windows: Any, inner: tuple[int, ...], shares: Any) -> Any:
        """The figures of windows.

        Args:
            inner: the axes of a window's elements.
            shares: 1 / the elements of a window that are not padding.
        """

    def _window(self, axes: int) -> Window:
        stride = self.size if self.stride is None else self.stride
        return Window(axes, self.size, stride, 1, self.padding)

    def _checked(self, shape: Shape) -> Shape:
        if len(shape) not in (2, 3):
            raise GraphError(f"{self.type} takes inputs of shape {' or '.join(AXES.values())}, got {shape}")
        return shape
