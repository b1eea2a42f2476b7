"""Make a table from an OpenML data set that scikit-learn has fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnjit.data.encoding.inference import with_missing
from nnjit.data.encoding.kinds import Category, ColumnOptions, Number
from nnjit.data.labels import row_name
from nnjit.data.tables.data import TableData
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.roles import Roles
from nnjit.data.tables.selection import select
from nnjit.data.tables.table import Table
from nnjit.data.tables.targets import Targets, read_targets
from nnjit.data.target import ProblemType, Takes
from nnjit.errors import ConfigPath, DataError


def data_of(
    bunch: Any, label: str, task: ProblemType | None, takes: Takes, missing: str | None, path: ConfigPath
) -> TableData:
    """Convert the result of `fetch_openml(as_frame=False)`; nominal columns become categories.

    Args:
        label: its name in messages.
        task, takes: the type of the targets, as in `read_targets`.
        missing: how to treat missing values; None leaves it to the kind.
        path: the option to name in errors.

    Raises:
        DataError: there are no features or no targets, or a target cannot be read.
    """
    targets, (features, kinds) = _targets(bunch), _features(bunch, missing)
    if not features or not targets:
        raise DataError(f"has {len(features)} features and {len(targets)} targets")
    table = replace(table_of(features | targets), name=label, where=row_name)
    roles = Roles(tuple(targets), tuple(features), None)

    def read(rows: Table) -> Targets:
        if task == "classification" and len(targets) > 1:
            raise DataError(f"{len(targets)} target columns hold classes; choose one with the option target")
        return read_targets(rows, roles.targets, task, takes)

    return select(table, roles, kinds, read, title=f"OpenML {label}", missing=missing, path=path)


def _features(bunch: Any, missing: str | None) -> tuple[dict[str, np.ndarray], dict[str, ColumnOptions]]:
    """The input columns, with category names, and their kinds."""
    data = bunch.data.toarray() if hasattr(bunch.data, "toarray") else np.asarray(bunch.data, np.float64)
    columns: dict[str, np.ndarray] = {}
    kinds: dict[str, ColumnOptions] = {}
    for k, name in enumerate(bunch.feature_names):
        categories = (bunch.categories or {}).get(name)
        columns[name] = data[:, k] if categories is None else _named(data[:, k], categories)
        kinds[name] = with_missing(Number() if categories is None else Category(), missing)
    return columns, kinds


def _named(codes: np.ndarray, categories: Sequence[Any]) -> np.ndarray:
    """Convert category indices, nan if missing, to names; None if missing."""
    names = np.array([*map(str, categories), None], object)
    return np.asarray(names[np.where(np.isnan(codes), len(categories), codes).astype(np.int64)])


def _targets(bunch: Any) -> dict[str, np.ndarray]:
    columns = np.asarray(bunch.target).reshape(bunch.data.shape[0], -1).T if bunch.target is not None else ()
    return dict(zip(bunch.target_names, columns, strict=True))
