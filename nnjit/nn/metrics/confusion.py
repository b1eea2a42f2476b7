"""Metrics of three counts: how often each class is true, predicted, and both.

Values and options are scikit-learn's. As there, a score with denominator 0 is 0. Precision, recall and F1
also take *labels*, several target values that are 0 or 1: each is then a separate yes or no.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, Literal

import numpy

import nnjit.numpy as np
from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.nn.metrics.metric import ClassMetric, LabelMetric, RowMetric, metrics
from nnjit.nn.targets import VARIANCE_TOLERANCE, are_labels, as_classes, as_columns, as_values


class Confusion(RowMetric):
    """A metric of three counts for each class; a single output means class 1 if it is above 1/2."""

    better: ClassVar[Literal["higher", "lower"]] = "higher"
    compares_decisions: ClassVar[bool] = True

    def sums(self, prediction: Array, target: Array) -> Array:
        scores = as_columns(prediction, self.type)
        classes = max(scores.shape[1], 2)
        top = np.max(scores, axis=1, keepdims=True)
        true = np.one_hot(as_classes(target, self.type), classes, "f64")
        predicted = np.one_hot(as_classes(prediction, self.type), classes, "f64")
        predicted = np.where(np.equal(top, top), predicted, 0.0)  # a NaN predicts nothing
        return np.concatenate([true, predicted, true * predicted], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return self.score(*numpy.asarray(sums, numpy.float64).reshape(3, -1))

    @abstractmethod
    def score(self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray) -> float:
        """The metric, from how often each class (K,) is true, predicted, and both."""


class Averaged(LabelMetric, Confusion):
    """A ratio for each class or label, averaged to one value."""

    average: Literal["auto", "binary", "macro", "micro", "weighted"] = "auto"
    """How to combine the values of the classes; auto is binary for two classes and macro for more.

    binary: the value of the second class. macro: the mean over the classes that occur. micro: the value from
    the summed counts of all classes. weighted: the mean weighted by how often each class is true. Each of
    several target columns of 0 and 1 is like a class that is true at 1; auto is then macro, over all.
    """

    def sums(self, prediction: Array, target: Array) -> Array:
        """The counts, followed by whether they count labels, which `finish` could not tell."""
        is_of_labels = are_labels(prediction, target)
        counts = _of_labels(prediction, target) if is_of_labels else super().sums(prediction, target)
        return np.concatenate([counts, np.full_like(counts[:, :1], is_of_labels)], axis=1)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        true, predicted, right = numpy.asarray(sums[:-1], numpy.float64).reshape(3, -1)
        return self._of_all(true, predicted, right) if sums[-1] else self.score(true, predicted, right)

    @abstractmethod
    def ratio(
        self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Numerator and denominator for each class."""

    def score(self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray) -> float:
        if self.average == "binary" or (self.average == "auto" and len(true) == 2):
            return float(_divided(*self.ratio(true, predicted, right))[1])
        occurs = true + predicted > 0
        return self._of_all(true[occurs], predicted[occurs], right[occurs])

    def _of_all(self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray) -> float:
        """Average the values of classes or labels, all included."""
        if self.average == "micro":
            true, predicted, right = (counts.sum(keepdims=True) for counts in (true, predicted, right))
        scores = _divided(*self.ratio(true, predicted, right))
        weights = true if self.average == "weighted" else numpy.ones(len(scores))
        return float(_divided(scores @ weights, weights.sum()))

    def check(self, classes: int | None) -> None:
        if classes is not None:
            self._check_binary(classes == 2, f"{classes} classes")

    def check_targets(self, target: numpy.ndarray) -> None:
        super().check_targets(target)
        self._check_binary(target.shape[1] == 1, f"{target.shape[1]} columns of targets")

    def _check_binary(self, is_binary: bool, what: str) -> None:
        if self.average == "binary" and not is_binary:
            raise ConfigError(f'expected macro, micro or weighted for {what}, got "binary"', ("average",))


@metrics.register
class Precision(Averaged):
    """The fraction of the examples predicted to be of a class that are of it."""

    type: Literal["precision"] = "precision"

    def ratio(
        self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        return right, predicted


@metrics.register
class Recall(Averaged):
    """The fraction of the examples of a class that are predicted to be of it."""

    type: Literal["recall"] = "recall"

    def ratio(
        self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        return right, true


@metrics.register
class F1(Averaged):
    """The harmonic mean of precision and recall of a class."""

    type: Literal["f1"] = "f1"
    also_called: ClassVar[tuple[str, ...]] = ("f1_score", "f_score")

    def ratio(
        self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray
    ) -> tuple[numpy.ndarray, numpy.ndarray]:
        return 2 * right, true + predicted


@metrics.register
class BalancedAccuracy(ClassMetric, Confusion):
    """The mean recall of the classes that occur, so that each class counts the same."""

    type: Literal["balanced_accuracy"] = "balanced_accuracy"

    def score(self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray) -> float:
        return float(_divided(right, true)[true > 0].mean())


@metrics.register
class Matthews(ClassMetric, Confusion):
    """The correlation of truth and prediction, from -1 to 1; 0 for chance or a constant prediction.

    scikit-learn's `matthews_corrcoef`. Reference: Matthews 1975; Gorodkin 2004 for more than two classes.
    """

    type: Literal["matthews"] = "matthews"
    also_called: ClassVar[tuple[str, ...]] = ("mcc", "matthews_corrcoef")

    def score(self, true: numpy.ndarray, predicted: numpy.ndarray, right: numpy.ndarray) -> float:
        total = true.sum()
        together = right.sum() * total - true @ predicted
        variations = total**2 - true @ true, total**2 - predicted @ predicted
        is_constant = min(variations) <= VARIANCE_TOLERANCE * total**2
        return 0.0 if is_constant else float(together / math.sqrt(variations[0] * variations[1]))


def _of_labels(prediction: Array, target: Array) -> Array:
    """Whether each label is true, predicted, and both (B, 3 O), at 1/2; a NaN predicts nothing."""
    p, t = as_values(prediction, target, "labels")
    true, predicted = np.astype(t > 0.5, "f64"), np.astype(p > 0.5, "f64")
    return np.concatenate([true, predicted, true * predicted], axis=1)


def _divided(part: numpy.ndarray, whole: numpy.ndarray) -> numpy.ndarray:
    """The quotient part / whole; 0 where `whole` is 0."""
    return numpy.asarray(part / numpy.where(whole > 0, whole, 1.0) * (whole > 0))
