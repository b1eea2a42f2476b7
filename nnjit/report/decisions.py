"""What an output decides for each example: one of its classes, or a yes or no to each of its labels."""

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
        names: of the classes, or labels (K,).

    `word` is what one of them is, and `words` several.
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
        """The classes or labels that are ranked."""

    @property
    @abstractmethod
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How often each class or label (K,) is true, is predicted, and is both, by weight."""

    @property
    @abstractmethod
    def examples(self) -> np.ndarray:
        """For how many examples each class or label (K,) is true."""

    @property
    def weights(self) -> np.ndarray:
        """How much each example (n,) counts."""
        given = self.predictions.weights
        return np.ones(len(self)) if given is None else np.asarray(given, np.float64)

    @property
    def is_weighted(self) -> bool:
        """Whether examples count unlike each other."""
        return self.predictions.weights is not None

    @abstractmethod
    def is_true(self, k: int) -> np.ndarray:
        """For which examples (n,) a class or label is true."""

    @abstractmethod
    def probability(self, k: int) -> np.ndarray:
        """The probability (n,) of a class or label."""

    @property
    @abstractmethod
    def confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (m,), and whether what they are of is true."""


class ClassDecisions(Decisions):
    """One class for each example."""

    word = "class"
    words = "classes"

    @property
    def sought(self) -> range:
        """Of two classes, the second alone, which is the positive one."""
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
        """Of two classes, of the second; of more, of the predicted one."""
        if len(self.names) == 2:
            return self.probability(1), self.is_true(1)
        chosen = self.predictions.prediction
        likeliest = np.take_along_axis(self._probabilities, chosen[:, None], axis=1)[:, 0]
        return likeliest.astype(np.float64), chosen == self.predictions.target

    @property
    def _probabilities(self) -> np.ndarray:
        assert self.predictions.probability is not None  # `decisions_of` has seen to it
        return self.predictions.probability


class LabelDecisions(Decisions):
    """A yes or no to each label of each example, at 1/2."""

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
        """Those of all labels together."""
        each = [(self.probability(k), self.is_true(k)) for k in self.sought]
        return np.concatenate([p for p, _ in each]), np.concatenate([true for _, true in each])

    def _rows(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values.reshape(len(values), -1))


def decisions_of(run: RunFiles) -> Decisions | None:
    """The decisions of a single output; None if it predicts values, or there are no finite predictions."""
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
    """The run as if it had each of its several outputs alone, by name; itself, by "", if it has one."""
    return {output.name: _single_output(run, output) for output in run.data.outputs} or {"": run}


def _single_output(run: RunFiles, output: OutputEntry) -> RunFiles:
    targets = run.data.targets[slice(*output.columns)]
    data = replace(run.data, classes=output.classes, targets=targets, has_labels=output.has_labels)
    return replace(run, data=data, predictions=run.output_predictions.get(output.name))
