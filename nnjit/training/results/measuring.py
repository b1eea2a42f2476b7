"""Measure metrics of predictions that the network did not make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnjit.nn import Loss, Metric, SummedMetric, WholeMetric

Values = dict[str, float]


def value_of(metric: Metric, prediction: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The value of a metric of predictions (n, O), in the form that it reads.

    Args:
        weight: (n,) float64.
    """
    if isinstance(metric, WholeMetric):
        return metric.measure(prediction, target, weight)
    assert isinstance(metric, SummedMetric)
    totals = metric.totals(prediction, target, weight[:, None])
    return metric.finish(np.asarray(totals), float(weight.sum()))


def are_yes_or_no(loss: Loss, y: np.ndarray) -> bool:
    """Whether target values (n, O) are labels: 0 or 1, with a loss for yes-or-no decisions."""
    return loss.targets == "either" and bool(((y == 0) | (y == 1)).all())


def decided_values(
    metrics: Sequence[Metric], is_taken: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> Values:
    """The values of those metrics that compare decisions between two classes, by column.

    There are only four pairs of truth and decision, so one row of each is enough.

    Args:
        is_taken: (n,) whether the decision is the second class.
        target: (n,) the classes.
    """
    weights = np.bincount(2 * target + is_taken, weight, 4)
    there = np.flatnonzero(weights)
    prediction, truth = np.eye(2)[there % 2], (there // 2).astype(np.int32)
    decided = [m for m in metrics if m.compares_decisions]
    return {m.column: value_of(m, prediction, truth, weights[there]) for m in decided}
