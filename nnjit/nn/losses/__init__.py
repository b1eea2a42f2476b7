"""The losses, by what they are made for; importing the room registers them."""

from nnjit.nn.losses.entropies import (
    BinaryCrossEntropy,
    Focal,
    KlDivergence,
    SoftmaxCrossEntropy,
)
from nnjit.nn.losses.margins import Hinge, SquaredHinge
from nnjit.nn.losses.values import (
    AbsoluteError,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Poisson,
    Quantile,
    SquaredError,
    SumOfSquares,
)

__all__ = [
    "AbsoluteError", "BinaryCrossEntropy", "Focal", "Hinge", "Huber", "KlDivergence", "LogCosh",
    "MeanAbsoluteError", "MeanSquaredError", "Poisson", "Quantile", "SoftmaxCrossEntropy", "SquaredError",
    "SquaredHinge", "SumOfSquares",
]  # fmt: skip
