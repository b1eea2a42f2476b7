"""Forecasts that need no training: the last value, and the value one season ago."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnjit.data.dataset import Dataset
    from nnjit.data.splits import Rows

LAST_VALUE, LAST_SEASON = "last value", "last season"

Errors = Mapping[str, tuple[float, ...]]
"""`mae` and `mse` of each column of y, in its own unit."""


def naive_forecasts(
    values: np.ndarray,
    ends: np.ndarray,
    begins: np.ndarray,
    *,
    horizon: Sequence[int],
    season: int | None,
) -> dict[str, np.ndarray]:
    """Naive forecasts (n, horizon × targets) of n windows, by name.

    The last season is the value a whole number of seasons before the predicted step; if the series does not
    reach that far back, or a value is missing, the last known value replaces it.

    Args:
        values: (T, targets), nan if missing.
        ends: (n,) the position of the last step of each window.
        begins: (n,) the position of the first row of its group.
    """
    last = np.repeat(_last_known(values, ends, begins)[:, None], len(horizon), axis=1)
    found = {LAST_VALUE: last}
    if season is not None:
        places = np.stack([ends + h - season * -(-h // season) for h in horizon], axis=1)
        is_there = places >= begins[:, None]
        seasonal = values[np.where(is_there, places, 0)]
        found[LAST_SEASON] = np.where(is_there[..., None] & ~np.isnan(seasonal), seasonal, last)
    return {name: forecast.reshape(len(ends), -1) for name, forecast in found.items()}


def errors_by_part(
    data: Mapping[str, Dataset], rows: Rows, held_out: Collection[str]
) -> dict[str, dict[str, Errors]]:
    """The errors of the naive forecasts in each part, by name and part.

    Args:
        data: the data of each part; data without forecasts has no errors.
        rows: the rows of each part.
        held_out: the parts that use all rows of their data.
    """
    found: dict[str, dict[str, Errors]] = {}
    for part, own in data.items():
        chosen = None if part in held_out else getattr(rows, part)
        if chosen is None and part != "train" and part not in held_out:
            continue
        for name, forecast in own.naive.items():
            y = own.y[:]
            errors = errors_of(forecast, y) if chosen is None else errors_of(forecast[chosen], y[chosen])
            found.setdefault(name, {})[part] = errors
    return found


def errors_of(forecast: np.ndarray, y: np.ndarray) -> Errors:
    """The errors of a forecast (n, O), by column of y."""
    difference = forecast - y
    return {"mae": _means(np.abs(difference)), "mse": _means(difference**2)}


def _means(values: np.ndarray) -> tuple[float, ...]:
    """The mean of each column without nan; nan if all values are."""
    is_known = ~np.isnan(values)
    counts = is_known.sum(axis=0)
    means = np.where(is_known, values, 0.0).sum(axis=0) / np.maximum(counts, 1)
    return tuple(np.where(counts > 0, means, np.nan).tolist())


def _last_known(values: np.ndarray, ends: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The last known values (n, targets) of a group up to given positions; nan if there are none."""
    places = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    latest = np.maximum.accumulate(places, axis=0)[ends]
    return np.where(
        latest >= begins[:, None], np.take_along_axis(values, np.maximum(latest, 0), axis=0), np.nan
    )
