"""`gaussian_noise`: add normal numbers in training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.layers.shared.base import Context, layers
from nnjit.nn.layers.shared.elementwise import Elementwise
from nnjit.numpy.numbers import is_exactly
from nnjit.registry import Number


@layers.register
class GaussianNoise(Elementwise):
    """x + stddev · z in training, with z normal and drawn for each element and step; x elsewhere.

    z = √(-2 ln(1 - u)) cos(2πv) for u and v uniform in [0, 1), so the logarithm is never of 0.
    Reference: Box & Muller 1958, Annals of Mathematical Statistics 29.
    """

    type: Literal["gaussian_noise"] = "gaussian_noise"
    also_called: ClassVar[tuple[str, ...]] = ("noise",)
    stddev: Number = Field(ge=0)
    """The standard deviation of the noise, >= 0."""

    def __call__(self, params: Mapping[str, Array], *inputs: Array, context: Context) -> Array:
        (x,) = inputs
        if not context.training or is_exactly(self.stddev, 0):
            return x
        # One draw for both: a second one in this step would give the same numbers.
        pairs = np.astype(context.uniform((x.shape[0], 2, *x.shape[1:])), x.dtype)
        radius = np.sqrt(-2 * np.log1p(-pairs[:, 0]))
        return x + self.stddev * radius * np.cos(2 * math.pi * pairs[:, 1])
