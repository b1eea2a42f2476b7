"""`sklearn`: scikit-learn's small data sets and generators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.sklearn_tables import SklearnTable, read_sklearn_table
from nnjit.data.source import Source, sources
from nnjit.data.target import ProblemTypes
from nnjit.errors import ConfigPath, DataError, did_you_mean
from nnjit.memory import check_fits
from nnjit.registry import MOST, Count

# The options of each generator, with their defaults.
_GENERATORS: dict[str, dict[str, Any]] = {
    "moons": {"n_samples": 500, "noise": 0.1, "seed": 0},
    "circles": {"n_samples": 500, "noise": 0.05, "factor": 0.5, "seed": 0},
    "blobs": {"n_samples": 500, "n_features": 2, "centers": 3, "cluster_std": 1.0, "seed": 0},
}
_VALUES = "disease_progression"  # the target of a table with values
_OPTIONS = sorted({name for options in _GENERATORS.values() for name in options})


@sources.register
class Sklearn(Source):
    """A data set of scikit-learn, in original units.

    The tables are digits, iris, wine, breast_cancer (classes) and diabetes (values); the generators are
    moons, circles and blobs. Only generators take the options below.
    """

    type: Literal["sklearn"] = "sklearn"
    dataset: Literal["digits", "iris", "wine", "breast_cancer", "diabetes", "moons", "circles", "blobs"]
    """The data set."""
    target: tuple[str, ...] | None = None
    """With `losses`, the targets of a table: its own (`class`; for digits `digit`, for diabetes
    `disease_progression`) and features, by name, which then are not inputs; null means only its own."""
    n_samples: int | None = Field(None, ge=2, le=MOST)
    """Number of rows to generate; null means 500."""
    noise: float | None = Field(None, ge=0)
    """Deviation of the normal noise of moons (null means 0.1) and circles (0.05)."""
    factor: float | None = Field(None, ge=0, lt=1)
    """Radius of the inner circle, relative to the outer; null means 0.5."""
    n_features: Count | None = None
    """Number of inputs of blobs; null means 2."""
    centers: int | None = Field(None, ge=2, le=MOST)
    """Number of blobs, each a class; null means 3."""
    cluster_std: float | None = Field(None, gt=0)
    """Deviation of each blob; null means 1."""
    seed: int | None = Field(None, ge=0, lt=2**32)
    """Seed of the generator, separate from the experiment's; null means 0."""

    @model_validator(mode="after")
    def _takes_its_options(self) -> Self:
        allowed = _GENERATORS.get(self.dataset, {})
        surplus = [name for name in _OPTIONS if getattr(self, name) is not None and name not in allowed]
        if surplus:
            takes = f"takes {', '.join(allowed)}" if allowed else "is a fixed table without options"
            raise ValueError(f'"{self.dataset}" {takes}; remove {", ".join(surplus)}')
        return self

    @property
    def is_computed(self) -> bool:
        return self.dataset in _GENERATORS

    def load(self, folder: Path) -> Dataset:
        if self.target is not None:
            mend = "remove it, or give losses instead of loss"
            raise DataError(f"targets by name are for losses; {mend}", ("target",))
        return self._generated() if self.dataset in _GENERATORS else self._shipped()

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        if self.dataset in _GENERATORS or self.target is None:
            raise DataError(
                "losses need the names of the targets of a table, such as [class, petal width (cm)]",
                ("target",),
            )
        for k, name in enumerate(self.target):
            if name not in self._names():
                raise DataError(
                    f'no target or feature "{name}"{did_you_mean(name, self._names())}', ("target", k)
                )
        return {name: ("target", k) for k, name in enumerate(self.target)}

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        table, names = self._table(), self._names()
        own = np.array(table.classes)[table.target] if table.classes else table.target
        arrays = {self._own: own} | dict(zip(names[1:], table.data.T, strict=True))
        kept = [k for k, name in enumerate(names[1:]) if name not in problem_types]
        return make_multi_target_dataset(
            table.data[:, kept],
            arrays,
            problem_types,
            features=[names[k + 1] for k in kept],
            description=f"scikit-learn {self.dataset}: {len(table.data)} rows of {len(kept)} features",
        )

    @property
    def _own(self) -> str:
        """The name of the table's own target."""
        return {"diabetes": _VALUES, "digits": "digit"}.get(self.dataset, "class")

    def _names(self) -> list[str]:
        """The table's own target and its features."""
        return [self._own, *self._table().features]

    def _table(self) -> SklearnTable:
        return read_sklearn_table(self.dataset)

    def _shipped(self) -> Dataset:
        table = self._table()
        content = "images of 8×8" if self.dataset == "digits" else f"rows of {table.data.shape[1]} features"
        return make_dataset(
            table.data,
            table.target,
            problem_type="classification" if table.classes else "regression",
            features=table.features,
            targets=[self._own],
            classes=table.classes or None,
            description=f"scikit-learn {self.dataset}: {len(table.data)} {content}",
        )

    def _generated(self) -> Dataset:
        from sklearn import datasets

        defaults = _GENERATORS[self.dataset]
        given = {name: getattr(self, name) for name in defaults}
        options = {name: defaults[name] if value is None else value for name, value in given.items()}
        rows, columns = options["n_samples"], options.get("n_features", 2)
        check_fits(
            3 * 8 * (rows + options.get("centers", 0)) * columns,
            f"{rows:,} rows of {columns:,} inputs",
            "generate fewer",
            ("n_samples",),
        )
        x, y = getattr(datasets, f"make_{self.dataset}")(random_state=options.pop("seed"), **options)
        description = f"scikit-learn {self.dataset}: {len(x)} generated points"
        return make_dataset(x, y, problem_type="classification", description=description, targets=("class",))
