"""The base classes of column kinds: the options in a config, and the encoding that is fitted to a column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnjit.data.encoding.problem import Problem, missing
from nnjit.registry import Options, Registry

if TYPE_CHECKING:
    from nnjit.data.encoding.raw_column import RawColumn

Values = np.ndarray
"""The values that a kind reads, one per table row: numbers, or indices of categories or words."""
Read = tuple[Values, tuple[Problem, ...]]

NO_DATE = np.iinfo(np.int64).min
"""The time of a value that is not a date."""
MISSING_INPUT, OTHER_INPUT = "(missing)", "(other)"
"""The names of the inputs for missing values, and for rare and unseen ones."""


class ColumnOptions(Options, ABC):
    """The kind of a column, and how to treat its missing values."""

    type: str

    @abstractmethod
    def fit(self, column: RawColumn) -> ColumnEncoding:
        """Learn the encoding of the column from its training rows."""

    @property
    def drops(self) -> bool:
        """Whether rows without a value are dropped."""
        return getattr(self, "missing", "") == "drop"


@dataclass(frozen=True, kw_only=True)
class ColumnEncoding(ABC):
    """Encodes a column as inputs; holds all that was learned about it.

    Args:
        name: name of the column.
        missing: how missing values are treated.
        missing_rows: number of training rows without a value.
    """

    name: str
    missing: str = "error"
    missing_rows: int = 0
    kind: str

    @property
    def indexed(self) -> bool:
        """Whether its inputs are indices for an embedding."""
        return False

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs; () if the column is left out."""

    @property
    def is_scaled(self) -> tuple[bool, ...]:
        """For each input, whether it is a quantity, which `scale` scales."""
        return (False,) * len(self.inputs)

    @property
    def entries(self) -> tuple[str, ...]:
        """The categories or words that its inputs count or stand for."""
        return ()

    @abstractmethod
    def read(self, column: RawColumn) -> Read:
        """The values of a column, and the problems found in it."""

    @abstractmethod
    def write(self, values: Values, out: np.ndarray) -> None:
        """Fill `out` (n, inputs) with the inputs for n rows that `read` returned."""

    def gaps(self, column: RawColumn) -> tuple[Problem, ...]:
        """The problem of missing values, if they are not allowed."""
        if self.missing == "error":
            return missing(column, "fill it in, or set missing to say how to treat it")
        if self.missing == "drop":
            return missing(column, "fill it in, or omit the row, as training did")
        return ()


Fill = Literal["median", "mean", "most_frequent", "constant", "drop", "error"]
kinds: Registry[ColumnOptions] = Registry("kind of column")
