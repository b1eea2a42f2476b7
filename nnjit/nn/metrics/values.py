"""Metrics of values: errors, and the fraction of the targets' variance that predictions explain."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, NamedTuple, Self

import numpy
from pydantic import PrivateAttr

import nnjit.numpy as np
from nnjit.nn.array import Array
from nnjit.nn.metrics.metric import Reads, RowMetric, SummedMetric, ValueMetric, metrics
from nnjit.nn.targets import VARIANCE_TOLERANCE, as_values

ROUNDING = 4 * float(numpy.finfo(numpy.float64).eps)  # relative, of a product and a quotient


@metrics.register
class Mae(RowMetric):
    """Mean absolute error of each target column; with more than 20, over all of them too."""

    type: Literal["mae"] = "mae"
    also_called: ClassVar[tuple[str, ...]] = ("mean_absolute_error",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "instead"
    reads: ClassVar[Reads] = "centered"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.abs(p - t), axis=1, keepdims=True)


@metrics.register
class Mse(RowMetric):
    """Mean squared error of each target column; with more than 20, over all of them too."""

    type: Literal["mse"] = "mse"
    also_called: ClassVar[tuple[str, ...]] = ("mean_squared_error",)
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "instead"
    reads: ClassVar[Reads] = "centered"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.square(p - t), axis=1, keepdims=True)


@metrics.register
class Rmse(RowMetric):
    """The root of `mse`, of each target column; scikit-learn averages the roots."""

    type: Literal["rmse"] = "rmse"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "instead"
    reads: ClassVar[Reads] = "centered"

    def sums(self, prediction: Array, target: Array) -> Array:
        return Mse().sums(prediction, target)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return math.sqrt(sums[0] / weight)


@metrics.register
class Mape(ValueMetric, RowMetric):
    """Mean absolute percentage error |t - p| / |t|, of each target column and over all; as a fraction.

    A target of 0 counts as float64's machine epsilon, as in scikit-learn, and makes the value huge: use this
    metric for targets far from 0.
    """

    type: Literal["mape"] = "mape"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "too"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        least = float(numpy.finfo(numpy.float64).eps)
        return np.mean(np.abs(p - t) / np.maximum(np.abs(t), least), axis=1, keepdims=True)


class _Targets(NamedTuple):
    """Σ w (t - mean t)² of each output's targets, and the bound below which it is rounding error."""

    variation: numpy.ndarray
    noise: numpy.ndarray


class VarianceMetric(ValueMetric, SummedMetric):
    """A metric of how much of the targets' variance the predictions explain."""

    better: ClassVar[Literal["higher", "lower"]] = "higher"
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "too"
    reads: ClassVar[Reads] = "centered"
    _rounding: numpy.ndarray = PrivateAttr(default_factory=lambda: numpy.zeros(1))

    def for_rounding(self, rounding: numpy.ndarray) -> Self:
        metric = self.model_copy()
        metric._rounding = rounding
        return metric

    def explained(self, residual: numpy.ndarray, of: _Targets, is_exact: numpy.ndarray) -> float:
        """The mean over outputs of 1 - residual / variation; for a constant target, of `is_exact`."""
        is_constant = of.variation <= of.noise
        scores = 1 - residual / numpy.where(is_constant, 1.0, of.variation)
        return float(numpy.mean(numpy.where(is_constant, is_exact, scores)))

    def targets(self, total: numpy.ndarray, squares: numpy.ndarray, weight: float) -> _Targets:
        """The variation to explain, from Σ w t and Σ w t² of the targets."""
        noise = VARIANCE_TOLERANCE * squares + weight * numpy.square(self._rounding)
        return _Targets(squares - total * total / weight, noise)


@metrics.register
class R2(VarianceMetric, RowMetric):
    """1 - Σ(t - p)² / Σ(t - mean t)², for each target column, and their mean, scikit-learn's `r2_score`.

    If the target is constant, or constant up to rounding, it is 1 for exact predictions and else 0, as there.
    """

    type: Literal["r2"] = "r2"
    also_called: ClassVar[tuple[str, ...]] = ("r2_score",)

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.concatenate([np.square(t - p), t, np.square(t)], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        residual, total, squares = numpy.asarray(sums, numpy.float64).reshape(3, -1)
        targets = self.targets(total, squares, weight)
        return self.explained(residual, targets, residual <= targets.noise)


@metrics.register
class ExplainedVariance(VarianceMetric):
    """1 - Var(t - p) / Var t, for each target column, and their mean, as in scikit-learn.

    Unlike `r2`, it ignores a constant error of all predictions. A constant target counts as there.
    """

    type: Literal["explained_variance"] = "explained_variance"

    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        """Σ w of e, ē², (e - ē)², t and t², with the batch's mean error ē, so an offset costs no digits."""
        p, t = _values(self, prediction, target)
        rows, error = np.sum(weight), np.sum((t - p) * weight, axis=0)
        mean = error / np.where(rows > 0, rows, 1.0)
        values = [np.square(t - p - mean), t, np.square(t)]
        sums = np.sum(np.concatenate(values, axis=1) * weight, axis=0)
        is_any = np.astype(rows > 0, "f64")  # also, no total is itself a concatenation
        return np.concatenate([error, error * mean, sums]) * is_any

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        error, offset, within, total, squares = numpy.asarray(sums, numpy.float64).reshape(5, -1)
        between = offset - error * error / weight
        between = numpy.where(between > ROUNDING * offset, between, 0.0)
        residual, targets = within + between, self.targets(total, squares, weight)
        is_same = residual <= VARIANCE_TOLERANCE**2 * offset  # all predictions have the same offset
        return self.explained(residual, targets, is_same | (within + offset <= targets.noise))


def _values(metric: SummedMetric, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Prediction and target as float64 (B, O)."""
    return as_values(np.astype(prediction, "f64"), target, metric.type)
