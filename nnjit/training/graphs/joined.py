"""Several outputs as one: a loss, metrics and a meaning that take the joined output and targets apart.

C = Σ weight · C_output, for each example. The outputs lie side by side in the model's output (B, ΣO), and the
targets in y (B, T), a class as its index; so graphs, kernels, loop and files know of one output alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy
from pydantic import InstanceOf

import nnjit.numpy as np
from nnjit.data import Affine, Scaling, Target
from nnjit.nn import Loss, Metric, SummedMetric, WholeMetric
from nnjit.nn.array import Array
from nnjit.nn.formula import A, Formula, columns, joined, symbol
from nnjit.nn.losses import SumOfSquares
from nnjit.training.graphs.class_weights import of_rows
from nnjit.training.graphs.decoding import Decoder


@dataclass(frozen=True, eq=False)
class Head:
    """One of several outputs.

    Args:
        columns: its columns in the joined output.
        unit: undoes the scaling of its target values; None where there is none.
        class_weights: how much the rows of each class count in its cost; None where all count alike.
    """

    name: str
    loss: Loss
    weight: float
    target: Target
    columns: slice
    unit: Affine | None
    class_weights: tuple[float, ...] | None = None

    def output(self, joined: Any) -> Any:
        """Its own part (B, O) of the joined output, or of what that predicts."""
        return joined[:, self.columns]

    def truth(self, y: Any) -> Any:
        """Its own targets: class indices (B,), or values (B, O)."""
        if self.target.classes is None:
            return y[:, self.target.columns]
        return np.astype(y[:, self.target.start], "i32")

    def cost(self, joined: Array, y: Array) -> Array:
        """The cost of each example (B,), without the weight, times that of its class."""
        costs, classes = self.loss(self.output(joined), self.truth(y)), self._of_classes(y, joined)
        return costs if classes is None else costs * classes

    def residuals(self, joined: Array, y: Array) -> Array:
        """Those of its loss (B, O), whose squares are the cost times both weights."""
        assert isinstance(self.loss, SumOfSquares)  # else there are none
        found, classes = self.loss.residuals(self.output(joined), self.truth(y)), self._of_classes(y, joined)
        found = _times(math.sqrt(self.weight), found)
        return found if classes is None else found * np.expand_dims(np.sqrt(classes), 1)

    @property
    def width(self) -> int:
        """How many columns it has."""
        return int(self.columns.stop - self.columns.start)

    def letter(self, name: str) -> Formula:
        """A letter of this output's own."""
        return symbol(f"{name}_{self.name}")

    def part(self, joined: Formula) -> Formula:
        """Its columns of the joined output, as a formula."""
        return columns(joined, self.columns.start, self.columns.stop)

    def weighted(self, cost: Formula) -> Formula:
        """Its cost, or its derivative, as it counts; v is the weight of an example's class."""
        own = cost if self.class_weights is None else self.letter("v") * cost
        return self.weight * own

    def in_own_unit(self, values: Any) -> Any:
        """Target values with their scaling undone."""
        return values if self.unit is None else np.astype(values, "f64") * self.unit.scale + self.unit.shift

    @property
    def decoder(self) -> Decoder:
        """How its answers are read."""
        return Decoder(self.target.classes, Scaling(targets=self.unit))

    def _of_classes(self, y: Array, joined: Array) -> Any:
        """The weight (B,) of each example's class; None where there are none."""
        weights = self.class_weights
        return None if weights is None else of_rows(weights, self.truth(y), joined.dtype)


class Several(Loss):
    """Σⱼ weightⱼ Cₖⱼ, the costs of the several outputs by their weights."""

    type: Literal["several"] = "several"
    heads: tuple[InstanceOf[Head], ...]

    def __call__(self, output: Array, target: Array) -> Array:
        first, *rest = (_times(head.weight, head.cost(output, target)) for head in self.heads)
        return sum(rest, first)

    def slope(self, outputs: int) -> Formula | None:
        parts = []
        for head in self.heads:
            slope = head.loss.slope(head.width)
            if slope is None:
                return None
            parts.append(head.weighted(slope.filled({"a": head.part(A), "y": head.letter("y")})))
        return joined(*parts)

    def predict(self, output: Array) -> Array:
        return np.concatenate([head.loss.predict(head.output(output)) for head in self.heads], axis=1)


class SeveralSquares(Several, SumOfSquares):
    """Several outputs whose losses are all sums of squares, and so is theirs."""

    def residuals(self, output: Array, target: Array) -> Array:
        return np.concatenate([head.residuals(output, target) for head in self.heads], axis=1)


def several(heads: tuple[Head, ...]) -> Several:
    """The loss of several outputs."""
    are_squares = all(isinstance(head.loss, SumOfSquares) for head in heads)
    return (SeveralSquares if are_squares else Several)(heads=heads)


class HeadLoss(SummedMetric):
    """The loss of one output, without its weight; its classes count as in the cost."""

    type: Literal["loss"] = "loss"
    better: ClassVar[Literal["higher", "lower"]] = "lower"
    reads: ClassVar[Literal["prediction", "output"]] = "output"
    head: InstanceOf[Head]

    @property
    def column(self) -> str:
        return f"{self.head.name}_loss"

    def sums(self, prediction: Array, target: Array) -> Array:
        return np.expand_dims(np.astype(self.head.cost(prediction, target), "f64"), 1)


class HeadMetric(Metric):
    """A metric of one output, named and judged as the metric that it holds."""

    head: InstanceOf[Head]
    metric: InstanceOf[Metric]

    @property
    def better(self) -> Literal["higher", "lower"]:  # type: ignore[override]  # that of what it holds
        return self.metric.better

    @property
    def column(self) -> str:
        return f"{self.head.name}_{self.metric.column}"


class HeadSums(HeadMetric, SummedMetric):
    """A summed metric of one output."""

    type: Literal["sums"] = "sums"
    metric: InstanceOf[SummedMetric]

    def sums(self, prediction: Array, target: Array) -> Array:
        own, truth = self.head.output(prediction), self.head.truth(target)
        return self.metric.sums(self.head.in_own_unit(own), self.head.in_own_unit(truth))

    def finish(self, sums: numpy.ndarray, weight: float) -> float:
        return self.metric.finish(sums, weight)


class HeadWhole(HeadMetric, WholeMetric):
    """A metric of one output over a whole split."""

    type: Literal["whole"] = "whole"
    metric: InstanceOf[WholeMetric]

    def measure(self, prediction: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        return self.metric.measure(self.head.output(prediction), self.head.truth(target), weight)


def of_head(head: Head, metric: Metric) -> Metric:
    """The metric for this one of several outputs."""
    if isinstance(metric, SummedMetric):
        return HeadSums(head=head, metric=metric)
    assert isinstance(metric, WholeMetric)
    return HeadWhole(head=head, metric=metric)


def heads_of(loss: Loss) -> tuple[Head, ...]:
    """The several outputs that a loss is for; () where it is for one."""
    return loss.heads if isinstance(loss, Several) else ()


@dataclass(frozen=True, eq=False)
class JointDecoder:
    """How the answers of a model with several outputs are read: as `Decoder`, by the outputs' names."""

    heads: Sequence[Head]
    scaling: Scaling
    classes: ClassVar[None] = None

    @property
    def has_classes(self) -> bool:
        """Whether the answers of an output are about classes."""
        return any(head.target.classes is not None for head in self.heads)

    def decide(self, answers: numpy.ndarray) -> dict[str, numpy.ndarray]:
        """Of each output class indices (n,), or values (n, O) in their own unit."""
        return {head.name: head.decoder.decide(head.output(answers)) for head in self.heads}

    def scores(self, answers: numpy.ndarray) -> dict[str, numpy.ndarray]:
        """Of each output for classes a column for each (n, K)."""
        of_classes = [head for head in self.heads if head.target.classes is not None]
        return {head.name: head.decoder.scores(head.output(answers)) for head in of_classes}

    def targets(self, y: numpy.ndarray) -> dict[str, numpy.ndarray]:
        """The targets of each output as they came."""
        return {head.name: head.decoder.targets(numpy.asarray(head.truth(y))) for head in self.heads}


def _times(weight: float, cost: Any) -> Any:
    return cost if weight == 1 else weight * cost
