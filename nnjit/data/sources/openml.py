"""`openml`: a data set of openml.org, fetched once and cached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from nnjit.data.files import path_of
from nnjit.data.source import Source, sources
from nnjit.data.sources.table import Missing
from nnjit.data.target import ProblemType
from nnjit.errors import DataError
from nnjit.registry import Count

if TYPE_CHECKING:
    from nnjit.data.tables.data import TableData


@sources.register
class Openml(Source):
    """A data set by name or number; nominal features become one input per category."""

    type: Literal["openml"] = "openml"
    name: str | None = None
    """The name of the data set; give this or `id`."""
    version: Count | Literal["active"] = "active"
    """The version of that name, >= 1; give a number to always get the same data."""
    id: Count | None = None
    """The number of the data set; give this or `name`."""
    target: str | tuple[str, ...] | None = None
    """The target column, or list of columns; null means OpenML's default."""
    task: ProblemType | Literal["auto"] = "auto"
    """Type of the target: classes, values, or (auto) classes if OpenML calls it nominal, or if it holds
    whole numbers and the loss takes classes."""
    missing: Missing = None
    """How to treat missing values in columns whose kind allows it; null gives numbers the median of the
    training rows, and missing categories a category of their own."""
    cache: str | None = None
    """The cache folder; null means scikit-learn's own, `~/scikit_learn_data`."""

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
        """Convert the result of scikit-learn's `fetch_openml(as_frame=False)`."""
        from nnjit.data.tables.bunch import data_of

        task = None if self.task == "auto" else self.task
        try:
            return data_of(bunch, self.label, task, self._takes, self.missing, self._path)
        except DataError as error:
            raise DataError(f"{self.label}: {error.message}", self._path) from None

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
                parser="liac-arff",  # the other parser needs pandas
            )
        except OSError as error:
            raise DataError(
                f"{self.label}: cannot reach openml.org ({error}); it is needed once to cache the data",
                self._path,
            ) from None
        except (ValueError, KeyError, IndexError) as error:
            raise DataError(f"{self.label}: cannot be used: {error}", self._path) from None

    @property
    def label(self) -> str:
        """The name of the data set in messages."""
        return f"number {self.id}" if self.name is None else f'"{self.name}" version {self.version}'

    @property
    def _path(self) -> tuple[str]:
        return ("id",) if self.name is None else ("name",)
