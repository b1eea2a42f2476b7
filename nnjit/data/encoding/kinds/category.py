"""`category`: one of several names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from nnjit.data.encoding.kinds.base import (
    MISSING_INPUT,
    OTHER_INPUT,
    ColumnEncoding,
    ColumnOptions,
    Read,
    kinds,
)
from nnjit.data.encoding.problem import Problem
from nnjit.registry import Count

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.encoding.raw_column import RawColumn

MOST_INPUTS = 1000  # for the categories of one column


@kinds.register
class Category(ColumnOptions):
    """One of several names, each an input that is 1 in rows with that name, else 0; or, if the column is
    indexed, a single input with the position of the name, for an `embedding`.

    The categories are those of the training rows, in order: numbers by size, then text alphabetically. `01`
    and `1` differ.
    """

    type: Literal["category"] = "category"
    missing: Literal["category", "most_frequent", "constant", "drop", "error"] = "category"
    """How to treat a missing value: as a `category` of its own, the `most_frequent` one of the training rows,
    or a `constant`; `drop` omits such rows, `error` stops."""
    value: str | None = None
    """With `missing: constant`, the category."""
    other: Count = 1
    """Categories with fewer training rows are merged into `other`, together with unseen ones; if there are
    no rare ones, an unseen category sets all inputs to 0."""
    indexed: bool = False
    """Whether the column is a single input, the position of the category, instead of one input for each."""

    @model_validator(mode="after")
    def _has_its_constant(self) -> Self:
        if (self.missing == "constant") != (self.value is not None):
            raise ValueError("missing: constant needs a value, the name of a category")
        return self

    def fit(self, column: RawColumn) -> CategoryEncoding:
        counts = column.known_text.alias("value").value_counts(name="rows")
        names = ordered(counts.filter(counts["rows"] >= self.other)["value"])
        return CategoryEncoding(
            name=column.name,
            missing=self.missing,
            categories=names,
            fill=self.value if self.missing != "most_frequent" else _most_frequent(counts, names),
            has_missing=self.missing == "category" and column.has_gaps,
            has_other=len(names) < len(counts),
            is_indexed=self.indexed,
        )


@dataclass(frozen=True, kw_only=True)
class CategoryEncoding(ColumnEncoding):
    """A column of categories.

    A value's position is that of its category; missing and then other values come after the categories.

    Args:
        categories: in order.
        fill: replaces missing values; None if nothing does.
        has_missing: whether missing values are their own category.
        has_other: whether training rows have rare categories, which are merged.
        is_indexed: whether the column is one input, the position, rather than one per category.
    """

    kind: Literal["category"] = "category"
    categories: tuple[str, ...]
    fill: str | None = None
    has_missing: bool = False
    has_other: bool = False
    is_indexed: bool = False

    @property
    def indexed(self) -> bool:
        return self.is_indexed

    @property
    def entries(self) -> tuple[str, ...]:
        has_other = self.has_other or self.is_indexed  # every value has a position
        own = (*self.categories, *((MISSING_INPUT,) * self.has_missing))
        return (*own, *((OTHER_INPUT,) * has_other))

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name,) if self.is_indexed else tuple(f"{self.name}={entry}" for entry in self.entries)

    def read(self, column: RawColumn) -> Read:
        import polars as pl

        text = column.text if self.fill is None else column.text.fill_null(self.fill)
        found = text.cast(pl.Enum(self.categories), strict=False).to_physical().cast(pl.Int32)
        size, is_null = len(self.categories), text.is_null().to_numpy()
        other = size + self.has_missing if self.has_other or self.is_indexed else -1
        values = np.where(found.is_null().to_numpy(), other, found.fill_null(0).to_numpy())
        if self.has_missing:
            values[is_null] = size
        return values.astype(np.int32), self.gaps(column) or self._too_many()

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        if self.is_indexed:
            out[:, 0] = values
        else:
            np.equal(values[:, None], np.arange(out.shape[1]), out=out, casting="unsafe")

    def _too_many(self) -> tuple[Problem, ...]:
        if len(self.inputs) <= MOST_INPUTS:
            return ()
        mend = "index it for an embedding, merge rare categories with other, or ignore it"
        wrong = f"{len(self.inputs)} categories, each an input of its own; at most {MOST_INPUTS} are allowed"
        return (Problem("", self.name, wrong, mend),)


def ordered(names: pl.Series) -> tuple[str, ...]:
    """Sort different names: numbers by size, then text alphabetically."""
    import polars as pl

    frame = names.alias("name").to_frame()
    in_order = frame.sort(pl.col("name").cast(pl.Float64, strict=False), "name", nulls_last=True)
    return tuple(in_order["name"].to_list())


def _most_frequent(counts: pl.DataFrame, names: tuple[str, ...]) -> str | None:
    """The category with the most rows; the first of several."""
    rows = dict(counts.iter_rows())
    return max(names, key=lambda name: rows[name], default=None)
