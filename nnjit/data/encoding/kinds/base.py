"""The base classes of kinds of columns: what a config says of one, and what an encoder has learned of it."""

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
"""What a kind reads a column as, a row for each of the table: numbers, indices of categories or of words."""
Read = tuple[Values, tuple[Problem, ...]]

NO_DATE = np.iinfo(np.int64).min
"""The time of what is no date."""
MISSING_INPUT, OTHER_INPUT = "(missing)", "(other)"
"""The names of the inputs for values that are missing, and for rare and unseen ones."""


class ColumnOptions(Options, ABC):
    """The kind of a column, and what to do about its missing values."""

    type: str

    @abstractmethod
    def fit(self, column: RawColumn) -> ColumnEncoding:
        """The encoding of the column, learned from its training rows."""

    @property
    def drops(self) -> bool:
        """Whether rows without a value are left out."""
        return getattr(self, "missing", "") == "drop"


@dataclass(frozen=True, kw_only=True)
class ColumnEncoding(ABC):
    """How a column becomes inputs; all that was learned about it is here.

    Args:
        name: that of the column.
        missing: what is done about missing values.
        missing_rows: how many training rows have none.
    """

    name: str
    missing: str = "error"
    missing_rows: int = 0
    kind: str

    @property
    def indexed(self) -> bool:
        """Whether its inputs are indices, which an embedding takes."""
        return False

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs; () if the column is left out."""

    @property
    def is_scaled(self) -> tuple[bool, ...]:
        """Which of its inputs are quantities, which `scale` scales."""
        return (False,) * len(self.inputs)

    @property
    def entries(self) -> tuple[str, ...]:
        """The categories or words that the values of its inputs count, or that its inputs stand for."""
        return ()

    @abstractmethod
    def read(self, column: RawColumn) -> Read:
        """The values of a column, and what is wrong with it."""

    @abstractmethod
    def write(self, values: Values, out: np.ndarray) -> None:
        """Fill `out` (n, inputs) with the inputs of n rows of what `read` gave."""

    def gaps(self, column: RawColumn) -> tuple[Problem, ...]:
        """The problem of missing values, if the column must not have any."""
        if self.missing == "error":
            return missing(column, "fill it in, or say with missing what to do about it")
        if self.missing == "drop":
            return missing(column, "fill it in, or leave the row out: the training left such rows out")
        return ()


Fill = Literal["median", "mean", "most_frequent", "constant", "drop", "error"]
kinds: Registry[ColumnOptions] = Registry("kind of column")
