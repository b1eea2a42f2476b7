"""Bring an output of the model, and its target, into the form in which metrics take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

import nnjit.numpy as np
from nnjit.data import Affine, Center
from nnjit.nn import Loss, Reads, SummedMetric
from nnjit.nn.links import Link, class_scores, log_odds, log_probabilities
from nnjit.numpy.numbers import is_exactly

OF_LOGITS = {"class_scores": class_scores, "log_probabilities": log_probabilities}


class Reading(NamedTuple):
    """What there is to know about an output for its metrics.

    Args:
        link: what makes the prediction of the logits.
        unit: undoes the scaling of target values; None if they are not scaled.
        center: where target values lie in their own unit; None of classes.
    """

    loss: Loss
    link: Link = "identity"
    unit: Affine | None = None
    center: Center | None = None

    def of(self, reads: Reads, output: Any, logits: Any, target: Any) -> tuple[Any, Any]:
        """What a metric that reads so takes for the prediction, and the target."""
        if reads in OF_LOGITS:
            return OF_LOGITS[reads](logits, self.link), target
        prediction = self.loss.predict(output)
        if target.dtype.kind != "f":
            return prediction, target
        origin = self.center.origin if reads == "centered" and self.center is not None else 0.0
        return self._in_own_unit(prediction, origin), self._in_own_unit(target, origin)

    def scores(self, logits: numpy.ndarray) -> numpy.ndarray:
        """What ranks examples, (n, O)."""
        return log_odds(logits, self.link)

    def _in_own_unit(self, values: Any, origin: Any) -> Any:
        """Values with their scaling undone, less a number: so the digits of a scaled value are all kept."""
        if self.unit is not None:
            return np.astype(values, "f64") * self.unit.scale + (self.unit.shift - origin)
        return values if is_exactly(origin, 0) else np.astype(values, "f64") - origin


def metric_totals(
    metrics: Sequence[SummedMetric], reading: Reading, output: Any, logits: Any, target: Any, weight: Any
) -> list[Any]:
    """The totals of the metrics of a batch, with weights (B, 1).

    Args:
        reading: of a single output; several read their columns themselves.
    """
    joined = {"output": (output, target), "logits": (logits, target)}
    pairs = (joined.get(m.reads) or reading.of(m.reads, output, logits, target) for m in metrics)
    return [m.totals(*pair, weight) for m, pair in zip(metrics, pairs, strict=True)]


def reads_logits(reads: Reads) -> bool:
    """Whether what is read is made of logits rather than of the model's output."""
    return reads in OF_LOGITS or reads == "logits"
