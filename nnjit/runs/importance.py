"""`importance.json`: how much worse a trained network is without each column of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile


@dataclass(frozen=True)
class ColumnImportance:
    """What is lost if the values of a column are shuffled; below 0 if that happens to help.

    Args:
        loss: by how much the loss rises, on average over the shuffles.
        deviation: of that, between the shuffles.
        metric: by how much the metric gets worse, on average; nan if there is none.
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
        rows: how many examples of it were taken.
        shuffles: of each column.
        metric: the column of the first metric that is a sum over the examples; empty if there is none.
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
