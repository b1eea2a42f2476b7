"""Metrics of classes as means over examples: hits, and the probability of the true class."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy

import nnjit.numpy as np
from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.nn.metrics.metric import ClassMetric, Reads, RowMetric, metrics
from nnjit.nn.targets import (
    OR_CLASSES,
    as_classes,
    as_columns,
    as_values,
    check_fractions,
    check_sums,
    is_classes,
)
from nnjit.registry import Count

MEND = f"choose a metric of values, such as mae or r2{OR_CLASSES}"


@metrics.register
class Accuracy(RowMetric):
    """The fraction of examples whose class has the largest output.

    With one output, the fraction whose prediction and target are on the same side of 1/2. Rows of several
    target values count as one-hot, or as probabilities that sum to 1. If each output is a separate yes or no,
    use `binary_accuracy`.
    """

    type: Literal["accuracy"] = "accuracy"
    also_called: ClassVar[tuple[str, ...]] = ("acc", "categorical_accuracy", "sparse_categorical_accuracy")
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    compares_decisions: ClassVar[bool] = True

    def sums(self, prediction: Array, target: Array) -> Array:
        is_hit = np.equal(as_classes(prediction, self.type), as_classes(target, self.type))
        top = np.max(as_columns(prediction, self.type), axis=1)
        return _column(np.logical_and(is_hit, np.equal(top, top)))  # a NaN is never a hit

    def check_targets(self, target: numpy.ndarray) -> None:
        check_fractions(target, f"{self.type} needs classes, or targets from 0 to 1", MEND)
        if target.shape[1] > 1:
            mend = "; choose binary_accuracy if each output is a separate yes or no"
            check_sums(target, self.type, mend)


@metrics.register
class BinaryAccuracy(RowMetric):
    """The fraction of outputs, each a separate yes or no, on the same side of 1/2 as their targets.

    1/2 itself means no. Keras's `BinaryAccuracy`, and 1 - scikit-learn's `hamming_loss`. Class indices count
    as one-hot rows.
    """

    type: Literal["binary_accuracy"] = "binary_accuracy"
    also_called: ClassVar[tuple[str, ...]] = ("hamming",)
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    compares_decisions: ClassVar[bool] = True

    def sums(self, prediction: Array, target: Array) -> Array:
        p, t = as_values(prediction, target, self.type)
        is_yes = np.logical_and(p > 0.5, t > 0.5)
        is_no = np.logical_and(p <= 0.5, t <= 0.5)  # not the negation of yes, so that a NaN is never a hit
        return np.mean(np.astype(np.logical_or(is_yes, is_no), "f64"), axis=1, keepdims=True)

    def check_targets(self, target: numpy.ndarray) -> None:
        check_fractions(target, f"{self.type} needs classes, or targets from 0 to 1", MEND)


@metrics.register
class TopK(ClassMetric, RowMetric):
    """The fraction of examples whose class is among the `k` most probable; ties go to the first."""

    type: Literal["top_k"] = "top_k"
    also_called: ClassVar[tuple[str, ...]] = ("top_k_accuracy", "top_k_categorical_accuracy")
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    reads: ClassVar[Reads] = "class_scores"
    k: Count = 5
    """The number of guesses, >= 1."""

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
        super().check(classes)
        if classes is not None and self.k > classes:
            raise ConfigError(f"expected at most the number of classes, {classes}, got {self.k}", ("k",))


@metrics.register
class LogLoss(ClassMetric, RowMetric):
    """The mean of -log p, for the probability p of the true class.

    As scikit-learn's `log_loss`, but computed from the logits, so a confident mistake has its exact cost at
    any p. Outputs that are probabilities themselves, as with `squared_error`, count at least as the type's
    machine epsilon, as there. The probabilities of an example are scaled to sum to 1, which matters if each
    class is a separate yes or no. It has no penalty or label smoothing, so it can compare losses.
    """

    type: Literal["log_loss"] = "log_loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    reads: ClassVar[Reads] = "log_probabilities"

    def sums(self, prediction: Array, target: Array) -> Array:
        log_p = np.astype(prediction, "f64")
        truth = np.one_hot(as_classes(target, self.type), log_p.shape[1], "f64")
        return -np.sum(np.where(truth > 0, log_p, 0.0), axis=1, keepdims=True)


def _column(is_hit: Array) -> Array:
    return np.expand_dims(np.astype(is_hit, "f64"), 1)
