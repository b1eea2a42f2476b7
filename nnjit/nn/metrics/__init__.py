"""The metrics, by what they are made of; importing the room registers them."""

from nnjit.nn.metrics.confusion import F1, BalancedAccuracy, Matthews, Precision, Recall
from nnjit.nn.metrics.decisions import Accuracy, BinaryAccuracy, LogLoss, TopK
from nnjit.nn.metrics.rankings import AveragePrecision, RocAuc
from nnjit.nn.metrics.values import R2, ExplainedVariance, Mae, Mape, Mse, Rmse

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BinaryAccuracy",
    "ExplainedVariance",
    "LogLoss",
    "Mae",
    "Mape",
    "Matthews",
    "Mse",
    "Precision",
    "Recall",
    "Rmse",
    "RocAuc",
    "TopK",
]  # fmt: skip
