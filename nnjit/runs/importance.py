"""`importance.json`: how much worse a trained network is without each input column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile


@dataclass(frozen=True)
class ColumnImportance:
    """The loss of quality when a column is shuffled; below 0 if shuffling happens to help.

    Args:
        loss: mean increase of the loss over the shuffles.
        deviation: its standard deviation over the shuffles.
        metric: mean deterioration of the metric; nan if there is none.
    """

    name: str
    loss: float
    deviation: float
    metric: float


@dataclass(frozen=True)
class Importance(JsonFile):
    """The permutation importance of columns (Breiman 2001).

    Args:
        split: the part of the data.
        rows: number of examples used.
        shuffles: number of shuffles per column.
        metric: column of the first metric that is a sum over the examples; empty if there is none.
        columns: in the order of the data.
    """

    file_name: ClassVar[str] = file_names.IMPORTANCE

    split: str
    rows: int
    shuffles: int
    metric: str
    columns: tuple[ColumnImportance, ...]

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"columns": [vars(column) for column in self.columns]}
