"""`arrays`: arrays passed from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.source import Source, sources
from nnjit.data.target import ProblemType, ProblemTypes, problem_type_of
from nnjit.errors import ConfigPath, DataError, counted, did_you_mean

_TYPE: ConfigPath = ("type",)


@sources.register
class Arrays(Source):
    """The arrays from `nnjit.fit(config, data=(x, y))`: x (n, ...) and y, or a dict of arrays with x and y
    among them. With `losses`, each loss takes the array named after its target instead of `y`.
    """

    type: Literal["arrays"] = "arrays"
    task: ProblemType | Literal["auto"] = "auto"
    """Type of y: classes, values, or (auto) classes if it is a column of text, or of whole numbers and the
    loss takes classes, like cross-entropy; else values. With `losses`, these decide."""
    weights: str | None = None
    """The array (n,) of row weights >= 0 for the cost and the metrics; null weights all rows equally. Rows of
    weight 0 are dropped."""
    features: tuple[str, ...] | None = None
    """The names of the columns of x, if any; null calls them x1, x2, …."""
    classes: tuple[str, ...] | None = None
    """The names of the classes whose indices 0, 1, … y holds, including classes without rows; null takes the
    classes from y."""

    def load(self, folder: Path) -> Dataset:
        x, y = self._array("x"), self._array("y")
        if self.classes is not None:
            _check_indices(y, self.classes)
        return make_dataset(
            x, y,
            problem_type=self._problem_type(y), description=_description(x), features=self._features(x),
            classes=self.classes, weights=self._weights(),
        )  # fmt: skip

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        return {name: None for name in self._arrays() if name not in ("x", self.weights)}

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        x = self._array("x")
        targets = {name: self._array(name) for name in problem_types}
        return make_multi_target_dataset(
            x, targets, problem_types,
            description=_description(x), features=self._features(x), weights=self._weights(),
        )  # fmt: skip

    @property
    def takes_data(self) -> bool:
        return True

    def _problem_type(self, y: np.ndarray) -> ProblemType:
        if self.task != "auto":
            return self.task
        return "classification" if self.classes is not None else problem_type_of(y, self._takes)

    def _features(self, x: np.ndarray) -> tuple[str, ...]:
        if self.features is None or x.ndim > 2:
            return ()
        columns = 1 if x.ndim == 1 else x.shape[1]
        if len(self.features) != columns:
            names, given = counted(len(self.features), "name"), counted(columns, "column")
            raise DataError(f"{names} for {given} of x; give one per column", ("features",))
        return self.features

    def _weights(self) -> np.ndarray | None:
        return None if self.weights is None else self._array(self.weights, ("weights",))

    def _array(self, name: str, path: ConfigPath = _TYPE) -> np.ndarray:
        arrays = self._arrays()
        if name not in arrays:
            raise DataError(f'no array "{name}" is given{did_you_mean(name, arrays)}', path)
        try:
            array = np.asarray(arrays[name])
            array = np.array(array.tolist()) if array.dtype.kind in "OT" else array  # objects may be text
        except ValueError as error:  # rows of different lengths
            raise DataError(f'array "{name}" cannot be read: {error}', path) from None
        if array.dtype.kind == "O":
            raise DataError(f'array "{name}" holds Python objects; give numbers or text', path)
        return array

    def _arrays(self) -> Mapping[str, Any]:
        """The given arrays by name."""
        data = self._given_data("give it from Python, nnjit.fit(config, data=(x, y))")
        if isinstance(data, tuple | list) and len(data) == 2:
            return dict(zip(("x", "y"), data, strict=True))
        if isinstance(data, Mapping):
            return {str(name): values for name, values in data.items()}
        mend = "; for the columns of a data frame set type: table" if hasattr(data, "columns") else ""
        raise DataError(
            f"data= is of the type {type(data).__name__}; expected (x, y), or a dict of arrays{mend}", _TYPE
        )


def _check_indices(y: np.ndarray, classes: Sequence[str]) -> None:
    """Raise a DataError unless y holds class indices."""
    if y.dtype.kind not in "biu" or (y.size and not 0 <= y.min() <= y.max() < len(classes)):
        range_ = f"from {y.min()} to {y.max()}" if y.dtype.kind in "biuf" and y.size else f"of type {y.dtype}"
        raise DataError(
            f"y holds values {range_}; with classes it must hold class indices, whole numbers from 0 to "
            f"{len(classes) - 1}",
            ("classes",),
        )


def _description(x: np.ndarray) -> str:
    shape = "×".join(map(str, x.shape[1:])) or "1"
    return f"arrays given in Python: {len(x)} rows of {shape}"
