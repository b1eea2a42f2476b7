"""`number`: a quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from nnjit.data.encoding.kinds.base import MISSING_INPUT, ColumnEncoding, ColumnOptions, Fill, Read, kinds
from nnjit.data.encoding.problem import infinite, unreadable

if TYPE_CHECKING:
    from nnjit.data.encoding.raw_column import RawColumn

MEND = "correct it, add it to missing_marks, or set another kind in columns, such as category"


@kinds.register
class Number(ColumnOptions):
    """A quantity: a single input, which `scale` scales."""

    type: Literal["number"] = "number"
    missing: Fill = "median"
    """Replacement for a missing value: the `median`, `mean` or `most_frequent` value of the training rows,
    or a `constant`; `drop` omits such rows, `error` stops."""
    value: float | None = None
    """With `missing: constant`, the value."""
    indicator: bool = True
    """Whether an extra input is 1 for missing values, else 0, provided that training rows have missing
    values."""

    @model_validator(mode="after")
    def _has_its_constant(self) -> Self:
        if (self.missing == "constant") != (self.value is not None):
            raise ValueError("missing: constant needs a value, such as value: 0")
        return self

    def fit(self, column: RawColumn) -> NumberEncoding:
        values = column.training(column.numbers[0])
        known = values[np.isfinite(values)]
        fill = self.value if self.missing == "constant" else fill_of(self.missing, known)
        has_indicator = self.indicator and fill is not None and column.has_gaps
        return NumberEncoding(name=column.name, missing=self.missing, fill=fill, has_indicator=has_indicator)


@dataclass(frozen=True, kw_only=True)
class NumberEncoding(ColumnEncoding):
    """A column of numbers.

    Args:
        fill: replaces missing values; None if none are allowed.
        has_indicator: whether a second input marks missing values.
    """

    kind: Literal["number"] = "number"
    fill: float | None
    has_indicator: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}={MISSING_INPUT}") if self.has_indicator else (self.name,)

    @property
    def is_scaled(self) -> tuple[bool, ...]:
        return (True, False)[: len(self.inputs)]

    def read(self, column: RawColumn) -> Read:
        values, is_bad = column.numbers
        problems = unreadable(column, is_bad, "a number", MEND) or infinite(column, np.isinf(values))
        return column.own_numbers, problems or self.gaps(column)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        out[:, 0] = values
        if self.fill is None:
            return
        is_missing = np.isnan(values)
        out[is_missing, 0] = self.fill
        if self.has_indicator:
            out[:, 1] = is_missing


def fill_of(missing: str, known: np.ndarray) -> float | None:
    """The value that replaces missing ones; None if none does. Without a known value it is 0."""
    if missing not in _FILLS:
        return None
    if not len(known):
        return 0.0
    with np.errstate(over="ignore"):
        found = _FILLS[missing](known)
    if np.isfinite(found):
        return found
    unit = float(np.abs(known).max())  # the sum of values may overflow
    return _FILLS[missing](known / unit) * unit


def _most_frequent(known: np.ndarray) -> float:
    values, counts = np.unique(known, return_counts=True)
    return float(values[np.argmax(counts)])


_FILLS: Mapping[str, Callable[[np.ndarray], float]] = {
    "median": lambda known: float(np.quantile(known, 0.5, method="averaged_inverted_cdf")),
    "mean": lambda known: float(known.mean()),
    "most_frequent": _most_frequent,
}
