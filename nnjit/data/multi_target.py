"""Put the targets of several outputs side by side in one matrix y, classes as indices.

Splits, scaling and kernels treat the matrix like a single target; each `Target` knows its own columns. A
float32 holds the indices of 2²⁴ classes exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.labels import as_classes
from nnjit.data.storage.disk_rows import RowArray
from nnjit.data.target import ProblemType, ProblemTypes, Target
from nnjit.errors import DataError


def make_multi_target_dataset(
    x: RowArray,
    targets: Mapping[str, np.ndarray],
    problem_types: ProblemTypes,
    *,
    description: str,
    features: Sequence[str] = (),
    weights: np.ndarray | None = None,
) -> Dataset:
    """Make a `Dataset` with several targets, in the order of `problem_types`.

    Args:
        targets: by name, (n,) labels, or (n,) or (n, O) numbers.
        problem_types: None means classification if the target holds text, else regression.

    Raises:
        DataError: an array has the wrong type or shape, or a label is not a class.
    """
    columns, layout = _side_by_side(targets, problem_types)
    rows = {name: len(c) for name, c in zip(problem_types, columns, strict=True)}
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in rows.items())
        raise DataError(f"the targets differ in rows: {counts}; every row needs all its targets")
    made = make_dataset(
        x, np.hstack(columns), problem_type="regression", description=description, features=features,
        targets=[name for t in layout for name in _column_names(t)], weights=weights,
    )  # fmt: skip
    return replace(made, target_layout=tuple(layout))


def _side_by_side(
    targets: Mapping[str, np.ndarray], problem_types: ProblemTypes
) -> tuple[list[np.ndarray], list[Target]]:
    columns: list[np.ndarray] = []
    layout: list[Target] = []
    for name, problem_type in problem_types.items():
        matrix, classes = _as_columns(name, targets[name], problem_type)
        start = sum(c.shape[1] for c in columns)
        columns.append(matrix)
        layout.append(Target(name, start, matrix.shape[1], classes))
    return columns, layout


def _as_columns(
    name: str, y: np.ndarray, problem_type: ProblemType | None
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """A target as float columns (n, size), and its classes."""
    is_text = y.dtype.kind not in "biuf"
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2:
        raise DataError(f'target "{name}" has shape {y.shape}; expected (n,) or (n, values)')
    if problem_type == "regression" or (problem_type is None and not is_text):
        if is_text:
            raise DataError(
                f'target "{name}" holds {y.dtype}; expected numbers; for classes use task: classification'
            )
        return y.astype(np.float64), None
    if y.shape[1] != 1:
        raise DataError(f'target "{name}" has {y.shape[1]} columns; for classes give one label per row')
    try:
        indices, classes = as_classes(y[:, 0])
    except DataError as error:
        raise DataError(f'target "{name}": {error.message}', error.path) from None
    return indices[:, None].astype(np.float64), classes


def _column_names(target: Target) -> list[str]:
    if target.size == 1:
        return [target.name]
    return [f"{target.name}{k + 1}" for k in range(target.size)]
