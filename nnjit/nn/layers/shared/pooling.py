"""The base class of pooling layers: windows over one or two axes, each channel separately."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer
from nnjit.nn.layers.shared.window import AXES, Counts, Padding, Window


class Pooling(Layer):
    """One value per window and channel, for inputs (steps, channels) or (height, width, channels)."""

    fill: ClassVar[float] = 0.0
    """The value of padding."""

    size: Counts = 2
    """The size of a window along each axis: one number for all, or one per axis."""
    stride: Counts | None = None
    """The distance from one window to the next; null means their size, so they do not overlap."""
    padding: Padding = "valid"
    """`valid`: none; `same`: enough for ceil(length / stride) output positions; or the number of elements
    before and after each axis. Padding never counts."""

    def output_shape(self, *inputs: Shape) -> Shape:
        *lengths, channels = self._checked(inputs[0])
        window = self._window(len(lengths))
        if isinstance(self.padding, int) and self.padding >= (shortest := min(window.sizes)):
            raise GraphError(
                f"{self.type}: padding of {self.padding} elements would fill a window of {shortest}; "
                f"give at most {shortest - 1}"
            )
        return (*window.counts(tuple(lengths), self.type), channels)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        axes = x.ndim - 2
        window = self._window(axes)
        blocks = window.blocks(x)
        if blocks is not None:
            return self._pool(blocks, tuple(range(2, 2 + 2 * axes, 2)), 1 / math.prod(window.sizes))
        factor = (1 / window.elements(static(np.shape(x)[1:-1]))).astype(x.dtype)
        return self._pool(window(x, self.fill), tuple(range(1 + axes, 1 + 2 * axes)), factor)

    @abstractmethod
    def _pool(self, windows: Any, inner: tuple[int, ...], factor: Any) -> Any:
        """Reduce the windows.

        Args:
            inner: the axes of a window's elements.
            factor: 1 / the number of a window's elements that are not padding.
        """

    def _window(self, axes: int) -> Window:
        stride = self.size if self.stride is None else self.stride
        return Window(axes, self.size, stride, 1, self.padding)

    def _checked(self, shape: Shape) -> Shape:
        if len(shape) not in (2, 3):
            raise GraphError(f"{self.type} takes inputs of shape {' or '.join(AXES.values())}, got {shape}")
        return shape
