"""What an output decides for each example: one of its classes, or a yes or no to each of its labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nnjit.report.files import RunFiles
from nnjit.runs.data import OutputEntry
from nnjit.runs.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions of one output on a part of the data.

    Args:
        names: of the classes (K,).
        predictions: with the probability of each class.
    """

    names: tuple[str, ...]
    predictions: Predictions

    def __len__(self) -> int:
        return len(self.predictions.target)

    @property
    def sought(self) -> range:
        """The classes that are ranked: of two, the second alone, which is the positive one."""
        return range(1, 2) if len(self.names) == 2 else range(len(self.names))

    @cached_property
    def counts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How often each class (K,) is true, is predicted, and is both."""
        target, prediction = self.predictions.target, self.predictions.prediction
        right = target[target == prediction]
        true, predicted, both = (
            np.bincount(y, minlength=len(self.names)) for y in (target, prediction, right)
        )
        return true, predicted, both

    def is_true(self, k: int) -> np.ndarray:
        """For which examples (n,) a class is true."""
        return np.asarray(self.predictions.target == k)

    def probability(self, k: int) -> np.ndarray:
        """The probability (n,) of a class."""
        assert self.predictions.probability is not None  # `decisions_of` has seen to it
        return self.predictions.probability[:, k].astype(np.float64)

    @cached_property
    def confidence(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (m,), and whether what they are of is true: of two classes, of the second."""
        if len(self.sought) == 1:
            return self.probability(1), self.is_true(1)
        chosen, probability = self.predictions.prediction, self.predictions.probability
        assert probability is not None
        likeliest = np.take_along_axis(probability, chosen[:, None], axis=1)[:, 0]
        return likeliest.astype(np.float64), chosen == self.predictions.target


def decisions_of(run: RunFiles) -> Decisions | None:
    """The decisions of a single output; None if it predicts values, or there are no finite predictions."""
    found, classes = run.predictions, run.data.classes
    if classes is None or found is None or found.probability is None or not len(found.target):
        return None
    return Decisions(classes, found) if np.isfinite(found.probability).all() else None


def single_outputs(run: RunFiles) -> dict[str, RunFiles]:
    """The run as if it had each of its several outputs alone, by name; itself, by "", if it has one."""
    return {output.name: _single_output(run, output) for output in run.data.outputs} or {"": run}


def _single_output(run: RunFiles, output: OutputEntry) -> RunFiles:
    targets = run.data.targets[slice(*output.columns)]
    data = replace(run.data, classes=output.classes, targets=targets)
    return replace(run, data=data, predictions=run.output_predictions.get(output.name))
