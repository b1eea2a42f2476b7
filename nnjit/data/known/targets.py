"""Read new data with targets, using the classes from training."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.known.known_data import KnownData, blaming, place_in, renamed
from nnjit.data.labels import row_name
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.storage.disk_rows import RowArray, in_memory
from nnjit.data.tables.data import TableData
from nnjit.data.tables.roles import Roles
from nnjit.data.tables.selection import select
from nnjit.data.tables.table import Table
from nnjit.data.tables.targets import Targets, read_several, read_targets
from nnjit.data.target import ProblemType
from nnjit.errors import DataError, counted, did_you_mean

Where = Callable[[int], str]

_INDEX = re.compile(r"\d{1,9}(\.0*)?")  # as written in a table of numbers


def table_with_targets(known: KnownData, table: Table) -> tuple[Dataset, Where]:
    """The rows of a table with inputs, targets and weights, and a function that names them in messages.

    Rows without a target are dropped, and so are rows without a value where training dropped them.

    Raises:
        DataError: a column is missing or cannot be read, or a class is not one from training.
    """
    with blaming(table.name):
        table = _with_target_names(known, table)
        roles = Roles.of(table.columns, target=known.targets, features=None, ignore=(), weights=known.weights)
        data = select(table, roles, {}, lambda rows: _read(known, rows), title=table.name)
        data = _known_classes(known, data)
        data = replace(data, table=known.named(data.table))
        complete = known.encoder.complete(data.table)
        if not complete.any():
            raise DataError("every row lacks a value, and training left such rows out")
        if not complete.all():
            left_out = counted(int((~complete).sum()), "row")
            words = f"{data.description}, {left_out} with missing values left out"
            data = replace(data.rows(complete), description=words)
    return data.with_inputs(known.encode(data.table)), place_in(data.table)


def arrays_with_targets(
    known: KnownData, x: np.ndarray, y: np.ndarray | Mapping[str, np.ndarray], weights: np.ndarray | None
) -> Dataset:
    """A data set from inputs (n, ...), targets and weights.

    Args:
        y: (n,) names of classes or, unless the names are whole numbers, their indices; or values (n,) or
            (n, O). For several outputs, a dict of these by target name.

    Raises:
        DataError: the arrays do not fit the network, or a class is not one from training.
    """
    if known.layout:
        made = make_multi_target_dataset(
            x, _by_target(known, y), {t.name: _problem_type(t.classes) for t in known.layout},
            description="arrays", weights=weights,
        )  # fmt: skip
        return replace(made, y=_aligned(known, made, row_name, may_count=True), target_layout=known.layout)
    if isinstance(y, Mapping):
        raise DataError(f"y is a dict, but there is only one target, {known.targets[0]}: give its array")
    made = make_dataset(
        x, _labels(np.asarray(y)), problem_type=_problem_type(known.classes),
        description="arrays", weights=weights,
    )  # fmt: skip
    if known.classes is None and made.y.shape[1] != len(known.targets):
        values = counted(made.y.shape[1], "value")
        raise DataError(f"y has {values} per row, and the network predicts {', '.join(known.targets)}")
    return replace(
        made, y=_aligned(known, made, row_name, may_count=True), classes=known.classes, targets=known.targets
    )


def _by_target(known: KnownData, y: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Check the targets' arrays, by name."""
    names = ", ".join(target.name for target in known.layout)
    if not isinstance(y, Mapping):
        raise DataError(f"y is one array, but there are several targets: give a dict of {names}")
    for target in known.layout:
        if target.name not in y:
            raise DataError(f'y has no target "{target.name}"{did_you_mean(target.name, map(str, y))}')
    return {t.name: _labels(np.asarray(y[t.name])) for t in known.layout}


def _labels(y: np.ndarray) -> np.ndarray:
    """Convert objects to text."""
    return np.array([str(label) for label in y.tolist()]) if y.dtype.kind in "OT" else y


def _with_target_names(known: KnownData, table: Table) -> Table:
    """Rename the target columns of a table to those from training.

    After training on arrays, targets may have other names if they are the only columns besides the inputs, or
    if no column has a known name: then the inputs come first.
    """
    lacking = [name for name in known.targets if name not in table.columns]
    if not lacking:
        return table
    features = known.encoder.features
    rest = [name for name in table.columns if name not in features]
    if known.table_encoder is None and len(table.columns) == len(features) + len(known.targets):
        if len(rest) == len(known.targets):
            new = dict(zip(rest, known.targets, strict=True))
            return renamed(table, tuple(new.get(name, name) for name in table.columns))
        if len(rest) == len(table.columns):
            return renamed(table, (*features, *known.targets))
    raise DataError(f'there is no target column "{lacking[0]}"{did_you_mean(lacking[0], table.columns)}')


def _read(known: KnownData, table: Table) -> Targets:
    if known.layout:
        return read_several(table, {t.name: _problem_type(t.classes) for t in known.layout})
    return read_targets(table, known.targets, _problem_type(known.classes), "either")


def _known_classes(known: KnownData, data: TableData) -> TableData:
    aligned = _aligned(known, data, data.table.where, may_count=known.table_encoder is None)
    return replace(data, y=np.asarray(aligned), classes=known.classes, target_layout=known.layout)


def _aligned(known: KnownData, data: Dataset | TableData, where: Where, *, may_count: bool) -> RowArray:
    """The targets, with class indices as in training.

    Args:
        may_count: whether whole numbers may be class indices if none is a class name.
    """
    if not known.layout:
        if known.classes is None or data.classes is None:
            return data.y
        labels = _as_labels(data.classes, known.classes) if may_count else data.classes
        return _reindexed(in_memory(data.y), labels, known.classes, where, f'"{known.targets[0]}"')
    y = in_memory(data.y).copy()
    for target, own in zip(known.layout, data.target_layout, strict=True):
        if (target.size, target.start) != (own.size, own.start):
            raise DataError(
                f'target "{target.name}": expected {counted(target.size, "value")}, got {own.size}'
            )
        if target.classes is not None and own.classes is not None:
            found = y[:, own.start].astype(np.int32)
            labels = _as_labels(own.classes, target.classes) if may_count else own.classes
            y[:, own.start] = _reindexed(found, labels, target.classes, where, f'"{target.name}"')
    return y


def _as_labels(own: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """Translate labels that are class indices into class names."""
    if any(label in wanted for label in own):
        return own
    indices = {label: int(float(label)) for label in own if _INDEX.fullmatch(label)}
    return [wanted[k] if (k := indices.get(label, -1)) in range(len(wanted)) else label for label in own]


def _reindexed(
    indices: np.ndarray, own: Sequence[str], wanted: Sequence[str], where: Where, name: str
) -> np.ndarray:
    """Translate indices into the classes `own` to indices into `wanted`."""
    index_of = {label: k for k, label in enumerate(wanted)}
    new = np.array([index_of.get(label, -1) for label in own], np.int32)
    found = np.asarray(new[indices])
    bad = np.flatnonzero(found < 0)
    if len(bad):
        label = own[int(indices[bad[0]])]
        raise DataError(
            f'{where(int(bad[0]))}: target {name} has the class "{label}", which training did not have '
            f"({counted(len(bad), 'such row')}){did_you_mean(label, wanted[:20])}; omit such rows"
        )
    return found


def _problem_type(classes: object) -> ProblemType:
    return "regression" if classes is None else "classification"
