"""Decide when a full-batch method has converged: when only rounding error is left, by either of two rules.

ε is the epsilon of the params' dtype:

    max |∇C(θ)| <= 64 ε max |∇C(θ₀)|    the gradient is negligible compared with the first one, at θ₀
    C(θ) - C(θ′) <= 4 ε |C(θ)|          for each θ′ tried: no step lowers the cost by more than its rounding

An exact zero, or any lower cost, would depend on the last bit, which differs between processors.
"""

from __future__ import annotations

import numpy

from nnjit.optim.full_batch import Vector

COST_ROUNDING = 4  # in ε: a cost is a sum, off by a few units in the last place
GRADIENT_ROUNDING = 64  # in ε: near the minimum the terms of a gradient cancel, but their errors remain
STATIONARY = "the gradient is zero, to the precision of the numbers"
NO_LOWER = "no lower cost was found along the direction of descent, to the precision of the numbers"


def largest_element(gradient: Vector) -> float:
    """The largest absolute element; unlike the Euclidean norm, it never overflows."""
    return float(numpy.abs(gradient).max(initial=0.0))


def is_negligible(gradient: Vector, scale: float, theta: Vector) -> bool:
    """Whether a gradient at `theta` is rounding error, given the first gradient's largest element `scale`."""
    return largest_element(gradient) <= GRADIENT_ROUNDING * _epsilon(theta) * scale


def is_lower(cost: float, before: float, theta: Vector) -> bool:
    """Whether a cost at `theta` is below the previous one by more than rounding; False if NaN."""
    return cost < before - COST_ROUNDING * _epsilon(theta) * abs(before)


def _epsilon(theta: Vector) -> float:
    return float(numpy.finfo(theta.dtype).eps)
