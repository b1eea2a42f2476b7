"""Check the inputs of a prediction, and convert them to the form that the network takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import PurePath
from typing import Any

import numpy as np

from nnjit.data import Scaling
from nnjit.data.dataset import describe_index
from nnjit.data.labels import row_name
from nnjit.errors import DataError, GraphError, UserError, counted
from nnjit.nn import Model
from nnjit.training.setup.checks.data import check_rows

Where = Callable[[int], str]

NUMBERS = "biuf"  # kinds of dtype
MOST_NAMES = 12


@dataclass(frozen=True, eq=False)
class Inputs:
    """The kind of inputs that a network was trained on.

    Args:
        features: the names of the columns; () for images.
        scaling: from the data's own units to the network's.
        dtype: the type used in training.
        where: the index of a row -> its name in messages.
    """

    model: Model
    features: Sequence[str]
    scaling: Scaling
    dtype: str
    where: Where = row_name

    def read(self, x: Any, where: Where | None = None) -> np.ndarray:
        """Convert inputs (n, …) in the data's own units to those of the network; n may be 0.

        Args:
            where: the index of a row -> its name in messages; None counts from 1.

        Raises:
            GraphError: the rows do not have the shape of the training's rows.
            DataError: a value is not a number, not finite, missing, or not accepted by a layer.
        """
        if where is not None:
            return replace(self, where=where).read(x)
        if hasattr(x, "columns"):
            self._check_order(tuple(map(str, x.columns)))
        rows = _as_array(_with_masks(x))
        self._check_shape(rows.shape)
        if isinstance(rows, np.ma.MaskedArray):
            self._check_each(~np.ma.getmaskarray(rows), lambda at: "the value is masked; fill it in")
            rows = rows.data
        if rows.dtype.kind not in NUMBERS:
            rows = self._numbers(rows)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below
            taken = np.ascontiguousarray(self.scaling.transform_inputs(rows), self.dtype)
        if not np.isfinite(taken).all():
            self._check_each(np.isfinite(taken), lambda at: self._not_finite(rows[at]))
        check_rows(self.model, taken, self._words)
        return taken

    def _check_order(self, names: tuple[str, ...]) -> None:
        """Raise a DataError if a data frame has the features in another order."""
        if names != tuple(self.features) and sorted(names) == sorted(self.features):
            raise DataError(
                f"the columns are not in the order of the training, {self._names()}; "
                "select them in this order"
            )

    def _check_shape(self, given: tuple[int, ...]) -> None:
        wanted = self.model.input_shape
        if given[1:] == wanted and given:
            return
        if given == wanted:
            mend = "; a single row needs a batch axis too: give [x]"
        elif wanted == (1,) and len(given) == 1:
            mend = "; give x[:, None]"
        elif len(given) == 2 and len(wanted) == 1 and self.features:
            mend = f"; the columns are {self._names()}"
        else:
            mend = ""
        shape = ", ".join(map(str, ("n", *wanted)))
        raise GraphError(f"expected inputs of shape ({shape}), got {given}{mend}")

    def _numbers(self, rows: np.ndarray) -> np.ndarray:
        """Convert an array of objects to float64."""
        is_number = np.array([isinstance(value, Real) for value in rows.flat], bool).reshape(rows.shape)
        self._check_each(is_number, lambda at: f"expected a number, got {rows[at]!r}")
        return rows.astype(np.float64)

    def _not_finite(self, value: Any) -> str:
        if np.isfinite(value):
            scaled = " once scaled" if self.scaling.inputs else ""
            return f"{value} is beyond the range of {self.dtype}{scaled}"
        return f"{value} is not finite; leave such rows out or fill the value in"

    def _check_each(self, is_right: np.ndarray, wrong: Any) -> None:
        """Raise a DataError about the first wrong value, if any."""
        if is_right.all():
            return
        at = tuple(int(k) for k in np.argwhere(~is_right)[0])
        count = counted(int((~is_right).sum()), "such value")
        raise DataError(f"{self._place(at)}: {wrong(at)} ({count})")

    def _words(self, row: int, position: int) -> str:
        at = map(int, np.unravel_index(position, self.model.input_shape))
        return self._place((row, *at))

    def _place(self, at: Sequence[int]) -> str:
        """The position of a value, e.g. `line 7, column "age"`."""
        where = describe_index(at, self.features)
        if self.where is row_name:
            return f"{where} (counted from 1)"
        return f"{self.where(at[0])}{where.removeprefix(f'row {at[0] + 1}')}"

    def _names(self) -> str:
        more = len(self.features) - MOST_NAMES
        return ", ".join(self.features[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _with_masks(x: Any) -> Any:
    """Join rows into one masked array if any is masked; NumPy would drop the masks."""
    if isinstance(x, list | tuple) and any(isinstance(row, np.ma.MaskedArray) for row in x):
        return np.ma.array(x)
    return x


def _as_array(x: Any) -> np.ndarray:
    """Convert to an array of numbers, or of objects that may be numbers."""
    try:
        array = np.asanyarray(x)
    except ValueError:
        raise _uneven(x) from None
    if array.dtype.kind not in NUMBERS:
        array = np.asanyarray(x, dtype=object)  # NumPy would turn [1, "a"] into text
    if array.ndim == 0:
        is_file = isinstance(x, str | PurePath)
        mend = "; read a file into a data frame, or run nnjit predict" if is_file else ""
        raise GraphError(f"expected an array with one row per example, got {type(x).__name__}{mend}")
    return array if isinstance(array, np.ma.MaskedArray) else np.asarray(array)


def _uneven(x: Any) -> UserError:
    """The error for rows of different lengths."""
    sizes = [len(row) if isinstance(row, list | tuple | np.ndarray) else 0 for row in x]
    row = next((k for k, size in enumerate(sizes) if size != sizes[0]), None)
    if row is None:
        return GraphError("the rows differ in shape; every row needs the same number of values")
    return GraphError(
        f"row {row + 1} (counted from 1) has {counted(sizes[row], 'value')}, the first has {sizes[0]}; "
        "every row needs the same number"
    )
