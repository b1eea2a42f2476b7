"""The base class of data sources: `load`, and the options that all share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from pydantic import Field, PrivateAttr, model_validator

from nnjit.data.dataset import Dataset
from nnjit.data.readings import Readings
from nnjit.data.target import ProblemTypes, Takes
from nnjit.errors import ConfigPath, DataError
from nnjit.registry import MOST, Count, Options, Registry, Seed

if TYPE_CHECKING:
    from nnjit.data.series.data import SeriesData
    from nnjit.data.tables.data import TableData

    Data: TypeAlias = Dataset | TableData | SeriesData
    """The data of a source: arrays, or a table or series whose columns an encoder turns into inputs."""


@dataclass(frozen=True)
class Given:
    """Data passed from Python. Experiments are equal if their options are, whatever the data.

    It is not pickled with a run, which does without it.
    """

    data: Any = field(default=None, compare=False)

    def __reduce__(self) -> tuple[type[Given], tuple[()]]:
        return Given, ()


class Fold(Options):
    """One of several equal parts of the rows outside the test part."""

    number: Count
    """The number of this fold, from 1."""
    of: int = Field(ge=2, le=MOST)
    """The number of folds."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.number > self.of:
            raise ValueError(
                f"there is no fold {self.number} of {self.of}; give a number from 1 to {self.of}"
            )
        return self


class Split(Options):
    """The fractions of all rows held out of training; training uses the rest."""

    validation: float = Field(0.0, ge=0, lt=1)
    """The fraction that monitors training (early stopping, best weights), in [0, 1); 0 for none."""
    test: float = Field(0.0, ge=0, lt=1)
    """The fraction evaluated once, at the end, in [0, 1); 0 for none."""
    fold: Fold | None = None
    """The fold of the training data that is the validation part, instead of a fraction; null for none."""
    seed: Seed | None = None
    """The seed that draws the rows; null means the experiment's."""
    shuffle: bool = True
    """Whether rows are drawn at random, stratified by class, so a class with a row for each part is in all of
    them; else they stay in order, as the rows of a time series should: first training, then validation, then
    test, and each fold is a contiguous piece."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave nothing to train on; "
                "their sum must be below 1"
            )
        if self.fold is not None and self.validation > 0:
            raise ValueError(
                f"validation {self.validation:g} and a fold give two validation parts; set validation: 0"
            )
        return self


class Source(Options, ABC):
    """Where data comes from, and how it is split and scaled."""

    type: str
    split: Split = Split()
    """The fractions held out for validation and test; the seed draws the rows, stratified by class."""
    scale: Literal["none", "standard", "min_max", "unit"] = "none"
    """How inputs are scaled: each feature to mean 0 and deviation 1 (`standard`) or to [0, 1] (`min_max`);
    `unit` divides all by their largest absolute value. Measured on the training part. A feature that is
    constant up to rounding is only shifted. In a table, columns of numbers and dates are scaled; flags,
    categories and missing-value inputs are not. Padding, as named by a layer's `mask_value`, is ignored and
    left unchanged."""
    scale_target: Literal["none", "standard", "min_max"] = "none"
    """How target values are scaled; predictions are in the target's original unit."""

    _takes: Takes = PrivateAttr("either")
    _given: Given = PrivateAttr(default_factory=Given)
    _readings: Readings | None = PrivateAttr(None)

    def suited(self, takes: Takes) -> Self:
        """The source for a loss that takes such targets, which decides their type if `task` is auto."""
        suited = self.model_copy()
        suited._takes = takes
        return suited

    @property
    def is_table(self) -> bool:
        """Whether it has columns that layers can name."""
        return False

    @property
    def is_series(self) -> bool:
        """Whether it has windows of steps in time order."""
        return False

    @property
    def is_in_memory(self) -> bool:
        """Whether all its rows are read into memory."""
        return True

    @property
    def takes_data(self) -> bool:
        """Whether Python may give the data, instead of a file or options."""
        return False

    def with_data(self, data: Any) -> Self:
        """The source with data from Python, which no config holds.

        Raises:
            DataError: the source reads or generates its own.
        """
        if not self.takes_data:
            mend = "set type: table for a data frame or a dict of columns, type: arrays for (x, y)"
            raise DataError(f"data= is given, but {self.type} has its own data; {mend}", ("type",))
        given = self.model_copy()
        given._given = Given(data)
        return given

    def keeping(self, readings: Readings) -> Self:
        """The source with its data read once and kept in `readings`, for all that share them."""
        kept = self.model_copy()
        kept._readings = readings
        return kept

    def load_once(self, folder: Path, problem_types: ProblemTypes | None, takes: Takes) -> Data:
        """The data from `load` or `load_multi_target`, or from the cache."""

        def read() -> Data:
            if problem_types is not None:
                return self.load_multi_target(folder, problem_types)
            return self.suited(takes).load(folder)

        if self._readings is None or not self.is_in_memory:
            return read()
        rest = () if self.is_series else ("split",)
        options = self.model_dump_json(exclude={"scale", "scale_target", *rest})
        return self._readings.get(
            f"{options} {folder.absolute()} {problem_types} {takes} {self._given.data is None}", read
        )

    @property
    def data_from_python(self) -> Any:
        """The data from Python; None if there is none."""
        return self._given.data

    def _given_data(self, mend: str) -> Any:
        """The data from Python; raise DataError if there is none."""
        if self._given.data is None:
            raise DataError(
                f"no data is given; {mend}; to resume a run on such data, give the same data, its "
                "folder as output, and resume_or_start=True",
                ("type",),
            )
        return self._given.data

    def seeded(self, seed: int) -> Self:
        """The source with the experiment's seed, if it generates data and has no seed itself."""
        return self

    @abstractmethod
    def load(self, folder: Path) -> Data:
        """Load the data; relative paths in the options start at `folder`.

        Raises:
            DataError: the data is missing, unreadable or malformed; `path` is the option at fault.
        """

    @property
    def is_computed(self) -> bool:
        """Whether the options and the seed alone determine the rows: nothing is read."""
        return False

    def files(self, folder: Path) -> Mapping[str, Path]:
        """The files that `load` reads, by option; relative paths as in `load`.

        Raises:
            DataError: see `load`.
        """
        return {}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        """The targets that several outputs may have: name → path of the option that names the target.

        The path is None if no option does; such a target may stay unused.

        Raises:
            DataError: the source has a single target, or the options do not name its targets.
        """
        mend = "use table, npz, inline or sklearn data, or a single loss"
        raise DataError(f"{self.type} has one target, but losses need several; {mend}", ("type",))

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Data:
        """Load the data with several targets.

        Args:
            problem_types: the wanted `targets`.

        Raises:
            DataError: see `load`.
        """
        raise NotImplementedError(f"{self.type} names no targets")


sources: Registry[Source] = Registry("data source")
