"""Join the losses of several outputs into one loss, their weighted sum.

C = Σ weight · C_output for each example. The outputs are columns of the model's output (B, ΣO), the targets
columns of y (B, T), with classes as indices. So graphs, kernels and the loop only know a single output.
"""

from __future__ import annotations

from typing import Literal

from pydantic import InstanceOf

import nnjit.numpy as np
from nnjit.nn import Loss
from nnjit.nn.array import Array
from nnjit.nn.formula import A, Formula, joined
from nnjit.nn.losses.loss import SumOfSquares
from nnjit.training.graphs.output import Output, weighted


class JointLoss(Loss):
    """Σⱼ weightⱼ Cₖⱼ, the weighted sum of the costs of several outputs."""

    type: Literal["several"] = "several"
    outputs: tuple[InstanceOf[Output], ...]

    def __call__(self, output: Array, target: Array) -> Array:
        first, *rest = (weighted(each.weight, each.cost(output, target)) for each in self.outputs)
        return sum(rest, first)

    def slope(self, outputs: int) -> Formula | None:
        parts = []
        for each in self.outputs:
            slope = each.loss.slope(each.width)
            if slope is None:
                return None
            formula = slope.filled({"a": each.take_formula(A), "y": each.letter("y")})
            parts.append(each.weighted_formula(formula))
        return joined(*parts)

    def predict(self, output: Array) -> Array:
        return np.concatenate([each.loss.predict(each.take(output)) for each in self.outputs], axis=1)


class JointSquares(JointLoss, SumOfSquares):
    """The joint loss of outputs whose losses are all sums of squares, which is also a sum of squares."""

    def residuals(self, output: Array, target: Array) -> Array:
        return np.concatenate([each.residuals(output, target) for each in self.outputs], axis=1)


def joint_loss(outputs: tuple[Output, ...]) -> JointLoss:
    """Join the losses of several outputs."""
    are_squares = all(isinstance(each.loss, SumOfSquares) for each in outputs)
    return (JointSquares if are_squares else JointLoss)(outputs=outputs)
