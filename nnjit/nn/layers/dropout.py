"""`dropout`: in training, some elements become 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Number


@layers.register
class Dropout(Elementwise):
    """0 with probability `rate`, else x / (1 - rate), for each element in training; x elsewhere.

    The division keeps the mean (inverted scaling, as in PyTorch and Keras; the paper scales the weights at
    prediction instead). Reference: Srivastava et al. 2014, JMLR 15.
    """

    type: Literal["dropout"] = "dropout"
    rate: Number = Field(ge=0, lt=1)
    """The fraction of elements to drop, 0 <= rate < 1."""

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if not context.training or is_exactly(self.rate, 0):
            return x
        return np.where(context.uniform(x.shape) < self.rate, 0.0, x * (1 / (1 - self.rate)))
