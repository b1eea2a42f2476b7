"""Metrics of how well the probability of a class ranks the examples, independent of any threshold.

They rank by logits, which distinguish probabilities that round to 0 or 1.

Values are scikit-learn's. With two classes the second is sought; with more, each against the rest, and the
result is the mean over classes with something to rank. Several columns of targets that are 0 or 1 are treated
like classes; a column that is always 0 or always 1 is skipped, where scikit-learn warns.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy

from nnjit.nn.metrics.metric import LabelMetric, WholeMetric, metrics
from nnjit.nn.targets import is_classes


class Ranking(LabelMetric, WholeMetric):
    """A metric of the examples' order by the probability of a class."""

    better: ClassVar[Literal["higher", "lower"]] = "higher"

    def measure(self, scores: numpy.ndarray, target: numpy.ndarray, weight: numpy.ndarray) -> float:
        if numpy.isnan(scores).any():
            return numpy.nan
        values = [self._of_class(own, is_true, weight) for own, is_true in _sought(scores, target)]
        known = [value for value in values if not numpy.isnan(value)]
        return float(numpy.mean(known)) if known else numpy.nan

    def _of_class(self, scores: numpy.ndarray, is_true: numpy.ndarray, weight: numpy.ndarray) -> float:
        """The value for one class; NaN if it, or everything else, does not occur."""
        if is_true.all() or not is_true.any():
            return numpy.nan
        order = numpy.argsort(scores, kind="stable")
        ranked = scores[order]
        starts = numpy.flatnonzero(numpy.append(True, ranked[1:] != ranked[:-1]))
        true, false = (numpy.add.reduceat((weight * side)[order], starts) for side in (is_true, ~is_true))
        return self.score(true, false)

    @abstractmethod
    def score(self, true: numpy.ndarray, false: numpy.ndarray) -> float:
        """The value, from the weights of the examples with and without the class.

        Args:
            true, false: (G,), for each score that occurs, in ascending order.
        """


def _sought(scores: numpy.ndarray, target: numpy.ndarray) -> Iterator[tuple[numpy.ndarray, numpy.ndarray]]:
    """For each class or label to find, its scores (n,) and where it is true (n,)."""
    width = scores.shape[1]
    if not is_classes(target):
        middle = (target.min(axis=0) + target.max(axis=0)) / 2  # between no and yes, in any unit
        yield from zip(scores.T, (target > middle).T, strict=True)
        return
    for k in range(width) if width > 2 else [1]:
        yield scores[:, min(k, width - 1)], target == k


@metrics.register
class RocAuc(Ranking):
    """The chance that an example of a class gets a higher probability of it than another example.

    Ties count half, and 1/2 is chance level. It is the area under the curve of true over false positives:
    scikit-learn's `roc_auc_score`, with more classes its `multi_class="ovr"`, with several columns of targets
    that are 0 or 1 its macro average. Measured at the end, for each part of the data (`metrics.json`); after
    each epoch (`history.csv`) only if early stopping, a target or a schedule follows it, and then for the
    part they name. Reference: Hanley & McNeil 1982.
    """

    type: Literal["roc_auc"] = "roc_auc"
    also_called: ClassVar[tuple[str, ...]] = ("auc", "auroc", "roc_auc_score")

    def score(self, true: numpy.ndarray, false: numpy.ndarray) -> float:
        below = numpy.cumsum(false) - false / 2
        return float(true @ below / (true.sum() * false.sum()))


@metrics.register
class AveragePrecision(Ranking):
    """The mean precision over the thresholds, each weighted by the recall it adds: Σ (Rₖ - Rₖ₋₁) Pₖ.

    Chance is the fraction of the class; for a rare class it says more than `roc_auc`. scikit-learn's
    `average_precision_score`, with more classes or columns its macro average. Measured when `roc_auc` is.
    """

    type: Literal["average_precision"] = "average_precision"
    also_called: ClassVar[tuple[str, ...]] = ("ap", "pr_auc", "auprc")

    def score(self, true: numpy.ndarray, false: numpy.ndarray) -> float:
        found, predicted = (numpy.cumsum(counts[::-1]) for counts in (true, true + false))
        return float(true[::-1] @ (found / predicted) / found[-1])
