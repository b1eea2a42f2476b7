"""The base class of data sources: the options that all share, and `load`."""

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
    """What a source gives: arrays, or a table or series whose columns an encoder makes inputs of."""


@dataclass(frozen=True)
class Given:
    """Data that Python gives to a source. Experiments are equal whose options are, whatever it is.

    It is not pickled with a run, which does without.
    """

    data: Any = field(default=None, compare=False)

    def __reduce__(self) -> tuple[type[Given], tuple[()]]:
        return Given, ()


class Fold(Options):
    """One of several equal parts of the rows that are not for the test."""

    number: Count
    """Which of the parts, counted from 1."""
    of: int = Field(ge=2, le=MOST)
    """How many parts there are."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.number > self.of:
            raise ValueError(
                f"there is no fold {self.number} of {self.of}; give a number from 1 to {self.of}"
            )
        return self


class Split(Options):
    """The fractions of all rows that are held out of the training; the rest is trained on."""

    validation: float = Field(0.0, ge=0, lt=1)
    """The fraction that monitors the training (early stopping, best weights), in [0, 1); 0 for none."""
    test: float = Field(0.0, ge=0, lt=1)
    """The fraction that is evaluated once, at the end, in [0, 1); 0 for none."""
    fold: Fold | None = None
    """Which fold of the training data is the validation part, instead of a fraction; null for none."""
    seed: Seed | None = None
    """The seed that draws the rows; null takes the experiment's."""
    shuffle: bool = True
    """Whether rows are drawn at random, stratified by class, so that a class with a row for each part is in
    all of them; else they stay in order, as those of a time series should: the first are for training, the
    next for validation, the last for the test, and each fold is a contiguous piece."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation:g} and test {self.test:g} leave nothing to train on; "
                "their sum must be below 1"
            )
        if self.fold is not None and self.validation > 0:
            raise ValueError(
                f"validation {self.validation:g} and a fold are two validation parts; set validation: 0"
            )
        return self


class Source(Options, ABC):
    """A place that data comes from, how it is split, and how it is scaled."""

    type: str
    split: Split = Split()
    """The fractions held out for validation and test; rows are drawn by the seed, stratified by class."""
    scale: Literal["none", "standard", "min_max", "unit"] = "none"
    """How inputs are scaled: each feature by itself to mean 0 and deviation 1 (`standard`) or to [0, 1]
    (`min_max`); `unit` divides all by their largest absolute value. Measured on the training part. A feature
    that is constant but for rounding is only shifted. Of a table, columns of numbers and dates are scaled;
    flags, categories and the inputs that say where a value is missing stay as they are. Padding, which a
    layer's `mask_value` names, is left out and stays what it is."""
    scale_target: Literal["none", "standard", "min_max"] = "none"
    """How target values are scaled; predictions are in the target's original unit."""

    _takes: Takes = PrivateAttr("either")
    _given: Given = PrivateAttr(default_factory=Given)
    _readings: Readings | None = PrivateAttr(None)

    def suited(self, takes: Takes) -> Self:
        """The source for a loss that takes such targets, which decides what they are where `task` is auto."""
        suited = self.model_copy()
        suited._takes = takes
        return suited

    @property
    def is_table(self) -> bool:
        """Whether it has columns, which layers can name."""
        return False

    @property
    def is_series(self) -> bool:
        """Whether it has windows of steps in time order."""
        return False

    @property
    def is_in_memory(self) -> bool:
        """Whether all of its rows are read into memory."""
        return True

    @property
    def takes_data(self) -> bool:
        """Whether Python may give the data, instead of a file or of options."""
        return False

    def with_data(self, data: Any) -> Self:
        """The source with data that Python gives, which no config holds.

        Raises:
            DataError: the source reads or makes its own.
        """
        if not self.takes_data:
            mend = "set type: table for a data frame or a dict of columns, type: arrays for (x, y)"
            raise DataError(f"data= is given, but {self.type} has its own data; {mend}", ("type",))
        given = self.model_copy()
        given._given = Given(data)
        return given

    def keeping(self, readings: Readings) -> Self:
        """The source whose data is read once and kept in `readings`, for all that share them."""
        kept = self.model_copy()
        kept._readings = readings
        return kept

    def load_once(self, folder: Path, problem_types: ProblemTypes | None, takes: Takes) -> Data:
        """The data as `load` or `load_multi_target` gives it, or as it was read before."""

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
        """What Python gives; None if it gives nothing."""
        return self._given.data

    def _given_data(self, mend: str) -> Any:
        """What Python gives; a DataError if it gives nothing."""
        if self._given.data is None:
            raise DataError(
                f"no data is given; {mend}; to resume a run that was trained so, give the same data, its "
                "folder as output, and resume_or_start=True",
                ("type",),
            )
        return self._given.data

    def seeded(self, seed: int) -> Self:
        """The source with the experiment's seed if it generates data and has no seed of its own."""
        return self

    @abstractmethod
    def load(self, folder: Path) -> Data:
        """The data; relative paths in the options are relative to `folder`.

        Raises:
            DataError: the data is missing, unreadable or malformed; `path` is the option to blame.
        """

    @property
    def is_computed(self) -> bool:
        """Whether the options and the seed alone decide on the rows, which are read from nowhere."""
        return False

    def files(self, folder: Path) -> Mapping[str, Path]:
        """The files that `load` reads, by the option that names each; relative paths as in `load`.

        Raises:
            DataError: as in `load`.
        """
        return {}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        """The targets that several outputs may have, by name, each with the path of the option that names it.

        The path is None if no option does; such a target may be left unused.

        Raises:
            DataError: the source has a single target, or the options do not name its targets.
        """
        mend = "use table, npz, inline or sklearn data, or a single loss"
        raise DataError(f"{self.type} has one target, but losses need several; {mend}", ("type",))

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Data:
        """The data with several targets.

        Args:
            problem_types: the wanted ones of `targets`.

        Raises:
            DataError: as in `load`.
        """
        raise NotImplementedError(f"{self.type} names no targets")


sources: Registry[Source] = Registry("data source")
