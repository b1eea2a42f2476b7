"""`learning_rate_search.json`: the range test that found the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile


@dataclass(frozen=True, eq=False)
class LearningRateSearch(JsonFile):
    """The result of a range test.

    Args:
        found: the learning rate to train with.
        lr: (n,) the learning rate of each update of the test; `rates` in the file.
        losses: (n,) loss of the batch, before the update.
        smoothed: (n,) their exponential mean.
    """

    file_name: ClassVar[str] = file_names.LEARNING_RATE_SEARCH
    KEYS: ClassVar[Mapping[str, str]] = {"lr": "rates"}

    found: float
    lr: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray

    def __post_init__(self) -> None:
        if not self.found > 0:
            raise ValueError(f"found: expected a number > 0, got {self.found}")
        if not len(self.lr) == len(self.losses) == len(self.smoothed):
            raise ValueError("rates, losses and smoothed differ in length")

    def to_json(self) -> dict[str, Any]:
        arrays = {"rates": self.lr, "losses": self.losses, "smoothed": self.smoothed}
        return {"found": self.found, **{name: array.tolist() for name, array in arrays.items()}}
