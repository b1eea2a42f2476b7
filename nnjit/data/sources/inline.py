"""`inline`: a small table written in the config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from nnjit.data.dataset import Dataset, Task, dataset
from nnjit.data.source import Source, sources
from nnjit.errors import DataError
from nnjit.errors import Path as Place

Rows = Annotated[tuple[Any, ...], Field(min_length=1)]


@sources.register
class Inline(Source):
    """Rows written out, e.g. the XOR table: `x: [[0, 0], [0, 1], [1, 0], [1, 1]]`, `y: [0, 1, 1, 0]`."""

    type: Literal["inline"] = "inline"
    x: Rows
    """The inputs, a list for each row (or a bare number); rows may be nested lists of one shape."""
    y: Rows
    """The targets, a list or a bare number for each row; names or whole numbers for classification."""
    weights: Rows | None = None
    """How much each row counts in the cost and the metrics, a number >= 0 for each; null counts all alike.
    A row of weight 0 is left out."""
    task: Task = "regression"
    """Whether y holds values (regression) or the class of each row (classification)."""

    def load(self, folder: Path) -> Dataset:
        x = _array(self.x, "x", numeric=True)
        y = _array(self.y, "y", numeric=self.task == "regression")
        w = None if self.weights is None else _array(self.weights, "weights", numeric=True)
        description = f"table of {len(x)} row{'s' * (len(x) > 1)} written in the config"
        return dataset(x, y, task=self.task, description=description, weights=w)


def _array(rows: tuple[Any, ...], name: str, *, numeric: bool) -> np.ndarray:
    _shape(rows, (name,), numeric)
    array = np.array(rows)
    return array.astype(np.float64) if numeric else array


def _shape(item: Any, place: Place, numeric: bool) -> tuple[int, ...]:
    """The shape of nested rows; raises DataError at the first place that does not fit."""
    if not isinstance(item, tuple):
        _check_entry(item, place, numeric)
        return ()
    shapes = [_shape(inner, (*place, k), numeric) for k, inner in enumerate(item)]
    for k, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise DataError(
                f"has shape {shape}, and the first in this list {shapes[0]}; make all alike", (*place, k)
            )
    return (len(item), *(shapes[0] if shapes else ()))


def _check_entry(item: Any, place: Place, numeric: bool) -> None:
    is_number = isinstance(item, int | float) and not isinstance(item, bool)
    if not (is_number or (not numeric and isinstance(item, str))):
        raise DataError(f"expected a number{'' if numeric else ' or a name'}, got {item!r}", place)
