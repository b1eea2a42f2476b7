"""Wrap metrics for one of several outputs: they read its columns and have its name as a prefix."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy
from pydantic import InstanceOf

import nnjit.numpy as np
from nnjit.nn import Metric, Reads, SummedMetric, WholeMetric
from nnjit.nn.array import Array
from nnjit.nn.metrics.metric import RowMetric
from nnjit.training.graphs.output import Output
from nnjit.training.graphs.reading import reads_logits


class OutputLoss(RowMetric):
    """The cost of one output, with class weights but without the output's weight."""

    type: Literal["loss"] = "loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    reads: ClassVar[Reads] = "output"
    output: InstanceOf[Output]

    @property
    def column(self) -> str:
        return f"{self.output.name}_loss"

    def sums(self, prediction: Array, target: Array) -> Array:
        return np.expand_dims(np.astype(self.output.cost(prediction, target), "f64"), 1)


class OutputMetric(Metric):
    """A metric of one output, wrapping the metric of a single output."""

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

    @property
    def reads(self) -> Reads:  # type: ignore[override]  # the columns of its output are read as the metric says
        return "logits" if reads_logits(self.metric.reads) else "output"

    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        own, truth = self.output.take(prediction), self.output.truth(target)
        return self.metric.totals(*self.output.reading.of(self.metric.reads, own, own, truth), weight)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return self.metric.finish(sums, weight)


class WholeOutputMetric(OutputMetric, WholeMetric):
    """A metric of one output over a whole split."""

    type: Literal["whole"] = "whole"
    reads: ClassVar[Literal["scores", "logits"]] = "logits"
    metric: InstanceOf[WholeMetric]

    def measure(self, scores: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        own = self.output.reading.scores(self.output.take(scores))
        return self.metric.measure(own, self.output.truth(target), weight)


def output_metric(output: Output, metric: Metric) -> OutputMetric:
    """Wrap `metric` for one of several outputs."""
    if isinstance(metric, SummedMetric):
        return SummedOutputMetric(output=output, metric=metric)
    assert isinstance(metric, WholeMetric)
    return WholeOutputMetric(output=output, metric=metric)
