"""The schedules; importing the room registers them."""

from nnjit.optim.schedules.endless import Constant, Exponential, InverseSqrt, Piecewise, Step
from nnjit.optim.schedules.finite import Cosine, CosineRestarts, OneCycle, Polynomial
from nnjit.optim.schedules.plateau import Plateau, ReduceOnPlateau

__all__ = [
    "Constant", "Cosine", "CosineRestarts", "Exponential", "InverseSqrt", "OneCycle", "Piecewise",
    "Plateau", "Polynomial", "ReduceOnPlateau", "Step",
]  # fmt: skip
