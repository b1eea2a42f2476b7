"""`layer_norm`: each example's last axis gets mean 0 and variance 1, and then a trained scale and shift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.initializers import Constant, Zeros
from nnjit.nn.layer import Context, Layer, Param, layers


@layers.register
class LayerNorm(Layer):
    """(x - mean) / √(variance + epsilon) · scale + shift, with mean and variance over the last axis.

    x is (B, …, C), scale and shift are (C,). The variance is the mean of squares, as in PyTorch and Keras.
    Reference: Ba, Kiros & Hinton 2016, arXiv:1607.06450.
    """

    type: Literal["layer_norm"] = "layer_norm"
    epsilon: float = Field(1e-5, gt=0)
    """What is added to the variance, > 0."""
    scale: bool = True
    """Whether the result is multiplied by a trained array, which begins with 1."""
    shift: bool = True
    """Whether a trained array is added, which begins with 0."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not x:
            raise GraphError("layer_norm takes at least one axis of an example, got ()")
        return x

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        (x,) = inputs
        scale = Param("scale", x[-1:], Constant(value=1.0), penalized=False)
        shift = Param("shift", x[-1:], Zeros(), penalized=False)
        return (scale,) * self.scale + (shift,) * self.shift

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        centred = x - np.mean(x, axis=-1, keepdims=True)
        y = centred / np.sqrt(np.mean(np.square(centred), axis=-1, keepdims=True) + self.epsilon)
        y = y * params["scale"] if self.scale else y
        return y + params["shift"] if self.shift else y
