"""Decode predictions into classes or values in original units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnjit.data import Scaling
from nnjit.runs.predictions import Predictions
from nnjit.training.graphs.output import Output

Decoded = np.ndarray | dict[str, np.ndarray]
"""An array; for several outputs, a dict of arrays by output."""

Classes = tuple[str, ...] | dict[str, tuple[str, ...]] | None
"""The names of the classes; for several outputs, a dict of those that have classes; None if none has."""


@dataclass(frozen=True, eq=False)
class Decoder(ABC):
    """Decodes the predictions (n, O) of a compiled task.

    Args:
        scaling: the scaling of the inputs and targets.
    """

    scaling: Scaling

    @property
    @abstractmethod
    def known_classes(self) -> Classes:
        """The names of the predicted classes."""

    @property
    def has_classes(self) -> bool:
        """Whether an output predicts classes."""
        return bool(self.known_classes)

    @abstractmethod
    def decide(self, predicted: np.ndarray) -> Decoded:
        """Class indices (n,), or values (n, O) in their original unit."""

    @abstractmethod
    def scores(self, predicted: np.ndarray) -> Decoded:
        """The probability of each class, (n, K)."""

    @abstractmethod
    def targets(self, y: np.ndarray) -> Decoded:
        """Undo the scaling of targets: class indices, or values in their original unit."""

    @abstractmethod
    def predictions(self, split: str, predicted: np.ndarray, y: np.ndarray) -> dict[str, Predictions]:
        """The content of `predictions.npz` for each output by name, "" for a single output."""


@dataclass(frozen=True, eq=False)
class SingleDecoder(Decoder):
    """Decodes a single output.

    Args:
        classes: the names of the classes; None if the predictions are values.
        threshold: the probability above which to choose the second of two classes; None is 1/2.
    """

    classes: tuple[str, ...] | None
    threshold: float | None = None

    @property
    def known_classes(self) -> Classes:
        return self.classes

    def decide(self, predicted: np.ndarray) -> np.ndarray:
        if self.classes is None:
            return self.scaling.inverse_targets(predicted)
        return decide(self.scores(predicted), self.threshold)

    def scores(self, predicted: np.ndarray) -> np.ndarray:
        """The probability of each class, (n, K); a single output p gives 1 - p and p."""
        return np.hstack([1 - predicted, predicted]) if predicted.shape[1] == 1 else predicted

    def targets(self, y: np.ndarray) -> np.ndarray:
        return y if self.classes is not None else self.scaling.inverse_targets(y)

    def predictions(self, split: str, predicted: np.ndarray, y: np.ndarray) -> dict[str, Predictions]:
        probability = self.scores(predicted) if self.has_classes else None
        return {"": Predictions(split, self.targets(y), self.decide(predicted), probability)}


@dataclass(frozen=True, eq=False)
class JointDecoder(Decoder):
    """Decodes several outputs, each with its own decoder."""

    outputs: Sequence[Output]

    @property
    def known_classes(self) -> Classes:
        return {o.name: o.target.classes for o in self.outputs if o.target.classes is not None}

    def decide(self, predicted: np.ndarray) -> dict[str, np.ndarray]:
        return {each.name: decoder_of(each).decide(each.take(predicted)) for each in self.outputs}

    def scores(self, predicted: np.ndarray) -> dict[str, np.ndarray]:
        """The probabilities (n, K) of each output that predicts classes."""
        of_classes = [output for output in self.outputs if output.target.classes is not None]
        return {each.name: decoder_of(each).scores(each.take(predicted)) for each in of_classes}

    def targets(self, y: np.ndarray) -> dict[str, np.ndarray]:
        return {each.name: decoder_of(each).targets(np.asarray(each.truth(y))) for each in self.outputs}

    def predictions(self, split: str, predicted: np.ndarray, y: np.ndarray) -> dict[str, Predictions]:
        targets, decided, scores = self.targets(y), self.decide(predicted), self.scores(predicted)
        return {name: Predictions(split, targets[name], decided[name], scores.get(name)) for name in targets}


def with_names(decided: Decoded, classes: Classes) -> Decoded:
    """Replace class indices by class names (n,) in decisions.

    >>> with_names(np.array([1, 0]), ("no", "yes")).tolist()
    ['yes', 'no']
    """
    if not isinstance(decided, dict):
        return decided if classes is None or isinstance(classes, dict) else np.array(classes)[decided]
    known = classes if isinstance(classes, dict) else {}
    return {k: np.array(known[k])[given] if k in known else given for k, given in decided.items()}


def decide(scores: np.ndarray, threshold: float | None = None) -> np.ndarray:
    """Choose the most probable class (n,), or of two the second if its probability is above a threshold.

    >>> decide(np.array([[0.7, 0.3], [0.9, 0.1]]), 0.2)
    array([1, 0], dtype=int32)
    """
    if threshold is None:
        return np.asarray(np.argmax(scores, axis=1), np.int32)
    return np.asarray(scores[:, 1].astype(np.float64) > threshold, np.int32)


def decoder_of(output: Output) -> SingleDecoder:
    """The decoder of one of several outputs."""
    return SingleDecoder(Scaling(targets=output.unit), output.target.classes)
