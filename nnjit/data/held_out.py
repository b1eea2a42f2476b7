"""Other data as a part that is held out: with the columns, categories and classes of the training's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnjit.data.dataset import Dataset, ProblemType
from nnjit.data.labels import row_name
from nnjit.data.preparation import loaded
from nnjit.data.source import Source
from nnjit.errors import ConfigPath, DataError, did_you_mean

_OF_TRAINING = ("split", "scale", "scale_target")


def load_held(
    source: Source, data: Dataset, folder: Path, tasks: Mapping[str, ProblemType | None] | None = None
) -> Dataset:
    """The data of another source, fitted to `data`, which is trained on.

    Raises:
        DataError: with `path` as seen from the source: it is not the same kind of data, or has a category or
            class that `data` has not.
    """
    for option in _OF_TRAINING:
        if getattr(source, option) != type(source).model_fields[option].default:
            raise DataError("is said by data, of which this is a part; leave it out here", (option,))
    if tasks is not None:
        _check_names_of_targets(source.targets(folder), tasks)
    return fitted_to(data, loaded(source, folder, tasks))


def _check_names_of_targets(
    found: Mapping[str, ConfigPath | None], wanted: Mapping[str, ProblemType | None]
) -> None:
    for name in wanted:
        if name not in found:
            raise DataError(f'no target "{name}"{did_you_mean(name, found)}; losses name it')
    for name, place in found.items():
        if place is not None and name not in wanted:
            raise DataError(f'no loss is for the target "{name}"; leave it out here', place)


def fitted_to(data: Dataset, other: Dataset) -> Dataset:
    """`other` with the inputs, numbers of categories, and classes of `data`.

    Columns are found by their names, those of a category that does not occur are 0; rows without names, such
    as images, may have another shape of as many numbers.
    """
    return replace(
        other,
        x=_inputs(data, other),
        y=_targets(data, other),
        features=data.features,
        targets=data.targets,
        classes=data.classes,
        several=data.several,
        codes=data.codes,
    )


def _inputs(data: Dataset, other: Dataset) -> np.ndarray:
    shape, own = data.x.shape[1:], other.x.shape[1:]
    if data.features and other.features:
        return _columns(data, other)
    if math.prod(own) != math.prod(shape):
        raise DataError(f"a row has the shape {own}, but that of data {shape}; give data of the same kind")
    return other.x.reshape(len(other.x), *shape)


def _columns(data: Dataset, other: Dataset) -> np.ndarray:
    """The columns (n, I) of `other` in the order of `data`."""
    _check_names(data, other)
    place = {name: k for k, name in enumerate(other.features)}
    x = np.zeros((len(other.x), len(data.features)), other.x.dtype)
    for k, name in enumerate(data.features):
        if name in place:
            x[:, k] = other.x[:, place[name]]
    for name, codes in data.codes.items():
        if name not in other.codes:
            raise DataError(f'column "{name}" is indexed in data; let it be so here too')
        column = data.features.index(name)
        x[:, column] = _renumbered(x[:, column], other.codes[name], codes, f'column "{name}"')
    return x


def _check_names(data: Dataset, other: Dataset) -> None:
    for name in other.features:
        if name not in data.features:
            rows = ", or the rows that have this category" if _stem(name) != name else ""
            near = did_you_mean(name, data.features[:20])
            raise DataError(f'data has no column "{name}"{near}; leave it out here{rows}')
    categorical = {_stem(name) for name in other.features if _stem(name) != name}
    for name in data.features:
        if name not in other.features and _stem(name) not in categorical:
            raise DataError(f'no column "{name}", which data has; give data with the same columns')


def _stem(feature: str) -> str:
    """The column that a feature is of: `colour` of `colour=red`."""
    return feature.partition("=")[0]


def _targets(data: Dataset, other: Dataset) -> np.ndarray:
    if not data.several:
        return _target(data.classes, other.classes, data.y, other.y, "the target")
    pairs = zip(data.several, other.several, strict=True)  # both in the order of the losses
    return np.hstack(
        [
            _target(
                *(wanted.classes, found.classes),
                *(data.y[:, wanted.columns], other.y[:, found.columns]),
                f'target "{wanted.name}"',
            )
            for wanted, found in pairs
        ]
    )


def _target(
    wanted: Sequence[str] | None, found: Sequence[str] | None, of_data: np.ndarray, y: np.ndarray, name: str
) -> np.ndarray:
    if (wanted is None) != (found is None):
        kinds = ("values", "classes") if wanted is None else ("classes", "values")
        raise DataError(f"{name} of data holds {kinds[0]}, here it holds {kinds[1]}; set task for both")
    if wanted is not None and found is not None:
        return _renumbered(y, found, wanted, name)
    if y.shape[1] != of_data.shape[1]:
        raise DataError(f"{name} of data has {of_data.shape[1]} values a row, here it has {y.shape[1]}")
    return y


def _renumbered(numbers: np.ndarray, own: Sequence[str], wanted: Sequence[str], name: str) -> np.ndarray:
    """The places in `own` as the places in `wanted` of the same labels."""
    if tuple(own) == tuple(wanted):
        return numbers
    place = {label: k for k, label in enumerate(wanted)}
    for k, label in enumerate(own):
        if label not in place and (numbers == k).any():
            row = int(np.flatnonzero((numbers == k).reshape(len(numbers)))[0])
            raise DataError(
                f'{row_name(row)}: {name} has "{label}", which does not occur in data'
                f"{did_you_mean(label, wanted[:20])}; leave such rows out"
            )
    new = np.array([place.get(label, -1) for label in own], numbers.dtype)
    return new[numbers.astype(np.int64)]
