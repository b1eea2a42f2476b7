"""Check and convert row weights, which weight rows in the cost and the metrics."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnjit.errors import DataError, counted

_PATH = ("weights",)


def as_weights(values: np.ndarray, rows: int, where: Callable[[int], str]) -> np.ndarray:
    """Convert numbers of shape (n,) or (n, 1) to weights (rows,) in float64.

    Raises:
        DataError: there is not one per row, one is negative or not finite, or all are 0.
    """
    if values.dtype.kind not in "biuf" or values.shape not in ((rows,), (rows, 1)):
        raise DataError(
            f"weights hold {values.dtype} of shape {values.shape}; expected a number >= 0 for each of the "
            f"{rows} rows",
            _PATH,
        )
    weights = values.reshape(rows).astype(np.float64)
    check_weights(weights, where)
    if not weights.any():
        raise DataError("every weight is 0, so no row is left; give some row a weight > 0", _PATH)
    return weights


def as_type(weights: np.ndarray, dtype: str) -> np.ndarray:
    """Convert weights > 0 to the training type, scaled to mean 1, since their scale has no meaning.

    Raises:
        DataError: in that type, the smallest vanishes next to the others.
    """
    relative = weights / weights.max()
    typed: np.ndarray = (relative / relative.mean()).astype(dtype)
    if typed.min() < np.finfo(dtype).tiny:
        raise DataError(
            f"weights from {weights.min():g} to {weights.max():g} are beyond the range of {dtype}; "
            "use weights closer to each other, or 0 to omit a row",
            _PATH,
        )
    return typed


def check_weights(weights: np.ndarray, where: Callable[[int], str]) -> None:
    """Raise DataError if a weight is negative or not finite."""
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise DataError(
            f"{where(int(bad[0]))} has the weight {weights[bad[0]]:g} ({counted(len(bad), 'such row')}); "
            "expected a number >= 0; correct it, or use 0 to omit the row",
            _PATH,
        )
