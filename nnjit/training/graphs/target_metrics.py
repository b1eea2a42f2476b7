"""Measure each target column separately if a mean over the columns would mix different units."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, Self

import numpy
from pydantic import InstanceOf

from nnjit.nn import Metric, Reads, SummedMetric
from nnjit.nn.array import Array
from nnjit.registry import Index

MOST = 20  # target columns measured separately; for more, such as pixels, a metric is the mean


class TargetMetric(SummedMetric):
    """A metric of one of several target columns, with the column's name as a prefix.

    Args:
        index: the column.
    """

    type: Literal["target"] = "target"
    target: str
    index: Index
    metric: InstanceOf[SummedMetric]

    @property
    def better(self) -> Literal["higher", "lower"]:  # type: ignore[override]  # the metric's
        return self.metric.better

    @property
    def column(self) -> str:
        return f"{self.target}_{self.metric.column}"

    @property
    def reads(self) -> Reads:  # type: ignore[override]  # the metric's
        return self.metric.reads

    def for_rounding(self, rounding: numpy.ndarray) -> Self:
        return self.model_copy(update={"metric": self.metric.for_rounding(rounding[self._here])})

    def totals(self, prediction: Array, target: Array, weight: Array) -> Array:
        return self.metric.totals(prediction[:, self._here], target[:, self._here], weight)

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return self.metric.finish(sums, weight)

    @property
    def _here(self) -> slice:
        return slice(self.index, self.index + 1)


def for_each_target(chosen: Iterable[Metric], names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of target columns with these names, in the order of the history's columns.

    A metric in the unit of its target is measured for each column instead of on average, a metric without a
    unit for each column and on average.
    """
    if not 1 < len(names) <= MOST:
        return tuple(chosen)
    made: list[Metric] = []
    for metric in chosen:
        if metric.of_each_target != "instead":
            made.append(metric)
        if isinstance(metric, SummedMetric) and metric.of_each_target != "never":
            made += [TargetMetric(target=n, index=k, metric=metric) for k, n in enumerate(_words(names))]
    return tuple(made)


def as_chosen(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Recover the metrics that were passed to `for_each_target`."""
    chosen = (m.metric if isinstance(m, TargetMetric) else m for m in metrics)
    return tuple({m.column: m for m in chosen}.values())  # copies for several targets differ in rounding


def _words(names: Sequence[str]) -> list[str]:
    """Make unique names of letters, digits and underscores."""
    words = [re.sub(r"\W+", "_", name).strip("_") for name in names]
    are_names = len({*words, ""}) > len(words)
    return words if are_names else [f"{word or 'target'}_{k + 1}" for k, word in enumerate(words)]
