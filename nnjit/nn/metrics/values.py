"""Metrics of values: errors, and how much of the targets' variance the predictions explain."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.metrics.metric import SummedMetric, ValueMetric, metrics
from nnjit.nn.targets import VARIANCE_TOLERANCE, as_values


@metrics.register
class Mae(SummedMetric):
    """Mean absolute error, of each target column by itself; of more than 20, over them too."""

    type: Literal["mae"] = "mae"
    also_called: ClassVar[tuple[str, ...]] = ("mean_absolute_error",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.abs(p - t), axis=1, keepdims=True)


@metrics.register
class Mse(SummedMetric):
    """Mean squared error, of each target column by itself; of more than 20, over them too."""

    type: Literal["mse"] = "mse"
    also_called: ClassVar[tuple[str, ...]] = ("mean_squared_error",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.square(p - t), axis=1, keepdims=True)


@metrics.register
class Rmse(SummedMetric):
    """The root of `mse`, of each target column by itself; scikit-learn averages the roots."""

    type: Literal["rmse"] = "rmse"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        return Mse().sums(prediction, target)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return math.sqrt(sums[0] / weight)


@metrics.register
class Mape(ValueMetric, SummedMetric):
    """Mean absolute percentage error |t - p| / |t|, of each target column and over them; as a fraction.

    A target of 0 counts as float64's smallest step from 1, as in scikit-learn, so that it makes the value
    huge: this metric is for targets that are far from 0.
    """

    type: Literal["mape"] = "mape"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        least = float(numpy.finfo(numpy.float64).eps)
        return np.mean(np.abs(p - t) / np.maximum(np.abs(t), least), axis=1, keepdims=True)


@metrics.register
class R2(ValueMetric, SummedMetric):
    """1 - Σ(t - p)² / Σ(t - mean t)², for each target column, and their mean, scikit-learn's `r2_score`.

    An output whose target is constant counts 1 where it is predicted exactly and 0 elsewhere, as there.
    """

    type: Literal["r2"] = "r2"
    also_called: ClassVar[tuple[str, ...]] = ("r2_score",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.concatenate([np.square(t - p), t, np.square(t)], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        residual, total, squares = numpy.asarray(sums, numpy.float64).reshape(3, -1)
        return _explained(residual, squares - total * total / weight, squares)


@metrics.register
class ExplainedVariance(ValueMetric, SummedMetric):
    """1 - Var(t - p) / Var t, for each target column, and their mean, as in scikit-learn.

    Unlike `r2`, it does not mind that all predictions are off by the same. A constant target counts as there.
    """

    type: Literal["explained_variance"] = "explained_variance"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.concatenate([t - p, np.square(t - p), t, np.square(t)], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        error, errors, total, squares = numpy.asarray(sums, numpy.float64).reshape(4, -1)
        return _explained(errors - error * error / weight, squares - total * total / weight, squares)


def _explained(residual: numpy.ndarray, variation: numpy.ndarray, squares: numpy.ndarray) -> float:
    """The mean of 1 - residual / variation over the outputs; `squares` tell what of both is only rounding."""
    is_constant = variation <= VARIANCE_TOLERANCE * squares
    scores = 1 - residual / numpy.where(is_constant, 1.0, variation)
    return float(numpy.mean(numpy.where(is_constant, residual <= VARIANCE_TOLERANCE * squares, scores)))


def _values(metric: SummedMetric, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Prediction and target as float64 (B, O), so that their squares are exact enough to subtract."""
    return as_values(np.astype(prediction, "f64"), target, metric.type)
