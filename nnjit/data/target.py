"""Describe targets: their type, their columns in y, and the classes that a split stratifies by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnjit.data.storage.disk_rows import RowArray, in_memory

if TYPE_CHECKING:
    from nnjit.data.splits import Rows

ProblemType = Literal["classification", "regression"]
ProblemTypes = Mapping[str, ProblemType | None]
"""The targets of several outputs by name, with their problem types; None lets the data decide."""


Takes = Literal["classes", "values", "either"]
"""The targets that a loss takes: classes, values, or either, like binary cross-entropy."""


def problem_type_of(y: RowArray, takes: Takes) -> ProblemType:
    """The problem type of a target array with `task: auto`; the loss decides on columns of whole numbers.

    Text is classes, and several columns are values. A column of numbers is classes if the loss takes classes,
    or takes either and the numbers have an integer type.
    """
    if y.dtype.kind not in "biuf":
        return "classification"
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1):
        return "regression"
    is_classes = takes == "classes" or (takes == "either" and y.dtype.kind in "biu")
    return "classification" if is_classes else "regression"


@dataclass(frozen=True)
class Target:
    """One of several targets.

    Args:
        start, size: its columns in y; a target of classes has one, holding the index.
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
        """The number of network outputs for it: one per class, or one per value."""
        return self.size if self.classes is None else len(self.classes)


class Labelled:
    """Data with targets, whatever its inputs.

    Args:
        y: (n,) int32 class indices if `classes` is not None, else (n, O) float values.
        targets: names of the columns of y.
        classes: names of the classes, or None if the targets are values.
        description: one line for the report, e.g. "scikit-learn digits: 1797 images of 8×8".
        weights: (n,) float64 row weights > 0; None if all are equal.
        target_layout: the targets that share the columns of y, if several; `classes` is then None.
        source_rows: (n,) row numbers in the source, from 0; None for all.
    """

    y: RowArray
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    description: str
    weights: np.ndarray | None
    target_layout: tuple[Target, ...]
    source_rows: np.ndarray | None

    @property
    def split_rows(self) -> Rows | None:
        """The rows of each part if the data determines them, as the time of a series does; else None."""
        return None

    @property
    def labels(self) -> np.ndarray | None:
        """The classes (n,) that a split stratifies by: those of the first target with classes."""
        if self.classes is not None:
            return in_memory(self.y)
        first = self._first_of_classes
        return None if first is None else in_memory(self.y)[:, first.start].astype(np.int32)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the classes of `labels`."""
        first = self._first_of_classes
        return self.classes or (first.classes if first is not None and first.classes else ())

    @property
    def has_values(self) -> bool:
        """Whether a target holds values rather than classes."""
        return self.classes is None and not (
            self.target_layout and all(t.classes for t in self.target_layout)
        )

    @property
    def output_size(self) -> int:
        """The number of network outputs per row: one per class, or one per column of y."""
        return self.y.shape[1] if self.classes is None else len(self.classes)

    @property
    def _first_of_classes(self) -> Target | None:
        return next((t for t in self.target_layout if t.classes is not None), None)
