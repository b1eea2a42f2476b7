"""`adding`: generated sequences whose target a network only finds if it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.source import Source, sources


@sources.register
class Adding(Source):
    """The adding problem: sequences of pairs (number, mark), and the sum of the two numbers that are marked.

    The numbers are uniform in [0, 1). One mark is in the first half of the steps and one in the second, each
    step as likely as any other; a mark is 1, where there is none it is 0. Who always answers the mean, 1, has
    a mean squared error of 1/6.

    Reference: Hochreiter & Schmidhuber 1997, who place the marks in the first half and end the sequences at
    different lengths; the marks in both halves are from Arjovsky et al. 2016, arXiv:1511.06464.
    """

    type: Literal["adding"] = "adding"
    examples: int = Field(10_000, ge=1)
    """How many sequences are drawn."""
    steps: int = Field(50, ge=2)
    """The length of each."""
    seed: int | None = Field(None, ge=0, lt=2**63)
    """The seed of the sequences; null means the experiment's."""

    def seeded(self, seed: int) -> Self:
        return self if self.seed is not None else self.model_copy(update={"seed": seed})

    @property
    def is_computed(self) -> bool:
        return True

    def load(self, folder: Path) -> Dataset:
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
