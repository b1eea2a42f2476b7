"""Several targets for several outputs: side by side in one matrix y, a class as its index.

One matrix goes through splits, scaling and kernels as a single target does; `Target` says which columns of
it are whose. A float32 holds the indices of 2²⁴ classes exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnjit.data.dataset import Dataset, ProblemType, dataset
from nnjit.data.labels import as_classes
from nnjit.data.target import Target
from nnjit.errors import DataError


def several(
    x: np.ndarray,
    targets: Mapping[str, np.ndarray],
    tasks: Mapping[str, ProblemType | None],
    *,
    description: str,
    features: Sequence[str] = (),
    weights: np.ndarray | None = None,
) -> Dataset:
    """The `Dataset` of several targets, in the order of `tasks`.

    Args:
        targets: by name, each (n,) labels, or (n,) or (n, O) numbers.
        tasks: what each is; None is classification where it holds text, else regression.

    Raises:
        DataError: an array has the wrong type or shape, or a label is no class.
    """
    columns: list[np.ndarray] = []
    places: list[Target] = []
    for name, task in tasks.items():
        matrix, classes = _columns(name, targets[name], task)
        start = sum(c.shape[1] for c in columns)
        columns.append(matrix)
        places.append(Target(name, start, matrix.shape[1], classes))
    rows = {name: len(c) for name, c in zip(tasks, columns, strict=True)}
    if len(set(rows.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in rows.items())
        raise DataError(f"the targets differ in rows: {told}; every row needs all its targets")
    made = dataset(
        x, np.hstack(columns), task="regression", description=description, features=features,
        targets=[name for t in places for name in _names(t)], weights=weights,
    )  # fmt: skip
    return replace(made, several=tuple(places))


def _columns(name: str, y: np.ndarray, task: ProblemType | None) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """A target as float columns (n, size), and its classes."""
    is_text = y.dtype.kind not in "biuf"
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2:
        raise DataError(f'target "{name}" has shape {y.shape}; expected (n,) or (n, values)')
    if task == "regression" or (task is None and not is_text):
        if is_text:
            raise DataError(
                f'target "{name}" holds {y.dtype}; values are numbers, or use task: classification'
            )
        return y.astype(np.float64), None
    if y.shape[1] != 1:
        raise DataError(f'target "{name}" has {y.shape[1]} columns; a class is one label a row')
    try:
        indices, classes = as_classes(y[:, 0])
    except DataError as error:
        raise DataError(f'target "{name}": {error.message}', error.path) from None
    return indices[:, None].astype(np.float64), classes


def _names(target: Target) -> list[str]:
    if target.size == 1:
        return [target.name]
    return [f"{target.name}{k + 1}" for k in range(target.size)]
