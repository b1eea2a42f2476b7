"""Wrap metrics for one of several outputs: they read its columns, and their names begin with its name."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy
from pydantic import InstanceOf

import nnjit.numpy as np
from nnjit.nn import Metric, SummedMetric, WholeMetric
from nnjit.nn.array import Array
from nnjit.training.graphs.output import Output


class OutputLoss(SummedMetric):
    """The cost of one output, times its class weights and without its own weight."""

    type: Literal["loss"] = "loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    reads: ClassVar[Literal["prediction", "output"]] = "output"
    output: InstanceOf[Output]

    @property
    def column(self) -> str:
        return f"{self.output.name}_loss"

    def sums(self, prediction: Array, target: Array) -> Array:
        return np.expand_dims(np.astype(self.output.cost(prediction, target), "f64"), 1)


class OutputMetric(Metric):
    """A metric of one output, which wraps that of a single output."""

    output: InstanceOf[Output]
    metric: InstanceOf[Metric]

    @property
    def better(self) -> Literal["higher", "lower"]:  # type: ignore[override]  # the wrapped metric's
        return self.metric.better

    @property
    def column(self) -> str:
        return f"{self.output.name}_{self.metric.column}"


class SummedOutputMetric(OutputMetric, SummedMetric):
    """A summed metric of one output."""

    type: Literal["sums"] = "sums"
    metric: InstanceOf[SummedMetric]

    def sums(self, prediction: Array, target: Array) -> Array:
        predicted, truth = self.output.take(prediction), self.output.truth(target)
        return self.metric.sums(self.output.in_own_unit(predicted), self.output.in_own_unit(truth))

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return self.metric.finish(sums, weight)


class WholeOutputMetric(OutputMetric, WholeMetric):
    """A metric of one output over a whole split."""

    type: Literal["whole"] = "whole"
    metric: InstanceOf[WholeMetric]

    def measure(self, prediction: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        return self.metric.measure(self.output.take(prediction), self.output.truth(target), weight)


def output_metric(output: Output, metric: Metric) -> OutputMetric:
    """`metric` for one of several outputs."""
    if isinstance(metric, SummedMetric):
        return SummedOutputMetric(output=output, metric=metric)
    assert isinstance(metric, WholeMetric)
    return WholeOutputMetric(output=output, metric=metric)
