"""Load validation or test data from a separate source, and align it with the training data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.data.dataset import Dataset, InputRows
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.labels import row_name
from nnjit.data.source import Source
from nnjit.data.storage.disk_rows import DiskRows, RowArray, in_memory
from nnjit.data.target import ProblemType, ProblemTypes, Takes
from nnjit.errors import ConfigPath, DataError, did_you_mean

if TYPE_CHECKING:
    from nnjit.data.source import Data

_SET_BY_TRAINING_DATA = ("split", "scale", "scale_target")
_KINDS = ("columns", "missing", "categorical", "indexed")  # options that the held-out source may repeat


def load_held_out(
    source: Source,
    data: Dataset,
    folder: Path,
    problem_types: ProblemTypes | None = None,
    takes: Takes = "either",
    own: Source | None = None,
) -> Dataset:
    """Load data from another source, with the columns, categories and classes of `data`, the training data.

    Args:
        own: the source of `data`; the other may repeat its kinds of columns.

    Raises:
        DataError: with `path` relative to the source: it is a different kind of data, or has a category or
            class that `data` lacks.
    """
    for option in _SET_BY_TRAINING_DATA:
        if getattr(source, option) != type(source).model_fields[option].default:
            raise DataError("is set by data for all its parts; remove it here", (option,))
    for option in _KINDS:
        given = getattr(source, option, None)
        if given and given != getattr(own, option, None):
            raise DataError(
                "differs from data, which determines the kinds of columns; remove it here", (option,)
            )
    if problem_types is not None:
        _check_target_names(source.targets(folder), problem_types)
    other = source.load_once(folder, problem_types, takes)
    return _align(_encoded(other, data), data)


def _encoded(other: Data, data: Dataset) -> Dataset:
    """Other data with inputs: made from a table by the encoder of `data`, or else its own numbers."""
    if isinstance(other, Dataset):
        return other
    if data.encoder is not None:
        return other.encoded_by(data.encoder)
    from nnjit.data.encoding.kinds import Number

    numbers = dict.fromkeys(other.table.columns, Number(missing="error"))
    return replace(other, options=numbers).encoded(None)


def _check_target_names(
    found: Mapping[str, ConfigPath | None], wanted: Mapping[str, ProblemType | None]
) -> None:
    for name in wanted:
        if name not in found:
            raise DataError(f'no target "{name}"{did_you_mean(name, found)}; losses give the names')
    for name, path in found.items():
        if path is not None and name not in wanted:
            raise DataError(f'no loss is for the target "{name}"; remove it here', path)


def _align(other: Dataset, data: Dataset) -> Dataset:
    """`other` with the inputs and classes of `data`.

    Columns are matched by name. Rows without names, such as images, may differ in shape but not in size.
    """
    return replace(
        other,
        x=_inputs(data, other),
        y=_targets(data, other),
        features=data.features,
        targets=data.targets,
        classes=data.classes,
        target_layout=data.target_layout,
    )


def _inputs(data: Dataset, other: Dataset) -> InputRows:
    shape, own = data.x.shape[1:], other.x.shape[1:]
    if other.encoder is not None and other.encoder is data.encoder and own == shape:
        return other.x
    if data.features and other.features and data.windows is None and other.windows is None:
        return other.x if data.features == other.features else _columns(data, other)
    is_turned = len(own) == len(shape) and own != shape  # as images of 2×3 and 3×2
    if math.prod(own) != math.prod(shape) or is_turned:
        raise DataError(f"a row has the shape {own}, but in data {shape}; give data of the same kind")
    rows = other.x if isinstance(other.x, np.ndarray | DiskRows) else other.x[:]
    return rows.reshape(len(rows), *shape)


def _columns(data: Dataset, other: Dataset) -> np.ndarray:
    """The columns (n, I) of `other` in the order of `data`."""
    for name in other.features:
        if name not in data.features:
            near = did_you_mean(name, data.features[:20])
            raise DataError(f'data has no column "{name}"{near}; leave it out here')
    for name in data.features:
        if name not in other.features:
            raise DataError(f'no column "{name}", which data has; give data with the same columns')
    place = {name: k for k, name in enumerate(other.features)}
    return np.ascontiguousarray(other.x[:][:, [place[name] for name in data.features]])


def _targets(data: Dataset, other: Dataset) -> RowArray:
    where = other.x.table.where if isinstance(other.x, EncodedRows) else row_name
    if not data.target_layout:
        return _target(data.classes, other.classes, data.y, other.y, "the target", where)
    pairs = zip(data.target_layout, other.target_layout, strict=True)  # both in the order of the losses
    ys = in_memory(data.y), in_memory(other.y)
    return np.hstack(
        [
            in_memory(
                _target(
                    *(wanted.classes, found.classes),
                    *(ys[0][:, wanted.columns], ys[1][:, found.columns]),
                    f'target "{wanted.name}"',
                    where,
                )
            )
            for wanted, found in pairs
        ]
    )


def _target(
    wanted: Sequence[str] | None,
    found: Sequence[str] | None,
    of_data: RowArray,
    y: RowArray,
    name: str,
    where: Callable[[int], str],
) -> RowArray:
    if (wanted is None) != (found is None):
        kinds = ("values", "classes") if wanted is None else ("classes", "values")
        raise DataError(f"{name} of data holds {kinds[0]}, here it holds {kinds[1]}; set task for both")
    if wanted is not None and found is not None:
        return _reindexed(in_memory(y), found, wanted, name, where)
    if y.shape[1] != of_data.shape[1]:
        raise DataError(f"{name} of data has {of_data.shape[1]} values a row, here it has {y.shape[1]}")
    return y


def _reindexed(
    indices: np.ndarray,
    own: Sequence[str],
    wanted: Sequence[str],
    name: str,
    where: Callable[[int], str],
) -> np.ndarray:
    """Translate indices into the labels `own` to indices of the same labels in `wanted`.

    Args:
        where: row index → its name in messages.
    """
    if tuple(own) == tuple(wanted):
        return indices
    index_of = {label: k for k, label in enumerate(wanted)}
    for k, label in enumerate(own):
        if label not in index_of and (indices == k).any():
            row = int(np.flatnonzero((indices == k).reshape(len(indices)))[0])
            raise DataError(
                f'{where(row)}: {name} has "{label}", which does not occur in data'
                f"{did_you_mean(label, wanted[:20])}; leave such rows out"
            )
    new = np.array([index_of.get(label, -1) for label in own], indices.dtype)
    return new[indices.astype(np.int64)]
