"""The base classes of metrics: a metric is a value for people, of a whole split.

Most are summed while the split streams by: such a metric gives a few float64 values for each example, whose
weighted sums over the split are all that it needs at the end, so it has a column in the history. The others
rank the examples and need the predictions for all of them at once. Since epochs run natively by the
hundreds, these are measured at the end, and after every epoch only if early stopping, a goal or a schedule
follows them. The prediction is what `Loss.predict` returns: probabilities, or values.
Targets are class indices (B,), or values (B, O); the metrics of values read class indices as one-hot rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy

from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.nn.targets import check_zero_or_one
from nnjit.registry import Options, Registry


class Metric(Options, ABC):
    """A measure of quality over a whole split."""

    better: ClassVar[Literal["higher", "lower"]]
    """Which of two values is better."""

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


class SummedMetric(Metric):
    """A metric of sums over the split, known after every epoch."""

    reads: ClassVar[Literal["prediction", "output"]] = "prediction"
    """What `sums` takes: the prediction, or the model's output itself."""

    @abstractmethod
    def sums(self, prediction: Array, target: Array) -> Array:
        """The values of each example, float64, shape (B, S)."""

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        """The metric, for the weighted sums (S,) of the values over a split, and the sum of the weights."""
        return float(sums[0] / weight)


class WholeMetric(Metric):
    """A metric of all examples of a split at once, measured at the end, and where something follows it."""

    @abstractmethod
    def measure(self, prediction: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        """The metric, for predictions (n, O), targets (n,) or (n, O), and weights (n,) > 0; nan for none."""


class ClassMetric(Metric):
    """A metric of data with classes alone."""

    def check(self, classes: int | None) -> None:
        if classes is None:
            raise ConfigError(
                f"{self.type} needs data with classes, but its targets are values; choose f1 or "
                "binary_accuracy where each is a yes or no, mae or r2 elsewhere, or set task: classification"
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
