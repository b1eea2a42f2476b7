"""Decisions of an output for each example: one of its classes, or yes or no for each of its labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.runs.data import OutputEntry
from nnjit.runs.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Decisions(ABC):
    """The decisions of one output on a part of the data.

    Args:
        names: the classes or labels (K,).

    `word` names one of them, `words` several.
    """

    word: ClassVar[str]
    words: ClassVar[str]

    names: tuple[str, ...]
    predictions: Predictions

    def __len__(self) -> int:
        return len(self.predictions.target)

    @property
    @abstractmethod
    def sought(self) -> range:
        """The classes or labels to rank."""

    @property
    @abstractmethod
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted counts (K,) of the examples where each class or label is true, predicted, and both."""

    @property
    @abstractmethod
    def examples(self) -> np.ndarray:
        """The number of examples (K,) for which each class or label is true."""

    @property
    def weights(self) -> np.ndarray:
        """How much each example (n,) counts."""
        given = self.predictions.weights
        return np.ones(len(self)) if given is None else np.asarray(given, np.float64)

    @property
    def is_weighted(self) -> bool:
        """Whether examples have weights."""
        return self.predictions.weights is not None

    @abstractmethod
    def is_true(self, k: int) -> np.ndarray:
        """Whether class or label `k` is true, for each example (n,)."""

    @abstractmethod
    def probability(self, k: int) -> np.ndarray:
        """The probability (n,) of class or label `k`."""

    @property
    @abstractmethod
    def confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """Predicted probabilities (m,), and whether each of these predictions is true."""


class ClassDecisions(Decisions):
    """One class for each example."""

    word = "class"
    words = "classes"

    @property
    def sought(self) -> range:
        """All classes; of two, only the second, the positive one."""
        return range(1, 2) if len(self.names) == 2 else range(len(self.names))

    @property
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        target, prediction, w = self.predictions.target, self.predictions.prediction, self.weights
        pairs = ((target, w), (prediction, w), (target, w * (target == prediction)))
        true, predicted, both = (np.bincount(y, w, minlength=len(self.names)) for y, w in pairs)
        return true, predicted, both

    @property
    def examples(self) -> np.ndarray:
        return np.bincount(self.predictions.target, minlength=len(self.names))

    def is_true(self, k: int) -> np.ndarray:
        return np.asarray(self.predictions.target == k)

    def probability(self, k: int) -> np.ndarray:
        return self._probabilities[:, k].astype(np.float64)

    @property
    def confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """For two classes, the second one; for more, the predicted one."""
        if len(self.names) == 2:
            return self.probability(1), self.is_true(1)
        chosen = self.predictions.prediction
        likeliest = np.take_along_axis(self._probabilities, chosen[:, None], axis=1)[:, 0]
        return likeliest.astype(np.float64), chosen == self.predictions.target

    @property
    def _probabilities(self) -> np.ndarray:
        assert self.predictions.probability is not None  # ensured by `decisions_of`
        return self.predictions.probability


class LabelDecisions(Decisions):
    """Yes or no for each label of each example, with threshold 1/2."""

    word = "label"
    words = "labels"

    @property
    def sought(self) -> range:
        return range(len(self.names))

    @property
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        given = (self.predictions.target, self.predictions.prediction)
        true, predicted = (self._rows(values) > 0.5 for values in given)
        w = self.weights
        return w @ true, w @ predicted, w @ (true & predicted)

    @property
    def examples(self) -> np.ndarray:
        return np.asarray((self._rows(self.predictions.target) > 0.5).sum(axis=0))

    def is_true(self, k: int) -> np.ndarray:
        return np.asarray(self._rows(self.predictions.target)[:, k] > 0.5)

    def probability(self, k: int) -> np.ndarray:
        return np.asarray(np.clip(self._rows(self.predictions.prediction)[:, k], 0, 1), np.float64)

    @property
    def confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """All labels together."""
        each = [(self.probability(k), self.is_true(k)) for k in self.sought]
        return np.concatenate([p for p, _ in each]), np.concatenate([true for _, true in each])

    def _rows(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values.reshape(len(values), -1))


def decisions_of(run: RunFiles) -> Decisions | None:
    """Return the decisions of a single output; None if it predicts values or has no finite predictions."""
    found, classes = run.predictions, run.data.classes
    if found is None or not len(found.target):
        return None
    if classes is None:
        is_known = run.data.has_labels and np.isfinite(found.prediction).all()
        return LabelDecisions(run.data.targets, found) if is_known else None
    if found.probability is None or not np.isfinite(found.probability).all():
        return None
    return ClassDecisions(classes, found)


def single_outputs(run: RunFiles) -> dict[str, RunFiles]:
    """Map each output's name to the run as if it had only that output; a single output's name is ""."""
    return {output.name: _single_output(run, output) for output in run.data.outputs} or {"": run}


def _single_output(run: RunFiles, output: OutputEntry) -> RunFiles:
    targets = run.data.targets[slice(*output.columns)]
    data = replace(run.data, classes=output.classes, targets=targets, has_labels=output.has_labels)
    return replace(run, data=data, predictions=run.output_predictions.get(output.name))
