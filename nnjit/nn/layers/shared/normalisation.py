"""What batch and layer normalisation share: a trained scale and shift of each channel, the last axis."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnjit.errors import GraphError
from nnjit.nn.array import Shape
from nnjit.nn.formula import G, X, call, over_rows, symbol
from nnjit.nn.initializers import Constant, Zeros
from nnjit.nn.layers.shared.layer import Layer, Param
from nnjit.nn.notation.recurrence import Recurrence


class Normalisation(Layer):
    """(x - mean) / √(variance + epsilon) · scale + shift, with x (B, …, C), scale and shift (C,)."""

    over: ClassVar[str]
    """What mean and variance are taken over, in words."""

    epsilon: float = Field(1e-5, gt=0)
    """What is added to the variance, > 0."""
    scale: bool = True
    """Whether the result is multiplied by a trained array, which begins with 1."""
    shift: bool = True
    """Whether a trained array is added, which begins with 0."""

    def output_shape(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if not x:
            raise GraphError(f"{self.type} takes at least one axis of an example, got ()")
        return x

    def recurrence(self, *inputs: Shape) -> Recurrence:
        unit, scale, shift = call("normal", X), symbol("scale"), symbol("shift")
        out = unit * scale if self.scale else unit
        g = G * scale if self.scale else G
        back = (g - call("mean", g) - unit * call("mean", g * unit)) / call("deviation", X)
        gradients = {"scale": over_rows(G * unit)} if self.scale else {}
        gradients |= {"shift": over_rows(G)} if self.shift else {}
        note = (
            "normal(x) is (x − mean(x)) / deviation(x), and deviation(x) the root of the variance and "
            f"{self.epsilon:g}, mean and variance being those {self.over}"
        )
        return Recurrence(out + shift if self.shift else out, (back,), gradients, note=note)

    def params(self, *inputs: Shape) -> tuple[Param, ...]:
        (x,) = inputs
        scale = Param("scale", x[-1:], Constant(value=1.0), penalized=False)
        shift = Param("shift", x[-1:], Zeros(), penalized=False)
        return (scale,) * self.scale + (shift,) * self.shift
