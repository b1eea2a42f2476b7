"""The base classes of metrics: a metric is one value of quality for a whole split.

Most are summed while the split streams by: such a metric computes a few float64 values per example and needs
only their weighted sums over the split, so it has a column in the history. The others rank the examples and
need all predictions at once. Since epochs run natively by the hundreds, these are measured at the end, and
after every epoch only if early stopping, a goal or a schedule follows them. The prediction is the result of
`Loss.predict`: probabilities, or values. Probabilities saturate, so ranks and logarithms are computed from
logits; and a sum of squares of values far from 0 leaves no digits for their variance, so differences are
computed from values minus a number near them. Targets are class indices (B,), or values (B, O); metrics of
values read class indices as one-hot rows.
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
"""The input of a summed metric: the prediction; prediction and target minus a number near the target's mean,
if only differences matter; the classes' scores or `log_probabilities`; or, with several outputs, the model's
output, with or without a final sigmoid or softmax."""


class Metric(Options, ABC):
    """A measure of quality over a whole split."""

    better: ClassVar[Literal["higher", "lower"]]
    """Which of two values is better."""
    of_each_target: ClassVar[Literal["never", "too", "instead"]] = "never"
    """Whether each of several target columns has its own value too, or only its own, instead of a mean, since
    values have the units of their targets."""
    compares_decisions: ClassVar[bool] = False
    """Whether it depends on the predicted classes alone, not on probabilities."""

    type: str

    @property
    def column(self) -> str:
        """Its name in a run's files: its type, and every option not at its default, as in `top_k_3`."""
        fields = type(self).model_fields.items()
        given = [getattr(self, name) for name, field in fields if getattr(self, name) != field.default]
        return "_".join(map(str, [self.type, *given]))

    def check(self, classes: int | None) -> None:
        """Raise a ConfigError if data with `classes` classes (None: with values) has no such metric."""
        return

    def check_targets(self, target: numpy.ndarray) -> None:
        """Raise a UserError if target values (n, O) are outside the domain; class indices never are."""
        return

    def for_rounding(self, rounding: numpy.ndarray) -> Self:
        """The metric for targets (n, O) in which equal values may differ by this much (O,)."""
        return self


class SummedMetric(Metric):
    """A metric of sums over the split, known after every epoch."""

    reads: ClassVar[Reads] = "prediction"
    """The form of the prediction that `totals` takes."""

    @abstractmethod
    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        """The weighted sums (S,) of a batch, float64, to add up over batches; weights are (B, 1)."""

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        """The metric, from a split's totals (S,) and its sum of weights."""
        return float(sums[0] / weight)

    def finish_all(self, sums: numpy.ndarray, weights: numpy.ndarray) -> numpy.ndarray:
        """The metrics (n,) from n such totals (n, S) and sums of weights."""
        if type(self).finish is SummedMetric.finish:
            return numpy.asarray(sums[:, 0] / weights)
        return numpy.array([self.finish(s, float(w)) for s, w in zip(sums, weights, strict=True)])


class RowMetric(SummedMetric):
    """A metric of sums of values that depend on one example each."""

    @abstractmethod
    def sums(self, prediction: Array, target: Array) -> Array:
        """The values of each example, float64, shape (B, S)."""

    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        return np.sum(self.sums(prediction, target) * weight, axis=0)


class WholeMetric(Metric):
    """A metric of all examples of a split at once, measured at the end, and each epoch if followed."""

    reads: ClassVar[Literal["scores", "logits"]] = "scores"
    """The form of the prediction that `measure` takes; with several outputs, their logits."""

    @abstractmethod
    def measure(self, scores: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        """The metric; NaN if undefined.

        Args:
            scores: (n, O), ordered as the predictions, see `log_odds`.
            target: (n,) or (n, O).
            weight: (n,) > 0.
        """


class ClassMetric(Metric):
    """A metric for data with classes only."""

    def check(self, classes: int | None) -> None:
        if classes is None:
            raise ConfigError(
                f"{self.type} needs data with classes, but its targets are values; choose f1 or "
                f"binary_accuracy where each is a yes or no, mae or r2 elsewhere{OR_CLASSES}"
            )


class LabelMetric(Metric):
    """A metric of classes, or of target values that are 0 or 1, each a separate yes or no."""

    def check_targets(self, target: numpy.ndarray) -> None:
        check_zero_or_one(target, self.type)


class ValueMetric(Metric):
    """A metric for data with values only."""

    def check(self, classes: int | None) -> None:
        if classes is not None:
            raise ConfigError(
                f"{self.type} needs targets that are values, but those of the data are classes; choose a "
                "metric of classes, such as accuracy or f1"
            )


metrics: Registry[Metric] = Registry("metric")
