"""What a model's answers mean: classes, or values in their own unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnjit.data import Scaling


@dataclass(frozen=True, eq=False)
class Decoder:
    """How a model's answers (n, O) are read.

    Args:
        classes: the names of the classes; None where the answers are values.
    """

    classes: tuple[str, ...] | None
    scaling: Scaling

    @property
    def has_classes(self) -> bool:
        """Whether the answers are about classes."""
        return self.classes is not None

    def decide(self, answers: np.ndarray) -> np.ndarray:
        """Class indices (n,), or values (n, O) in their own unit."""
        if self.classes is None:
            return self.scaling.inverse_targets(answers)
        return np.asarray(np.argmax(self.scores(answers), axis=1), np.int32)

    def scores(self, answers: np.ndarray) -> np.ndarray:
        """A column for each class (n, K); of a single output p, they are 1 - p and p."""
        return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Targets as they came: class indices, or values with their scaling undone."""
        return y if self.classes is not None else self.scaling.inverse_targets(y)
