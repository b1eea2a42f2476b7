"""`inline`: a small table written in the config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.source import Source, sources
from nnjit.data.target import ProblemType, ProblemTypes, problem_type_of
from nnjit.errors import ConfigPath, DataError, counted

MOST_AXES = 32  # of a NumPy array
Rows = Annotated[tuple[Any, ...], Field(min_length=1)]


@sources.register
class Inline(Source):
    """Rows written out, e.g. the XOR table: `x: [[0, 0], [0, 1], [1, 0], [1, 1]]`, `y: [0, 1, 1, 0]`."""

    type: Literal["inline"] = "inline"
    x: Rows
    """The inputs, a list (or a bare number) per row; rows may be nested lists of one shape."""
    y: Rows | dict[str, Rows]
    """The targets, a list or a bare number per row; names or whole numbers for classification. With
    `losses`, a mapping from target names to such lists."""
    weights: Rows | None = None
    """Row weights >= 0 for the cost and the metrics, one per row; null weights all rows equally. Rows of
    weight 0 are dropped."""
    task: ProblemType | Literal["auto"] = "auto"
    """Type of y: classes, values, or (auto) classes if it holds names, or one whole number per row and the
    loss takes classes, like cross-entropy; else values. With `losses`, these decide."""

    def load(self, folder: Path) -> Dataset:
        if isinstance(self.y, dict):
            mend = "give the list for a single target, or losses instead of loss"
            raise DataError(f"several targets ({', '.join(self.y)}) are for losses; {mend}", ("y",))
        x = _array(self.x, "x", numeric=True)
        y = _array(self.y, "y", numeric=self.task == "regression")
        problem_type = problem_type_of(y, self._takes) if self.task == "auto" else self.task
        return make_dataset(
            x, y, problem_type=problem_type, description=_description(x), weights=self._weights()
        )

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        if not isinstance(self.y, dict):
            raise DataError("losses need targets by name, such as y: {price: [3, 4], kind: [a, b]}", ("y",))
        return {name: ("y", name) for name in self.y}

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        assert isinstance(self.y, dict)  # checked by `targets`
        x = _array(self.x, "x", numeric=True)
        targets = {
            name: _array(self.y[name], "y", name, numeric=t == "regression")
            for name, t in problem_types.items()
        }
        return make_multi_target_dataset(
            x, targets, problem_types, description=_description(x), weights=self._weights()
        )

    def _weights(self) -> np.ndarray | None:
        return None if self.weights is None else _array(self.weights, "weights", numeric=True)


def _description(x: np.ndarray) -> str:
    return f"table of {counted(len(x), 'row')} written in the config"


def _array(rows: tuple[Any, ...], *path: str, numeric: bool) -> np.ndarray:
    _shape(rows, path, numeric)
    array = np.array(rows)
    return array.astype(np.float64) if numeric else array


def _shape(item: Any, path: ConfigPath, numeric: bool) -> tuple[int, ...]:
    """The shape of nested rows; raise DataError at the first entry that does not fit."""
    if len(path) > MOST_AXES:
        raise DataError(f"lists in lists, more than {MOST_AXES} deep; write a flat list", path[:1])
    if not isinstance(item, tuple):
        _check_entry(item, path, numeric)
        return ()
    shapes = [_shape(inner, (*path, k), numeric) for k, inner in enumerate(item)]
    for k, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise DataError(
                f"has shape {shape}, but the first in this list has {shapes[0]}; make all alike", (*path, k)
            )
    return (len(item), *(shapes[0] if shapes else ()))


def _check_entry(item: Any, path: ConfigPath, numeric: bool) -> None:
    is_number = isinstance(item, int | float) and not isinstance(item, bool)
    if not (is_number or (not numeric and isinstance(item, str))):
        raise DataError(f"expected a number{'' if numeric else ' or a name'}, got {item!r}", path)
    if isinstance(item, int) and abs(item) >= 2**63:
        raise DataError("a whole number beyond 2**63; write it with an exponent, such as 1e20", path)
