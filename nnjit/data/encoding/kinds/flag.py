"""`flag`: yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from nnjit.data.encoding.kinds.base import MISSING_INPUT, ColumnEncoding, ColumnOptions, Read, kinds
from nnjit.data.encoding.kinds.number import fill_of
from nnjit.data.encoding.problem import unreadable

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.encoding.raw_column import RawColumn

PAIRS = (("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("off", "on"), ("0", "1"))
"""The words for no and yes."""


@kinds.register
class Flag(ColumnOptions):
    """Yes or no, as an input of 1 or 0: `true`/`false`, `yes`/`no`, `y`/`n`, `t`/`f`, `on`/`off` or
    `1`/`0`, in any case.
    """

    type: Literal["flag"] = "flag"
    missing: Literal["most_frequent", "constant", "drop", "error"] = "most_frequent"
    """Replacement for a missing value: the `most_frequent` one of the training rows, or a `constant`; `drop`
    omits such rows, `error` stops."""
    value: bool | None = None
    """With `missing: constant`, the value."""
    indicator: bool = True
    """Whether an extra input is 1 for missing values, else 0, provided that training rows have missing
    values."""

    @model_validator(mode="after")
    def _has_its_constant(self) -> Self:
        if (self.missing == "constant") != (self.value is not None):
            raise ValueError("missing: constant needs a value, true or false")
        return self

    def fit(self, column: RawColumn) -> FlagEncoding:
        values = column.training(flags(column.text))
        fill = fill_of(self.missing, values[~np.isnan(values)]) if self.value is None else float(self.value)
        has_indicator = self.indicator and fill is not None and column.has_gaps
        return FlagEncoding(name=column.name, missing=self.missing, fill=fill, has_indicator=has_indicator)


@dataclass(frozen=True, kw_only=True)
class FlagEncoding(ColumnEncoding):
    """A column of flags.

    Args:
        fill: 0 or 1, replaces missing values; None if none are allowed.
        has_indicator: whether a second input marks missing values.
    """

    kind: Literal["flag"] = "flag"
    fill: float | None
    has_indicator: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}={MISSING_INPUT}") if self.has_indicator else (self.name,)

    def read(self, column: RawColumn) -> Read:
        values = flags(column.text)
        is_bad = np.isnan(values) & ~column.is_missing
        mend = "correct it, or give the column another kind in columns, such as category"
        return values, unreadable(column, is_bad, "yes or no", mend) or self.gaps(column)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        is_missing = np.isnan(values)
        out[:, 0] = np.where(is_missing, 0.0 if self.fill is None else self.fill, values)
        if self.has_indicator:
            out[:, 1] = is_missing


def flags(text: pl.Series) -> np.ndarray:
    """Convert text (n,): 1 for yes, 0 for no, nan for anything else."""
    import polars as pl

    words = {word: value for pair in PAIRS for word, value in zip(pair, (0.0, 1.0), strict=True)}
    found = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Float64)
    return found.fill_null(float("nan")).to_numpy()
