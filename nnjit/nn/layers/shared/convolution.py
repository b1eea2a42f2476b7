"""The base class of convolutions over one or two axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.ir.types import static
from nnjit.nn.activations import ACTIVATIONS, ActivationName
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import AnyInitializer, Zeros
from nnjit.nn.layers.shared.base import Context, Param, TrainedLayer
from nnjit.nn.layers.shared.window import Counts, Padding, Window, with_channels
from nnjit.registry import Count


class Convolution(TrainedLayer):
    """activation(Σ x · weight + bias) over the window at each position, channels last.

    The weight is (sizes…, channels / groups, filters). As in other libraries, this is a cross-correlation in
    mathematical terms, since the window is not reversed.
    """

    axes: ClassVar[int]

    filters: Count
    """The number of output channels, >= 1."""
    kernel_size: Counts
    """The size of a window along each axis: one number for all, or one per axis."""
    stride: Counts = 1
    """The distance from one window to the next."""
    padding: Padding = "valid"
    """`valid`: none; `same`: enough zeros for ceil(length / stride) positions; or their number."""
    dilation: Counts = 1
    """The distance between the elements of a window."""
    groups: Count = 1
    """The number of groups of channels and filters; each filter reads only its group's channels."""
    activation: ActivationName = "identity"
    """The function applied to the sums."""
    bias: bool = True
    """Whether to add a trained constant to each sum."""
    weight_initializer: AnyInitializer | None = None
    """The initial weights; by default, suited to the activation."""
    bias_initializer: AnyInitializer = Zeros()
    """The initial biases."""

    def output_shape(self, *inputs: Shape) -> Shape:
        *lengths, channels = with_channels(inputs[0], self.axes, self.type)
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise GraphError(f"{self.type}: {self.groups} groups do not divide {count} {what}")
        return (*self._window.counts(tuple(lengths), self.type), self.filters)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        channels = with_channels(inputs[0], self.axes, self.type)[-1]
        shape = (*self._window.sizes, channels // self.groups, self.filters)
        initializer = self.weight_initializer or ACTIVATIONS[self.activation].weight_initializer
        weight = Param("weight", shape, initializer, penalized=True)
        bias = Param("bias", (self.filters,), self.bias_initializer, penalized=False)
        return (weight, bias) if self.bias else (weight,)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if x.ndim == self.axes + 1:
            x = np.expand_dims(x, -1)
        z = self._sums(x, params["weight"])
        return ACTIVATIONS[self.activation](z + params["bias"] if self.bias else z)

    @property
    def _window(self) -> Window:
        return Window(self.axes, self.kernel_size, self.stride, self.dilation, self.padding)

    def _sums(self, x: Any, weight: Any) -> Any:
        """The sums (B, positions…, filters) over the windows of x (B, lengths…, C)."""
        (channels,) = static(np.shape(weight)[-2:-1])
        if self.groups > 1 and channels == 1:
            return self._depthwise(self._window(x), weight)
        each = self.filters // self.groups
        parts = [
            self._products(x[..., g * channels : (g + 1) * channels], weight[..., g * each : (g + 1) * each])
            for g in range(self.groups)
        ]
        return parts[0] if self.groups == 1 else np.concatenate(parts, axis=-1)

    def _products(self, x: Any, weight: Any) -> Any:
        windows = self._window.runs(x)
        lead = np.shape(windows)[: 1 + self.axes]
        return np.reshape(windows, (*lead, -1)) @ np.reshape(weight, (-1, np.shape(weight)[-1]))

    def _depthwise(self, windows: Any, weight: Any) -> Any:
        """Each channel with filters of its own: too little work for matrix products."""
        sizes, each = np.shape(weight)[: self.axes], self.filters // self.groups
        own = np.reshape(weight, (*sizes, self.groups, each))
        inner = tuple(range(1 + self.axes, 1 + 2 * self.axes))
        sums = np.sum(np.expand_dims(windows, -1) * own, axis=inner)
        return np.reshape(sums, (*np.shape(sums)[:-2], self.filters))
