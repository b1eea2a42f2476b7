"""`openml`: a data set of openml.org, fetched once and cached."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import model_validator

from nnjit.data.columns import Column, Missing, check_finite, labels, table, without_gaps
from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.files import path_of
from nnjit.data.labels import row_name
from nnjit.data.source import Source, sources
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
    """What the target holds: classes, values, or (auto) classes where OpenML calls it nominal."""
    missing: Missing = "error"
    """What to do where a value is missing: stop, drop the row, or fill in the column's mean over all rows."""
    cache: str | None = None
    """The folder that keeps what was fetched; null means scikit-learn's own, `~/scikit_learn_data`."""

    @model_validator(mode="after")
    def _is_one_data_set(self) -> Self:
        if (self.name is None) == (self.id is None):
            raise ValueError("give either name or id")
        if self.id is not None and self.version != "active":
            raise ValueError("version goes with name; an id has one version")
        return self

    def load(self, folder: Path) -> Dataset:
        return self.parsed(self._fetched(folder))

    def parsed(self, bunch: Any) -> Dataset:
        """The data of what scikit-learn's `fetch_openml(as_frame=False)` returns."""
        features, targets = _features(bunch), _targets(bunch)
        if not features or not targets:
            raise DataError(
                f"{self._label}: has {len(features)} features and {len(targets)} targets", self._path
            )
        try:
            check_finite((*features, *targets), row_name)
            features, targets = without_gaps(features, targets, self.missing, row_name)
            x, names = table(features)
            y, problem_type = self._target(targets)
            description = f"OpenML {self._label}: {len(x)} rows of {len(names)} features"
            return make_dataset(
                x, y, problem_type=problem_type, description=description, features=names,
                targets=[column.name for column in targets],
            )  # fmt: skip
        except DataError as error:
            raise DataError(f"{self._label}: {error.message}", self._path) from None

    def _target(self, targets: list[Column]) -> tuple[np.ndarray, ProblemType]:
        nominal = [column.name for column in targets if column.categories is not None]
        found: ProblemType = "classification" if nominal else "regression"
        problem_type = found if self.task == "auto" else self.task
        if problem_type == "classification" and len(targets) > 1:
            raise DataError(f"{len(targets)} target columns of classes; choose one with the option target")
        if problem_type == "regression" and nominal:
            raise DataError(f'target "{nominal[0]}" holds names, not values; use task: classification')
        y = labels(targets[0]) if problem_type == "classification" else table(targets)[0]
        return y, problem_type

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


def _features(bunch: Any) -> list[Column]:
    data = bunch.data.toarray() if hasattr(bunch.data, "toarray") else np.asarray(bunch.data, np.float64)
    categories = bunch.categories or {}
    return [
        Column(name, data[:, k], tuple(map(str, categories[name])) if name in categories else None)
        for k, name in enumerate(bunch.feature_names)
    ]


def _targets(bunch: Any) -> list[Column]:
    columns = np.asarray(bunch.target).reshape(bunch.data.shape[0], -1).T if bunch.target is not None else ()
    return [_target(name, values) for name, values in zip(bunch.target_names, columns, strict=True)]


def _target(name: str, values: np.ndarray) -> Column:
    if values.dtype.kind != "O":
        return Column(name, values.astype(np.float64))
    names = tuple(sorted({value for value in values if isinstance(value, str)}))
    index = {value: float(k) for k, value in enumerate(names)}
    return Column(name, np.array([index.get(value, np.nan) for value in values]), names)
