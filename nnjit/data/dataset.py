"""The data as its source gives it, in its own units, checked: every number finite, every label a class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from nnjit.data.labels import as_classes, row_name
from nnjit.data.target import Target
from nnjit.data.weights import as_weights
from nnjit.errors import DataError

ProblemType = Literal["classification", "regression"]

_BLOCK = 2**17  # numbers handled in one go, which stay in the cache and add little to a large table


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets, row by row.

    Args:
        x: (n, ...) features, of the type they came in.
        y: (n,) int32 index of the class where `classes` is not None, else (n, O) float values.
        features: names of the columns of x; () for images.
        targets: names of the outputs.
        classes: names of the classes, or None where the targets are values.
        description: one line for the report, e.g. "scikit-learn digits: 1797 images of 8×8".
        weights: (n,) float64 > 0, how much each row counts; None where all count alike.
        several: what the columns of y are, where there are several targets; then `classes` is None.
        codes: of a feature whose values are numbers of categories, these in their order.

    Raises:
        DataError: x or y is empty, differs in rows, or holds a number that is not finite.
    """

    x: np.ndarray
    y: np.ndarray
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    description: str
    weights: np.ndarray | None = None
    several: tuple[Target, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} rows and y has {len(self.y)}; every row needs its target")
        if not self.x.size or not self.y.size:
            raise DataError(f"no data: x has shape {self.x.shape} and y {self.y.shape}")
        _check_finite("x", self.x, self.features)
        _check_finite("y", self.y, self.targets)

    @property
    def labels(self) -> np.ndarray | None:
        """The classes (n,) that every part gets its share of: of several targets, the first that has any."""
        if self.classes is not None:
            return self.y
        first = self._first_of_classes
        return None if first is None else self.y[:, first.start].astype(np.int32)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the classes of `labels`."""
        first = self._first_of_classes
        return self.classes or (first.classes if first is not None and first.classes else ())

    @property
    def _first_of_classes(self) -> Target | None:
        return next((t for t in self.several if t.classes is not None), None)


def dataset(
    x: np.ndarray,
    y: np.ndarray,
    *,
    task: ProblemType,
    description: str,
    features: Sequence[str] = (),
    targets: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
) -> Dataset:
    """The `Dataset` of arrays that a source has read.

    Columns of a table without names are x1, x2, … and y, or y1, y2, ….

    Args:
        x: (n, ...) or (n,) numbers.
        y: (n,) or (n, 1) labels for classification; (n,) or (n, O) numbers for regression.
        classes: names of the classes, where y already holds their indices.
        weights: (n,) numbers >= 0, how much each row counts; a row of weight 0 is left out.

    Raises:
        DataError: an array has the wrong type or shape, a label is not a class, or a weight is negative.
    """
    x = _rows("x", _numbers("x", x))
    if weights is not None:
        x, y, weights, description = _weighted(x, y, weights, description)
    if task == "classification":
        y, classes = (_indices(y), classes) if classes is not None else as_classes(_column(y))
    else:
        y, classes = _values(y), None
    features = features or (_names("x", x.shape[1], counted=True) if x.ndim == 2 else ())
    targets = targets or _names("y", 1 if classes else y.shape[1], counted=False)
    return Dataset(
        x, y, tuple(features), tuple(targets), tuple(classes) if classes else None, description, weights
    )


def _weighted(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, description: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """The rows whose weight is not 0, and a description that says so.

    A row of weight 0 has to count as absent, but would be part of a batch that may hold no other.
    """
    weights = as_weights(weights, len(x), row_name)
    kept, description = weights > 0, f"{description}, weighted"
    if kept.all() or len(y) != len(x):
        return x, y, weights, description
    left_out = int(len(kept) - kept.sum())
    description += f" ({left_out} of weight 0 left out)"
    return x[kept], y[kept], weights[kept], description


def _numbers(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} holds {array.dtype} (shape {array.shape}); expected an array of real numbers"
        )
    return array


def _rows(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 0:
        raise DataError(f"{name} is a single number; expected an array with one row for each example")
    return array[:, None] if array.ndim == 1 else array


def _column(y: np.ndarray) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == 1:
        return y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"y has shape {y.shape}; expected one label a row, shape (n,); "
            "for one-hot rows store the index of the 1, for several values a row use task: regression"
        )
    return y


def _indices(y: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(_column(y), np.int32)


def _values(y: np.ndarray) -> np.ndarray:
    y = _rows("y", _numbers("y", y))
    if y.ndim != 2:
        raise DataError(f"y has shape {y.shape}; expected (n,) or (n, outputs)")
    return y if y.dtype.kind == "f" else y.astype(np.float64)


def _names(letter: str, count: int, *, counted: bool) -> tuple[str, ...]:
    return tuple(f"{letter}{k + 1}" for k in range(count)) if counted or count > 1 else (letter,)


def _check_finite(name: str, array: np.ndarray, columns: Sequence[str]) -> None:
    if array.dtype.kind != "f":
        return
    bad, first = 0, None
    for start, block in blocks(array):
        is_bad = ~np.isfinite(block)
        if is_bad.any():
            bad += int(is_bad.sum())
            first = first or (start, *(int(k) for k in np.argwhere(is_bad)[0]))
    if first is None:
        return
    at = (first[0] + first[1], *first[2:])
    raise DataError(
        f"{name} holds {bad} value{'s' * (bad > 1)} that {'are' if bad > 1 else 'is'} not finite; "
        f"the first is {array[at]} in {place(at, columns)} (counted from 1); remove or fill such rows"
    )


def blocks(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of an array, a few at a time, each few with the index of its first row."""
    step = block_rows(array)
    return ((start, array[start : start + step]) for start in range(0, len(array), step))


def block_rows(array: np.ndarray) -> int:
    """How many rows of an array make a block of a megabyte in float64."""
    return max(1, _BLOCK // max(1, array[:1].size))


def place(index: Sequence[int], columns: Sequence[str]) -> str:
    """An index in words that count from 1.

    >>> place((4, 1), ("age", "height"))
    'row 5, column "height"'
    """
    row, *rest = (k + 1 for k in index)
    if len(rest) == 1 and columns:
        return f'row {row}, column "{columns[rest[0] - 1]}"'
    return f"row {row}" + (f", place {', '.join(map(str, rest))}" if rest else "")
