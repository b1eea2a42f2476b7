"""`flatten`: merge all axes of an example."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers


@layers.register
class Flatten(Layer):
    """x (B, H, W, …) as (B, H * W * …), the last axis varying fastest."""

    type: Literal["flatten"] = "flatten"
    only_moves: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return (math.prod(x),)

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        return np.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
