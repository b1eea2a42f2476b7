"""The base class of normalisations: a trained scale and shift for each channel, the last axis."""

from __future__ import annotations

from pydantic import Field

from nnjit.errors import GraphError
from nnjit.nn.array import Shape
from nnjit.nn.initializers import Constant, Zeros
from nnjit.nn.layers.shared.base import Param, TrainedLayer
from nnjit.registry import Number


class Normalisation(TrainedLayer):
    """(x - mean) / √(variance + epsilon) · scale + shift, with x (B, …, C), scale and shift (C,)."""

    epsilon: Number = Field(1e-5, gt=0)
    """Added to the variance, > 0."""
    scale: bool = True
    """Whether to multiply the result by a trained array, initially 1."""
    shift: bool = True
    """Whether to add a trained array, initially 0."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not x:
            raise GraphError(f"{self.type} takes at least one axis of an example, got ()")
        return x

    def keeps_steps(self, *inputs: Shape) -> bool:
        return True

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        (x,) = inputs
        scale = Param("scale", x[-1:], Constant(value=1.0), penalized=False)
        shift = Param("shift", x[-1:], Zeros(), penalized=False)
        return tuple(p for p, is_used in ((scale, self.scale), (shift, self.shift)) if is_used)
