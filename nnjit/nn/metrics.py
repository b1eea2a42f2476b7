"""Metrics: figures for people, summed over a split while it streams by.

A metric gives some float64 figures for each example; their weighted sums over the split are all that it needs
in the end. The prediction is what `Loss.predict` returns: probabilities, or values. Targets are class indices
(B,), or values (B, O); the metrics of values read class indices as one-hot rows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy
from pydantic import Field

import nnjit.numpy as np
from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.nn.targets import as_columns, as_values, is_classes
from nnjit.registry import Options, Registry

# The share of Σt² that rounding may leave of a variance that is 0.
ROUNDING = 1e-12


class Metric(Options, ABC):
    """A figure of merit of a whole split."""

    better: ClassVar[Literal["higher", "lower"]]
    """Which of two figures is the better one."""

    type: str

    @abstractmethod
    def sums(self, prediction: Array, target: Array) -> Array:
        """The figures of each example, float64, shape (B, S)."""

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        """The metric, for the weighted sums (S,) of the figures over a split, and the sum of the weights."""
        return float(sums[0] / weight)

    def check(self, classes: int | None) -> None:
        """Raise a ConfigError where data of `classes` classes (None: of values) has no such metric."""
        return


metrics: Registry[Metric] = Registry("metric")


@metrics.register
class Accuracy(Metric):
    """The share of examples whose largest output is that of their class.

    With one output, whether prediction and target are on the same side of 1/2. Rows of several target values
    count as one-hot.
    """

    type: Literal["accuracy"] = "accuracy"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(self, prediction: Array, target: Array) -> Array:
        is_hit = np.equal(_decide(prediction), target if is_classes(target) else _decide(target))
        top = np.max(as_columns(prediction, self.type), axis=1)
        return _column(np.logical_and(is_hit, np.equal(top, top)))  # a NaN is never a hit


@metrics.register
class TopK(Metric):
    """The share of examples whose class is among the `k` most probable; of equal ones, the first count."""

    type: Literal["top_k"] = "top_k"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    k: int = Field(5, ge=1)
    """How many classes may be guessed, >= 1."""

    def sums(self, prediction: Array, target: Array) -> Array:
        scores = as_columns(prediction, self.type)
        width = scores.shape[1]
        truth = target if is_classes(target) else np.argmax(target, axis=1)
        own = np.sum(np.where(np.one_hot(truth, width, "f64") > 0, scores, 0.0), axis=1, keepdims=True)
        is_later = np.arange(width) >= np.expand_dims(truth, 1)
        # "Not beaten" instead of "beats", so that a NaN is never a hit.
        is_beaten = np.logical_or(scores < own, np.logical_and(np.equal(scores, own), is_later))
        rank = width - np.sum(np.astype(is_beaten, "f64"), axis=1)
        return _column(rank < self.k)

    def check(self, classes: int | None) -> None:
        if classes is None:
            raise ConfigError("top_k needs data with classes, but its targets are values")
        if self.k > classes:
            raise ConfigError(f"expected at most the number of classes, {classes}, got {self.k}", ("k",))


@metrics.register
class Mae(Metric):
    """Mean absolute error, over the outputs too."""

    type: Literal["mae"] = "mae"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.abs(p - t), axis=1, keepdims=True)


@metrics.register
class Mse(Metric):
    """Mean squared error, over the outputs too."""

    type: Literal["mse"] = "mse"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.mean(np.square(p - t), axis=1, keepdims=True)


@metrics.register
class Rmse(Metric):
    """The root of `mse`; scikit-learn averages the roots of several outputs instead."""

    type: Literal["rmse"] = "rmse"
    better: ClassVar[Literal["higher", "lower"]] = "lower"

    def sums(self, prediction: Array, target: Array) -> Array:
        return Mse().sums(prediction, target)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return math.sqrt(sums[0] / weight)


@metrics.register
class R2(Metric):
    """1 - Σ(t - p)² / Σ(t - mean t)², for each output; their mean, as in scikit-learn's `r2_score`.

    An output whose target is constant counts 1 where it is predicted exactly and 0 elsewhere, as there.
    """

    type: Literal["r2"] = "r2"
    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = _values(self, prediction, target)
        return np.concatenate([np.square(t - p), t, np.square(t)], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        residual, total, squares = numpy.asarray(sums, numpy.float64).reshape(3, -1)
        spread = squares - total * total / weight
        is_constant = spread <= ROUNDING * squares
        scores = 1 - residual / numpy.where(is_constant, 1.0, spread)
        return float(numpy.mean(numpy.where(is_constant, residual <= ROUNDING * squares, scores)))


def _decide(x: Array) -> Array:
    """The class that each row says, shape (B,)."""
    rows = as_columns(x, "accuracy")
    return np.argmax(rows, axis=1) if rows.shape[1] != 1 else np.astype(np.sum(rows, axis=1) > 0.5, "i32")


def _values(metric: Metric, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Prediction and target as float64 (B, O), so that their squares are exact enough to subtract."""
    return as_values(np.astype(prediction, "f64"), target, metric.type)


def _column(is_hit: Array) -> Array:
    return np.expand_dims(np.astype(is_hit, "f64"), 1)
