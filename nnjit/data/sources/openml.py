"""`openml`: a data set of openml.org, fetched once and cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from nnjit.data.encoding.inference import with_missing
from nnjit.data.encoding.kinds import Category, ColumnOptions, Number
from nnjit.data.files import path_of
from nnjit.data.labels import row_name
from nnjit.data.source import Source, sources
from nnjit.data.sources.table import Missing
from nnjit.data.tables.data import TableData
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.roles import Roles
from nnjit.data.tables.selection import select
from nnjit.data.tables.table import Table
from nnjit.data.tables.targets import Targets, read_targets
from nnjit.data.target import ProblemType
from nnjit.errors import DataError
from nnjit.registry import Count


@sources.register
class Openml(Source):
    """A data set by its name or number; nominal features become one input for each category."""

    type: Literal["openml"] = "openml"
    name: str | None = None
    """The name of the data set; give this or `id`."""
    version: Count | Literal["active"] = "active"
    """The version of the name, >= 1; give a number to get the same data always."""
    id: Count | None = None
    """The number of the data set; give this or `name`."""
    target: str | tuple[str, ...] | None = None
    """The target column, or list of columns; null means the one that OpenML names."""
    task: ProblemType | Literal["auto"] = "auto"
    """What the target holds: classes, values, or (auto) classes if OpenML calls it nominal, or if it is whole
    numbers and the loss is made for classes."""
    missing: Missing = None
    """What to do about missing values, if the kind of the column has it; null gives numbers the median of the
    training rows, and categories one of their own for missing values."""
    cache: str | None = None
    """The folder that keeps what was fetched; null means scikit-learn's own, `~/scikit_learn_data`."""

    @model_validator(mode="after")
    def _is_one_data_set(self) -> Self:
        if (self.name is None) == (self.id is None):
            raise ValueError("give either name or id")
        if self.id is not None and self.version != "active":
            raise ValueError("version goes with name; an id has one version")
        return self

    @property
    def is_table(self) -> bool:
        return True

    def load(self, folder: Path) -> TableData:
        return self.parsed(self._fetched(folder))

    def parsed(self, bunch: Any) -> TableData:
        """The data of what scikit-learn's `fetch_openml(as_frame=False)` returns."""
        targets = _targets(bunch)
        features, kinds = _features(bunch, self.missing)
        if not features or not targets:
            raise DataError(
                f"{self._label}: has {len(features)} features and {len(targets)} targets", self._path
            )
        table, roles = _table(features | targets, self._label), Roles(tuple(targets), tuple(features), None)
        try:
            return select(
                table, roles, kinds, lambda rows: self._read(rows, roles.targets),
                title=f"OpenML {self._label}", missing=self.missing, path=self._path,
            )  # fmt: skip
        except DataError as error:
            raise DataError(f"{self._label}: {error.message}", self._path) from None

    def _read(self, table: Table, names: tuple[str, ...]) -> Targets:
        if self.task == "classification" and len(names) > 1:
            raise DataError(f"{len(names)} target columns of classes; choose one with the option target")
        return read_targets(table, names, None if self.task == "auto" else self.task, self._takes)

    def _fetched(self, folder: Path) -> Any:
        from sklearn.datasets import fetch_openml

        target = list(self.target) if isinstance(self.target, tuple) else self.target
        home = None if self.cache is None else path_of(folder, self.cache, ("cache",))
        try:
            return fetch_openml(
                self.name,
                version=self.version,
                data_id=self.id,
                target_column=target or "default-target",
                data_home=home,
                as_frame=False,
                parser="liac-arff",  # the other one needs pandas
            )
        except OSError as error:
            raise DataError(
                f"{self._label}: cannot reach openml.org ({error}); it is needed once to cache the data",
                self._path,
            ) from None
        except (ValueError, KeyError, IndexError) as error:
            raise DataError(f"{self._label}: cannot be used: {error}", self._path) from None

    @property
    def _label(self) -> str:
        return f"number {self.id}" if self.name is None else f'"{self.name}" version {self.version}'

    @property
    def _path(self) -> tuple[str]:
        return ("id",) if self.name is None else ("name",)


def _features(bunch: Any, missing: str | None) -> tuple[dict[str, np.ndarray], dict[str, ColumnOptions]]:
    """The columns of inputs, with names for categories, and their kinds."""
    data = bunch.data.toarray() if hasattr(bunch.data, "toarray") else np.asarray(bunch.data, np.float64)
    columns: dict[str, np.ndarray] = {}
    kinds: dict[str, ColumnOptions] = {}
    for k, name in enumerate(bunch.feature_names):
        categories = (bunch.categories or {}).get(name)
        columns[name] = data[:, k] if categories is None else _named(data[:, k], categories)
        kinds[name] = with_missing(Number() if categories is None else Category(), missing)
    return columns, kinds


def _named(codes: np.ndarray, categories: Sequence[Any]) -> np.ndarray:
    """Indices of categories, nan where missing, as their names; None where missing."""
    names = np.array([*map(str, categories), None], object)
    return np.asarray(names[np.where(np.isnan(codes), len(categories), codes).astype(np.int64)])


def _targets(bunch: Any) -> dict[str, np.ndarray]:
    columns = np.asarray(bunch.target).reshape(bunch.data.shape[0], -1).T if bunch.target is not None else ()
    return dict(zip(bunch.target_names, columns, strict=True))


def _table(columns: Mapping[str, np.ndarray], name: str) -> Table:
    made = table_of(dict(columns))
    return replace(made, name=name, where=row_name)
