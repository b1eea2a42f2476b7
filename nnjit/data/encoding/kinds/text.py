"""`text`: words, as indices into a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from nnjit.data.encoding.kinds.base import ColumnEncoding, ColumnOptions, Read, kinds
from nnjit.registry import MOST, Count

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.encoding.raw_column import RawColumn

PADDING, UNKNOWN = "(padding)", "(unknown)"
"""The first vocabulary entries: 0 for places after the last word, 1 for unknown words."""
LONGEST = 64


@kinds.register
class Text(ColumnOptions):
    """Words, as indices into a vocabulary, for an `embedding`: one input per place, 0 after the last word
    and 1 for an unknown word.

    Words are the longest runs of letters, digits and `_`, in lower case. The vocabulary comes from the
    training rows: the most frequent word is 2, the next 3; equally frequent words are sorted alphabetically.
    A missing value has no words.
    """

    type: Literal["text"] = "text"
    length: Count | None = None
    """Number of places; later words are dropped. null takes the longest text of the training rows, at most
    64."""
    vocabulary: int = Field(10_000, ge=3, le=MOST)
    """Size of the vocabulary at most, including padding and unknown words."""
    other: Count = 2
    """Words that occur less often in the training rows are unknown."""
    missing: Literal["constant", "drop", "error"] = "constant"
    """How to treat missing values: as a `constant`, no words; `drop` omits such rows, `error` stops."""

    def fit(self, column: RawColumn) -> TextEncoding:
        import polars as pl

        tokens = words(column.known_text.alias("word"))
        counts = tokens.explode().drop_nulls().value_counts(name="rows")
        frequent = counts.filter(pl.col("rows") >= self.other)
        ranked = frequent.sort("rows", "word", descending=[True, False])["word"]
        longest = min(int(tokens.list.len().max() or 0), LONGEST)  # type: ignore[arg-type]  # a whole number
        return TextEncoding(
            name=column.name,
            missing=self.missing,
            words=tuple(ranked.head(self.vocabulary - 2).to_list()),
            length=self.length or max(1, longest),
        )


@dataclass(frozen=True, kw_only=True)
class TextEncoding(ColumnEncoding):
    """A column of text.

    Args:
        words: the vocabulary; its first word has index 2.
        length: number of places; 0 if the column is left out because no layer takes it.
    """

    kind: Literal["text"] = "text"
    words: tuple[str, ...]
    length: int

    @property
    def indexed(self) -> bool:
        return True

    @property
    def entries(self) -> tuple[str, ...]:
        return (PADDING, UNKNOWN, *self.words) if self.length else ()

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(f"{self.name}[{k}]" for k in range(1, self.length + 1))

    def read(self, column: RawColumn) -> Read:
        import polars as pl

        tokens = words(column.text)
        counts = tokens.list.len().fill_null(0).to_numpy().astype(np.int64)
        known = (
            tokens.explode().drop_nulls().cast(pl.Enum(self.words), strict=False).to_physical().cast(pl.Int32)
        )
        rows = np.repeat(np.arange(len(column)), counts)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        values, fits = np.zeros((len(column), self.length), np.int32), places < self.length
        values[rows[fits], places[fits]] = (known + 2).fill_null(1).to_numpy()[fits]
        return values, self.gaps(column)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        out[:] = values


def words(text: pl.Series) -> pl.Series:
    """The words of each text, as lists."""
    return text.str.to_lowercase().str.extract_all(r"\w+")
