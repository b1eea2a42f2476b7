"""Fit the shift and scale of each column to the training rows, in float64, a block of rows at a time.

Sums are of differences from a first value, and squares of differences from the mean, so a column of large
numbers close to each other keeps its digits. A column whose squares would overflow or underflow is measured
in a suitable unit, a power of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nnjit.data.padding import Padding
from nnjit.data.scaling import Affine
from nnjit.errors import DataError

NEAR = 64  # a mean this many deviations from 0 costs squares 12 of float64's 53 bits


class Block(NamedTuple):
    """A block of training rows.

    Args:
        values: float64 (rows, ...).
        counts: which values are data, not padding; True for all.
        weights: (rows,) weight of each row in a mean, > 0; None if all are equal.
    """

    values: np.ndarray
    counts: np.ndarray | bool = True
    weights: np.ndarray | None = None

    def total(self, values: np.ndarray) -> np.ndarray:
        """The weighted sum over rows of an array shaped like `values`, without padding."""
        if self.weights is not None:
            values = values * self._weights_of(values)
        return np.asarray(values.sum(axis=0, where=self.counts))

    def weight(self) -> np.ndarray:
        """The total weight of each column."""
        if self.weights is None:
            return np.asarray(len(self.values) if self.counts is True else np.sum(self.counts, axis=0))
        weights = np.broadcast_to(self._weights_of(self.values), self.values.shape)
        return np.asarray(weights.sum(axis=0, where=self.counts))

    def _weights_of(self, values: np.ndarray) -> np.ndarray:
        assert self.weights is not None
        return self.weights.reshape(-1, *[1] * (values.ndim - 1))


Blocks = Callable[[], Iterator[Block]]
"""Each call iterates once over the training rows, a block at a time."""


class Center(NamedTuple):
    """The location of each target's values.

    Args:
        origin: (O,), near the mean, so squared differences from it keep their digits: 0 if near enough, else
            a round number, so folds of the same data share it.
        rounding: (O,), the largest difference between values that should be equal.
    """

    origin: np.ndarray
    rounding: np.ndarray


class _Extent(NamedTuple):
    """The least and greatest value of each column, 0 if it has none, and its number of values."""

    low: np.ndarray
    high: np.ndarray
    counts: np.ndarray

    @property
    def magnitude(self) -> np.ndarray:
        """The largest absolute value of each column."""
        magnitude: np.ndarray = np.maximum(np.abs(self.low), np.abs(self.high))
        return magnitude


def fit_affine(
    method: str, blocks: Blocks, dtype: np.dtype, padding: Sequence[Padding] = ()
) -> Affine | None:
    """Fit the scaling of one method to the training rows; None for `"none"`.

    A column that is constant up to rounding is divided by 1: its deviation, or for `min_max` its range, is
    at most 8 ε max|x| with float64's ε = 2⁻⁵², or ε max|x| with the ε of the values' original type.
    Mean and deviation are weighted by row. A step that is padding in every row gets the mean shift of the
    other steps of its sequence; one that is data in a single row at most has no spread, and gets their mean
    scale.

    Args:
        dtype: original type of the values.

    Raises:
        DataError: the range of a column is beyond float64.
    """
    if method == "none":
        return None
    extent = _extent(blocks)
    if method == "unit":
        return Affine(method, np.array(0.0), np.array(extent.magnitude.max() or 1.0))
    with np.errstate(over="ignore"):  # reported below
        shift, scale = _FITS[method](blocks, extent)
    if not np.isfinite(scale).all():
        raise DataError(
            f"values from {extent.low.min():g} to {extent.high.max():g} have a range beyond float64; "
            "use smaller units"
        )
    scale = np.where(scale <= _rounding(dtype) * extent.magnitude, 1.0, scale)
    for kind in padding:
        shift, scale = kind.shared(shift, extent.counts > 0), kind.shared(scale, extent.counts > 1)
    return Affine(method, shift, np.where(scale == 0, 1.0, scale))


def fit_center(blocks: Blocks, *dtypes: np.dtype) -> Center:
    """Locate the values of the training rows, in their own unit.

    Args:
        dtypes: types that the values have been rounded to.
    """
    extent = _extent(blocks)
    with np.errstate(over="ignore", invalid="ignore"):  # the deviation may overflow; then 0 is near enough
        mean, deviation = _standard(blocks, extent)
        rounding = max(map(_rounding, dtypes)) * extent.magnitude
        unit = np.ldexp(1.0, np.minimum(np.frexp(deviation)[1] + 2, 1000))  # 4 to 8 deviations
        origin = np.where(deviation > rounding, np.rint(mean / unit) * unit, mean)
    is_near_zero = np.abs(mean) / NEAR <= deviation
    return Center(np.where(is_near_zero | ~np.isfinite(origin), 0.0, origin), rounding)


def _rounding(dtype: np.dtype) -> float:
    """The largest relative difference between values that should be equal."""
    own = float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    return max(8 * float(np.finfo(np.float64).eps), own)


def _extent(blocks: Blocks) -> _Extent:
    lows, highs, count = [], [], np.array(0)
    for values, counts, _ in blocks():
        lows.append(values.min(axis=0, where=counts, initial=np.inf))
        highs.append(values.max(axis=0, where=counts, initial=-np.inf))
        count = count + (len(values) if counts is True else np.sum(counts, axis=0))
    low, high = (np.where(count > 0, of, 0.0) for of in (np.min(lows, axis=0), np.max(highs, axis=0)))
    return _Extent(low, high, count)


def _standard(blocks: Blocks, extent: _Extent) -> tuple[np.ndarray, np.ndarray]:
    unit = _unit_for(extent.magnitude)
    if unit is None:
        return _moments(blocks, extent.low)

    def in_units() -> Iterator[Block]:
        return (block._replace(values=block.values * unit) for block in blocks())

    mean, deviation = _moments(in_units, extent.low * unit)
    return mean / unit, deviation / unit


def _moments(blocks: Blocks, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation, measured from the first row: exact for a constant column."""
    (first, counts, _), weight = next(blocks()), np.asarray(sum(block.weight() for block in blocks()))
    weight = np.where(weight > 0, weight, 1)
    origin = np.where(counts, first, low)[0]
    mean = origin + _sum(blocks, lambda values: values - origin) / weight
    return mean, np.sqrt(_sum(blocks, lambda values: np.square(values - mean)) / weight)


def _sum(blocks: Blocks, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The sum over rows of a function of the data, without padding."""
    return np.asarray(sum(block.total(of(block.values)) for block in blocks()))


def _unit_for(magnitude: np.ndarray) -> np.ndarray | None:
    """1 over a power of two near each column's magnitude; None if all squares are well within float64."""
    exponent = np.frexp(magnitude)[1]
    if (np.abs(exponent) < 400).all():
        return None
    return np.asarray(np.ldexp(1.0, -np.clip(exponent, -1000, 1000)))


def _min_max(blocks: Blocks, extent: _Extent) -> tuple[np.ndarray, np.ndarray]:
    return extent.low, extent.high - extent.low


_FITS = {"standard": _standard, "min_max": _min_max}
