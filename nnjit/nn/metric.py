"""What every metric is: a figure for people, summed over a split while it streams by.

A metric gives some float64 figures for each example; their weighted sums over the split are all that it needs
in the end. (So `roc_auc` and its like, which need all scores at once, are no metrics here.) The prediction is
what `Loss.predict` returns: probabilities, or values. Targets are class indices (B,), or values (B, O); the
metrics of values read class indices as one-hot rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy

from nnjit.errors import ConfigError
from nnjit.nn.array import Array
from nnjit.registry import Options, Registry


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


class ClassMetric(Metric):
    """A metric that only data with classes has."""

    def check(self, classes: int | None) -> None:
        if classes is None:
            raise ConfigError(f"{self.type} needs data with classes, but its targets are values")


metrics: Registry[Metric] = Registry("metric")
