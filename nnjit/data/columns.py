"""Turn named columns of numbers, categories and missing values into one table of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nnjit.errors import DataError, counted
from nnjit.memory import check_fits

Missing = Literal["error", "drop", "mean"]
Where = Callable[[int], str]
"""The index of a row → its name in messages, e.g. "line 7"."""

_MOST_CATEGORIES = 1000


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Args:
        values: (n,) float64, NaN where missing; indices into `categories` if it has any.
        codes: the categories whose indices the values are and remain; such values have no mean.
    """

    name: str
    values: np.ndarray
    categories: tuple[str, ...] | None = None
    codes: tuple[str, ...] | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its inputs: its own, or `name=category` for each category."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={c}" for c in self.categories)

    def write(self, out: np.ndarray) -> None:
        """Fill `out` (n, inputs) with the numbers, or with the one-hot codes of the categories.

        A missing value becomes the mean of the known ones, which for a category is its frequency.
        """
        if self.categories is None:
            out[:, 0] = self.values
        else:
            np.equal(self.values[:, None], np.arange(len(self.categories)), out=out, casting="unsafe")
        is_missing = np.isnan(self.values)
        if is_missing.any():
            out[is_missing] = out[~is_missing].mean(axis=0)

    def rows(self, kept: np.ndarray | None) -> Column:
        """The column with the rows of a mask, or all rows if None."""
        return self if kept is None else replace(self, values=self.values[kept])


def without_gaps(
    features: list[Column], targets: list[Column], missing: Missing, where: Where
) -> tuple[list[Column], list[Column]]:
    """The columns after the user's choice about missing values: rows may be dropped, none or some.

    Raises:
        DataError: a value is missing that must not be, or nothing is left.
    """
    without_mean = (*(c for c in features if c.codes is not None), *targets)
    must_be_known = {"error": (*features, *targets), "drop": (), "mean": without_mean}[missing]
    _check_known(must_be_known, where)
    if missing == "mean":
        _check_not_empty(features)
    if missing != "drop":
        return features, targets
    kept = ~np.any([np.isnan(column.values) for column in (*features, *targets)], axis=0)
    if not kept.any():
        raise DataError(
            f"every one of the {len(kept)} rows has a missing value, so missing: drop leaves none"
        )
    kept = None if kept.all() else kept
    return [c.rows(kept) for c in features], [c.rows(kept) for c in targets]


def check_finite(columns: Sequence[Column], where: Where) -> None:
    """Raise DataError if a number is infinite."""
    for column in columns:
        bad = np.flatnonzero(np.isinf(column.values))
        if len(bad):
            raise DataError(
                f'{where(int(bad[0]))}, column "{column.name}": {column.values[bad[0]]} is not finite '
                f"({counted(len(bad), 'such value')} in the column)"
            )


def table(columns: Sequence[Column]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The inputs (n, I) float64 of some columns, and their names."""
    for column in columns:
        _check_width(column)
    names = tuple(name for column in columns for name in column.features)
    rows = len(columns[0].values)
    check_fits(8 * rows * len(names), f"{rows:,} rows of {len(names):,} inputs", "leave out rows or columns")
    out = np.empty((rows, len(names)))
    start = 0
    for column in columns:
        column.write(out[:, start : start + len(column.features)])
        start += len(column.features)
    return out, names


def labels(column: Column) -> np.ndarray:
    """The labels of a target column: its categories as text, or its numbers."""
    if column.categories is None:
        return column.values
    return np.array(column.categories)[column.values.astype(np.int64)]


def _check_known(columns: Sequence[Column], where: Where) -> None:
    gaps = [
        (int(np.argmax(gap)), column.name, int(gap.sum()))
        for column in columns
        if (gap := np.isnan(column.values)).any()
    ]
    if not gaps:
        return
    row, name, _ = min(gaps, key=lambda gap: gap[0])
    total = sum(count for _, _, count in gaps)
    raise DataError(
        f'{where(row)}, column "{name}": no value ({total} missing in all, in '
        f"{counted(len(gaps), 'column')}); fill it in, or set missing to drop (leaves out such rows) "
        "or mean (fills in features, never targets or `indexed`)"
    )


def _check_not_empty(columns: Sequence[Column]) -> None:
    for column in columns:
        if np.isnan(column.values).all():
            raise DataError(f'column "{column.name}" has no value at all, so it has no mean; leave it out')


def _check_width(column: Column) -> None:
    if len(column.features) > _MOST_CATEGORIES:
        raise DataError(
            f'column "{column.name}" has {len(column.features)} categories, each an input of its own; '
            f"at most {_MOST_CATEGORIES} are allowed; leave the column out"
        )
