"""`global_average_pool`: the mean over all positions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import nnjit.numpy as np
from nnjit.errors import GraphError
from nnjit.nn.array import Array, Shape
from nnjit.nn.layers.shared.base import Context, Layer, layers
from nnjit.nn.layers.shared.masking import mask_of


@layers.register
class GlobalAveragePool(Layer):
    """The mean of each channel, the last axis, over all other axes of an example."""

    type: Literal["global_average_pool"] = "global_average_pool"
    also_called: ClassVar[tuple[str, ...]] = ("global_avg_pool", "global_average_pooling")

    mask_value: float | None = None
    """Steps of a sequence whose features all have this value in the unscaled data are padding, as in `lstm`,
    and do not count; the mean of nothing but padding is 0. null means no padding."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            raise GraphError(f"global_average_pool takes inputs with positions and channels, got {x}")
        if self.mask_value is not None and len(x) != 2:
            raise GraphError(f"mask_value is for sequences (steps, features), got {x}; omit it")
        return x[-1:]

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        keep = mask_of(x, self.mask_value, context)
        if keep is None:
            return np.mean(x, axis=tuple(range(1, x.ndim - 1)))
        return np.sum(x * keep, axis=1) / np.maximum(np.sum(keep, axis=1), 1.0)
