"""A data set as its source gives it: in original units, checked to be finite, with labels as classes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnjit.data.encoding.rows import EncodedRows, Indexed
from nnjit.data.labels import as_classes, row_name
from nnjit.data.series.windows import Windows
from nnjit.data.storage.disk_rows import DiskRows, RowArray, in_memory, select
from nnjit.data.target import Labelled, ProblemType, Target
from nnjit.data.weights import as_weights
from nnjit.errors import DataError, counted

if TYPE_CHECKING:
    import polars as pl

    from nnjit.data.encoding.encoder import TableEncoder

_BLOCK = 2**17  # numbers per block: it fits the cache, and takes little memory next to a large table
_TABLE_ROWS = 2**12  # least rows per block of a table; with fewer, the cost per column dominates
_FACTORS = 2**13  # 8-byte words that are reduced to one


InputRows = RowArray | EncodedRows | Windows
"""Rows in memory, or read or made on access: all have shape, dtype, len and rows[…]."""


@dataclass(frozen=True, eq=False)
class Dataset(Labelled):
    """Inputs and targets by row: in memory, on disk, or made from a table on access.

    Args:
        x: (n, ...) features, in their original type.
        features: names of the columns of x; () for images.
        encoder: what made x from a table; None for arrays.
        notes: findings about the data, in sentences.
        windows: x as windows of a series, even if x itself is on disk; None for other data.
        times: (n, O) times of y in a series, as numbers or dates; None for other data.
        naive: forecasts (n, O) of y that need no training, by name.

    For the other arguments, see `Labelled`.

    Raises:
        DataError: x or y is empty, their row counts differ, or a number is not finite.
    """

    x: InputRows
    y: RowArray
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    description: str
    weights: np.ndarray | None = None
    target_layout: tuple[Target, ...] = ()
    source_rows: np.ndarray | None = None
    encoder: TableEncoder | None = None
    notes: tuple[str, ...] = ()
    windows: Windows | None = None
    times: np.ndarray | None = None
    naive: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.x) != len(self.y):
            raise DataError(f"x has {len(self.x)} rows and y has {len(self.y)}; every row needs its target")
        if not self.x.size or not self.y.size:
            raise DataError(f"no data: x has shape {self.x.shape} and y {self.y.shape}")
        if self.windows is None and isinstance(self.x, np.ndarray | DiskRows):  # encoded rows are finite
            _check_finite("x", self.x, self.features)
        _check_finite("y", self.y, self.targets)

    @property
    def codes(self) -> Mapping[str, tuple[str, ...]]:
        """The categories, in order, of each feature that holds category indices."""
        return {} if self.encoder is None else self.encoder.codes

    def encoded(self, rows: np.ndarray | None, indexed: Indexed = frozenset()) -> Dataset:
        """The data itself, which is already numeric."""
        return self


class Contents(NamedTuple):
    """A summary of a source's data before it is split and scaled.

    Args:
        rows: number of rows.
        names: digest of the column, class and category names.
        inputs, targets, weights: digests of their values; empty if absent, or if computed, since another
            processor may round them differently.
    """

    rows: int
    names: str
    inputs: str
    targets: str
    weights: str


def make_dataset(
    x: RowArray,
    y: RowArray,
    *,
    problem_type: ProblemType,
    description: str,
    features: Sequence[str] = (),
    targets: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
) -> Dataset:
    """Make a `Dataset` from arrays that a source has read.

    Columns without names are called x1, x2, … and y, or y1, y2, ….

    Args:
        x: (n, ...) or (n,) numbers.
        y: (n,) or (n, 1) labels for classification; (n,) or (n, O) numbers for regression.
        classes: names of the classes if y already holds their indices.
        weights: (n,) row weights >= 0; rows of weight 0 are dropped.

    Raises:
        DataError: an array has the wrong type or shape, a label is not a class, or a weight is negative.
    """
    x = _as_rows("x", _numeric("x", x))
    source_rows = None
    if weights is not None:
        x, y, weights, description, source_rows = _without_weightless(x, y, weights, description)
    if problem_type == "classification":
        y, classes = (
            (_as_indices(y), classes) if classes is not None else as_classes(in_memory(_as_column(y)))
        )
    else:
        y, classes = _as_values(y), None
    features = features or (_column_names("x", x.shape[1], always_count=True) if x.ndim == 2 else ())
    targets = targets or _column_names("y", 1 if classes else y.shape[1], always_count=False)
    return Dataset(
        x, y, tuple(features), tuple(targets), tuple(classes) if classes else None, description, weights,
        source_rows=source_rows,
    )  # fmt: skip


def _without_weightless(
    x: RowArray, y: RowArray, weights: np.ndarray, description: str
) -> tuple[RowArray, RowArray, np.ndarray, str, np.ndarray | None]:
    """Drop rows of weight 0; also return a description that says so, and the indices kept, None for all.

    A row of weight 0 must count as absent, but could otherwise fill a batch by itself.
    """
    weights = as_weights(weights, len(x), row_name)
    kept, description = weights > 0, f"{description}, weighted"
    if kept.all() or len(y) != len(x):
        return x, y, weights, description, None
    left_out = int(len(kept) - kept.sum())
    description += f" ({left_out} of weight 0 left out)"
    rows = np.flatnonzero(kept)
    return select(x, rows), select(y, rows), weights[rows], description, rows


def _numeric(name: str, array: RowArray) -> RowArray:
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} holds {array.dtype} (shape {array.shape}); expected an array of real numbers"
        )
    return array


def _as_rows(name: str, array: RowArray) -> RowArray:
    if array.ndim == 0:
        raise DataError(f"{name} is a single number; expected an array with one row per example")
    return array.reshape(len(array), 1) if array.ndim == 1 else array


def _as_column(y: RowArray) -> RowArray:
    if y.ndim == 2 and y.shape[1] == 1:
        return y.reshape(len(y))
    if y.ndim != 1:
        raise DataError(
            f"y has shape {y.shape}; expected one label per row, shape (n,); "
            "for one-hot rows store the index of the 1, for several values per row use task: regression"
        )
    return y


def _as_indices(y: RowArray) -> np.ndarray:
    return np.ascontiguousarray(in_memory(_as_column(y)), np.int32)


def _as_values(y: RowArray) -> RowArray:
    y = _as_rows("y", _numeric("y", y))
    if y.ndim != 2:
        raise DataError(f"y has shape {y.shape}; expected (n,) or (n, outputs)")
    return y if y.dtype.kind == "f" else y.astype(np.float64)


def _column_names(letter: str, count: int, *, always_count: bool) -> tuple[str, ...]:
    return tuple(f"{letter}{k + 1}" for k in range(count)) if always_count or count > 1 else (letter,)


def _check_finite(name: str, array: RowArray, columns: Sequence[str]) -> None:
    if array.dtype.kind != "f":
        return
    bad, first = 0, None
    for start, block in row_blocks(array):
        is_bad = ~np.isfinite(block)
        if is_bad.any():
            bad += int(is_bad.sum())
            row, *rest = (int(k) for k in np.argwhere(is_bad)[0])
            first = first or (block[(row, *rest)], (start + row, *rest))
    if first is None:
        return
    value, at = first
    raise DataError(
        f"{name} holds {counted(bad, 'value')} that {'are' if bad > 1 else 'is'} not finite; the first is "
        f"{value} in {describe_index(at, columns)} (counted from 1); remove or fill in such rows"
    )


def row_blocks(array: InputRows) -> Iterator[tuple[int, np.ndarray]]:
    """Iterate over an array in blocks of rows, each with the index of its first row."""
    step = rows_per_block(array)
    return ((start, array[start : start + step]) for start in range(0, len(array), step))


def rows_per_block(array: InputRows) -> int:
    """Rows per block of an array: a megabyte in float64; more for a table, which is read by column."""
    least = _TABLE_ROWS if isinstance(array, EncodedRows) else 1
    return max(least, _BLOCK // max(1, math.prod(array.shape[1:])))


def describe_index(index: Sequence[int], columns: Sequence[str]) -> str:
    """Describe an index in words that count from 1.

    >>> describe_index((4, 1), ("age", "height"))
    'row 5, column "height"'
    """
    row, *rest = (k + 1 for k in index)
    if len(rest) == 1 and columns:
        return f'row {row}, column "{columns[rest[0] - 1]}"'
    return f"row {row}" + (f", place {', '.join(map(str, rest))}" if rest else "")


def contents_of(data: Dataset, *, is_computed: bool) -> Contents:
    """Summarize a data set; a table as it was before anything was learned from it.

    Args:
        is_computed: whether the options and the seed alone determine the rows.
    """
    x = data.x if data.windows is None else data.windows
    if isinstance(x, EncodedRows):
        inputs: tuple[Any, ...] = (x.table.columns,)
    elif isinstance(x, Windows):
        inputs = (x.table.columns, x.length)
    else:
        inputs = (data.features, x.shape[1:])
    arrays = () if is_computed else (x, data.y, data.weights)
    digests = ["" if array is None else digest(array) for array in arrays] or ["", "", ""]
    names = _short(json.dumps((*inputs, data.targets, data.classes)).encode())
    return Contents(len(x), names, *digests)


def digest(array: InputRows) -> str:
    """Digest an array's type, shape and values at memory speed; of a table, digest the columns.

    SHA-256 over all bytes would take six times as long, so blocks of words are first reduced modulo 2⁶⁴ by
    odd factors, which miss no change of a single word.
    """
    if isinstance(array, EncodedRows | Windows):
        columns = [_column_digest(series).encode() for series in array.table.frame]
        return _short(*columns, *([digest(array.starts).encode()] if isinstance(array, Windows) else []))
    factors = np.random.default_rng(0).integers(2**64, size=_FACTORS, dtype=np.uint64) | np.uint64(1)
    parts, rest = [f"{array.dtype.str} {array.shape}".encode()], np.zeros(0, np.uint8)
    blocks = (block for _, block in row_blocks(array)) if isinstance(array, DiskRows) else (array,)
    for block in blocks:
        words = np.ascontiguousarray(block).reshape(-1).view(np.uint8)
        words = np.concatenate([rest, words]) if len(rest) else words
        end = words.size // (8 * _FACTORS) * 8 * _FACTORS
        parts.append((words[:end].view(np.uint64).reshape(-1, _FACTORS) @ factors).tobytes())
        rest = words[end:]
    return _short(*parts, rest.tobytes())


def _column_digest(series: pl.Series) -> str:
    """Digest the values of a table column and which of them are missing."""
    gaps = digest(series.is_null().to_numpy())
    if series.dtype.is_numeric() or series.dtype.is_temporal():
        return gaps + digest(series.to_physical().fill_null(0).to_numpy())
    text = series.cast(str).fill_null("")  # Python's type, not polars'
    lengths, letters = text.str.len_bytes().to_numpy(), text.str.join("")[0].encode()
    return gaps + digest(lengths) + digest(np.frombuffer(letters, np.uint8))


def _short(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()[:32]
