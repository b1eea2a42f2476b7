"""The base classes of metrics: a metric is a value for people, of a whole split.

Most are summed while the split streams by: such a metric gives a few float64 values for each example, whose
weighted sums over the split are all that it needs at the end, so it has a column in the history. The others
rank the examples and need the predictions for all of them at once. Since epochs run natively by the
hundreds, these are measured at the end, and after every epoch only if early stopping, a goal or a schedule
follows them. The prediction is what `Loss.predict` returns: probabilities, or values. Since probabilities
saturate, what ranks them or takes their logarithms reads logits; and since a sum of squares of values far
from 0 leaves no digits to their variance, measures of differences read values less a number near them.
Targets are class indices (B,), or values (B, O); the metrics of values read class indices as one-hot rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, Self

import numpy

import nnjit.numpy as np
from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.nn.targets import OR_CLASSES, check_zero_or_one
from nnjit.registry import Options, Registry

Reads = Literal["prediction", "centered", "class_scores", "log_probabilities", "output", "logits"]
"""What a summed metric takes: the prediction; both it and the target less a number near the target's mean,
where only their differences matter; the scores or the `log_probabilities` of the classes; or, of several
outputs, the output of the model, or the same without a last sigmoid or softmax."""


class Metric(Options, ABC):
    """A measure of quality over a whole split."""

    better: ClassVar[Literal["higher", "lower"]]
    """Which of two values is better."""
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "never"
    """Whether each of several target columns has one too, or each has one instead of their mean, since it has
    the unit of its target."""
    compares_decisions: ClassVar[bool] = False
    """Whether it is about the classes that are decided on alone, whatever their probabilities."""

    type: str

    @property
    def column(self) -> str:
        """Its name in the files of a run: its type and every option that is not at its default: `top_k_3`."""
        fields = type(self).model_fields.items()
        given = [getattr(self, name) for name, field in fields if getattr(self, name) != field.default]
        return "_".join(map(str, [self.type, *given]))

    def check(self, classes: int | None) -> None:
        """Raise a ConfigError if data of `classes` classes (None: of values) has no such metric."""
        return

    def check_targets(self, target: numpy.ndarray) -> None:
        """Raise a UserError if target values (n, O) are outside the domain; class indices never are."""
        return

    def for_rounding(self, rounding: numpy.ndarray) -> Self:
        """The metric of targets (n, O) whose equal values may be so far apart (O,)."""
        return self


class SummedMetric(Metric):
    """A metric of sums over the split, known after every epoch."""

    reads: ClassVar[Reads] = "prediction"
    """What `totals` takes for the prediction."""

    @abstractmethod
    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        """The weighted sums (S,) of a batch, float64, which add up over batches; weights are (B, 1)."""

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        """The metric, for the totals (S,) of a split, and the sum of the weights."""
        return float(sums[0] / weight)

    def finish_all(self, sums: numpy.ndarray, weights: numpy.ndarray) -> numpy.ndarray:
        """The metric (n,) for n such totals (n, S), and as many sums of weights."""
        if type(self).finish is SummedMetric.finish:
            return numpy.asarray(sums[:, 0] / weights)
        return numpy.array([self.finish(s, float(w)) for s, w in zip(sums, weights, strict=True)])


class RowMetric(SummedMetric):
    """A metric of sums of values that each example has by itself."""

    @abstractmethod
    def sums(self, prediction: Array, target: Array) -> Array:
        """The values of each example, float64, shape (B, S)."""

    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        return np.sum(self.sums(prediction, target) * weight, axis=0)


class WholeMetric(Metric):
    """A metric of all examples of a split at once, measured at the end, and where something follows it."""

    reads: ClassVar[Literal["scores", "logits"]] = "scores"
    """What `measure` takes; of several outputs it is their logits."""

    @abstractmethod
    def measure(self, scores: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        """The metric; nan if it has no value.

        Args:
            scores: (n, O) in the order of the predictions, see `log_odds`.
            target: (n,) or (n, O).
            weight: (n,) > 0.
        """


class ClassMetric(Metric):
    """A metric of data with classes alone."""

    def check(self, classes: int | None) -> None:
        if classes is None:
            raise ConfigError(
                f"{self.type} needs data with classes, but its targets are values; choose f1 or "
                f"binary_accuracy where each is a yes or no, mae or r2 elsewhere{OR_CLASSES}"
            )


class LabelMetric(Metric):
    """A metric of classes, or of target values that are 0 or 1, each a yes or no of its own."""

    def check_targets(self, target: numpy.ndarray) -> None:
        check_zero_or_one(target, self.type)


class ValueMetric(Metric):
    """A metric of data with values alone."""

    def check(self, classes: int | None) -> None:
        if classes is not None:
            raise ConfigError(
                f"{self.type} needs targets that are values, but those of the data are classes; choose a "
                "metric of classes, such as accuracy or f1"
            )


metrics: Registry[Metric] = Registry("metric")
