"""Convert an output of the model and its target to the form that metrics need."""

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
    """How metrics read an output.

    Args:
        link: turns logits into the prediction.
        unit: undoes the scaling of target values; None if they are not scaled.
        center: the center of the target values in their own unit; None for classes.
    """

    loss: Loss
    link: Link = "identity"
    unit: Affine | None = None
    center: Center | None = None

    def of(self, reads: Reads, output: Any, logits: Any, target: Any) -> tuple[Any, Any]:
        """The prediction and target for a metric that reads in this way."""
        if reads in OF_LOGITS:
            return OF_LOGITS[reads](logits, self.link), target
        prediction = self.loss.predict(output)
        if target.dtype.kind != "f":
            return prediction, target
        origin = self.center.origin if reads == "centered" and self.center is not None else 0.0
        return self._in_own_unit(prediction, origin), self._in_own_unit(target, origin)

    def scores(self, logits: numpy.ndarray) -> numpy.ndarray:
        """The scores that rank examples, (n, O)."""
        return log_odds(logits, self.link)

    def _in_own_unit(self, values: Any, origin: Any) -> Any:
        """Undo the scaling of values and subtract a number, keeping all digits of the scaled values."""
        if self.unit is not None:
            return np.astype(values, "f64") * self.unit.scale + (self.unit.shift - origin)
        return values if is_exactly(origin, 0) else np.astype(values, "f64") - origin


def metric_totals(
    metrics: Sequence[SummedMetric], reading: Reading, output: Any, logits: Any, target: Any, weight: Any
) -> list[Any]:
    """The totals of the metrics of a batch, with weights (B, 1).

    Args:
        reading: that of a single output; metrics of several outputs read their columns themselves.
    """
    joined = {"output": (output, target), "logits": (logits, target)}
    pairs = (joined.get(m.reads) or reading.of(m.reads, output, logits, target) for m in metrics)
    return [m.totals(*pair, weight) for m, pair in zip(metrics, pairs, strict=True)]


def reads_logits(reads: Reads) -> bool:
    """Whether it is computed from logits rather than from the model's output."""
    return reads in OF_LOGITS or reads == "logits"
