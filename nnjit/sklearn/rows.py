"""Check the rows given to an estimator: arrays of numbers, or data frames whose columns are encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d, validate_data

from nnjit.memory import check_fits

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_FRAMES = ("pandas", "polars")
_NUMBERS = "biuf"


@dataclass(frozen=True)
class Rows:
    """Checked rows.

    Args:
        x: numbers (n, I), or the columns of a table by name.
        names: the column names; None if there are none.
    """

    x: Any
    names: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(next(iter(self.x.values()))) if self.is_table else len(self.x)

    @property
    def is_table(self) -> bool:
        """Whether the columns must be encoded."""
        return isinstance(self.x, dict)


def read_rows(estimator: BaseEstimator, X: Any, *, reset: bool, is_encoded: bool | None = None) -> Rows:
    """Read the rows of X.

    Args:
        reset: whether a training starts with them; later rows must have the same names.
        is_encoded: whether the training encodes the columns; None at its start, where X decides.

    Raises:
        ValueError: X is not a table of numbers, or has other columns than the training.
    """
    if has_mixed_columns(X) if is_encoded is None else is_encoded:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return Rows(_columns(estimator, X), _names(estimator))
    x = validate_data(estimator, X, reset=reset, dtype=(np.float64, np.float32), accept_sparse="csr")
    return Rows(dense(x), _names(estimator))


def read_targets(estimator: BaseEstimator, X: Any, y: Any, *, is_numeric: bool) -> np.ndarray:
    """Read the targets of all rows of X, (n,) or (n, O).

    Raises:
        ValueError: there are none, the number of rows differs, or some are missing.
    """
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"This {name} estimator requires y to be passed, but the target y is None")
    targets = check_array(
        y, dtype="numeric" if is_numeric else None, ensure_2d=False, accept_sparse="csr", input_name="y",
        estimator=estimator,
    )  # fmt: skip
    check_consistent_length(X, targets)
    targets = np.asarray(dense(targets))
    return column_or_1d(targets, warn=True) if targets.ndim == 2 and targets.shape[1] == 1 else targets


def read_weights(rows: Rows, sample_weight: Any) -> np.ndarray | None:
    """Read the weight of each row, (n,); None if all count equally.

    Raises:
        ValueError: the number of weights differs from that of the rows, or all are 0.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, np.float64)
    weights = np.full(len(rows), float(weights)) if weights.ndim == 0 else weights
    if weights.shape != (len(rows),):
        raise ValueError(
            f"sample_weight has shape {weights.shape}; expected ({len(rows)},), one weight per row"
        )
    if not weights.any():
        raise ValueError("every weight in sample_weight is zero, so no row is left; give one a weight > 0")
    return weights


def dense(x: Any) -> Any:
    """Convert a sparse matrix to a dense one; return anything else unchanged.

    Raises:
        TooLarge: the dense matrix does not fit into memory.
    """
    if not sparse.issparse(x):
        return x
    check_fits(x.shape[0] * x.shape[1] * x.dtype.itemsize, "X without sparsity", "reduce its columns first")
    return x.toarray()


def is_frame(X: Any) -> bool:
    """Whether X is a data frame."""
    return _library(X) in _FRAMES and hasattr(X, "columns")


def has_mixed_columns(X: Any) -> bool:
    """Whether a data frame has missing values, or columns other than numbers."""
    if not is_frame(X):
        return False
    if _library(X) == "polars":
        numbers = all(dtype.is_numeric() or str(dtype) == "Boolean" for dtype in X.dtypes)
        return not numbers or any(series.null_count() for series in X)
    return any(dtype.kind not in _NUMBERS for dtype in X.dtypes) or bool(X.isna().to_numpy().any())


def _library(X: Any) -> str:
    return type(X).__module__.partition(".")[0]


def _names(estimator: Any) -> tuple[str, ...] | None:
    found = getattr(estimator, "feature_names_in_", None)
    return None if found is None else tuple(found.tolist())


def _columns(estimator: Any, X: Any) -> dict[str, Any]:
    """The columns of a frame, or of an array with columns in the order of the training."""
    if hasattr(X, "iloc"):
        return {str(name): X.iloc[:, k] for k, name in enumerate(X.columns)}
    if hasattr(X, "columns"):
        return {name: X[name] for name in X.columns}
    x = np.asarray(X, dtype=object)
    names = _names(estimator) or tuple(map(str, range(x.shape[1])))
    return {name: x[:, k] for k, name in enumerate(names)}
