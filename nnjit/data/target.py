"""What a target holds, and which columns of y it has among several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ProblemType = Literal["classification", "regression"]
ProblemTypes = Mapping[str, ProblemType | None]
"""The targets of several outputs by name, each with its problem type; None lets the data decide."""


@dataclass(frozen=True)
class Target:
    """One of several targets.

    Args:
        start, size: its columns in y; a target of classes has one, which holds the index.
        classes: names of the classes, or None if it holds values.
    """

    name: str
    start: int
    size: int
    classes: tuple[str, ...] | None

    @property
    def columns(self) -> slice:
        """Its columns in y."""
        return slice(self.start, self.start + self.size)

    @property
    def width(self) -> int:
        """How many numbers a network gives for it: one for each class, or for each value."""
        return self.size if self.classes is None else len(self.classes)
