"""`layer_norm`: bring each example's last axis to mean 0 and variance 1, then scale and shift it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.normalisation import Normalisation


@layers.register
class LayerNorm(Normalisation):
    """(x - mean) / √(variance + epsilon) · scale + shift, with mean and variance over the last axis.

    x is (B, …, C), scale and shift are (C,). The variance is the mean of squares, as in PyTorch and Keras.
    Reference: Ba, Kiros & Hinton 2016, arXiv:1607.06450.
    """

    type: Literal["layer_norm"] = "layer_norm"
    also_called: ClassVar[tuple[str, ...]] = ("ln", "layer_normalization")

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        centred = x - np.mean(x, axis=-1, keepdims=True)
        y = centred / np.sqrt(np.mean(np.square(centred), axis=-1, keepdims=True) + self.epsilon)
        y = y * params["scale"] if self.scale else y
        return y + params["shift"] if self.shift else y
