"""`adding`: generated sequences whose target a network can only find with memory."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.source import Source, sources
from nnjit.memory import check_fits
from nnjit.registry import MOST, Count, Seed


@sources.register
class Adding(Source):
    """The adding problem: sequences of pairs (number, mark), and the sum of the two marked numbers.

    The numbers are uniform in [0, 1). One mark is in the first half of the steps and one in the second,
    uniformly placed; a mark is 1, no mark is 0. Always answering the mean, 1, gives a mean squared error of
    1/6.

    Reference: Hochreiter & Schmidhuber 1997, who place both marks in the first half and use sequences of
    different lengths; marks in both halves are from Arjovsky et al. 2016, arXiv:1511.06464.
    """

    type: Literal["adding"] = "adding"
    examples: Count = 10_000
    """The number of sequences."""
    steps: int = Field(50, ge=2, le=MOST)
    """The length of each sequence."""
    seed: Seed | None = None
    """Seed of the sequences; null means the experiment's."""

    def seeded(self, seed: int) -> Self:
        return self if self.seed is not None else self.model_copy(update={"seed": seed})

    @property
    def is_computed(self) -> bool:
        return True

    def load(self, folder: Path) -> Dataset:
        check_fits(
            6 * 8 * self.examples * self.steps,
            f"{self.examples:,} sequences of {self.steps:,} steps",
            "generate fewer, or shorter ones",
            ("examples",),
        )
        rng = np.random.default_rng(self.seed or 0)
        numbers = rng.random((self.examples, self.steps))
        marks = np.zeros_like(numbers)
        half = self.steps // 2
        for start, end in ((0, half), (half, self.steps)):
            marks[np.arange(self.examples), rng.integers(start, end, self.examples)] = 1
        return make_dataset(
            np.stack([numbers, marks], axis=-1),
            np.sum(numbers * marks, axis=1),
            problem_type="regression",
            targets=("sum",),
            description=f"adding problem: {self.examples} generated sequences of {self.steps} steps",
        )
