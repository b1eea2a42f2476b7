"""`series`: a table in time order, cut into windows of steps, each with the values that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from nnjit.data.files import locate
from nnjit.data.source import Split, sources
from nnjit.data.sources.table import AnyKind, Name, Names
from nnjit.data.storage.source import DiskSource
from nnjit.data.tables.reading import Reading
from nnjit.registry import MOST, Count

if TYPE_CHECKING:
    from nnjit.data.series.data import SeriesData

Steps = Annotated[int, Field(ge=1, le=MOST)]


class SeriesSplit(Split):
    """The fractions of a series that are held out of the training: its end for the test, before it the
    validation part. No window reaches from one part into another, so each part has as many windows less as
    one has rows.
    """

    shuffle: bool = False
    """Never: a series is split in time order. With a column `time`, groups are cut at the same moments, else
    each by its own rows; a fold is trained on all that comes before it and on nothing after it."""

    @field_validator("shuffle")
    @classmethod
    def _keeps_the_order(cls, shuffle: bool) -> bool:
        if shuffle:
            raise ValueError("a series is split in time order; remove shuffle")
        return shuffle


@sources.register
class Series(Reading, DiskSource):
    """Windows (window, channels) of the rows of a table in time order, and the values that follow each.

    Columns of numbers are channels, others if `inputs` names them: a category has a channel for each of its
    values. `scale` measures each channel on the rows that training windows see, each row once.
    """

    type: Literal["series"] = "series"
    file: str | None = None
    """The file; a relative path starts at the working directory. null takes the table that Python gives:
    `nnjit.fit(config, data=frame)`, a polars or pandas DataFrame, or a dict of columns."""
    target: Name | Names
    """The column of numbers to forecast, or a list of columns: by name, or by position from 0."""
    window: Count
    """The number of steps that the network sees, the last rows before the forecast."""
    horizon: Steps | Annotated[tuple[Steps, ...], Field(min_length=1)] = 1
    """The number of steps to forecast, 1 for the next alone; or a list of those to forecast, such as [1, 7].
    Each step of each target is an output: the next value of `sales` is `sales+1`."""
    step: Count = 1
    """How many rows after one window the next begins."""
    time: Name | None = None
    """The column of the time, numbers or dates that go up; it is checked, and names the steps in the report.
    null takes the rows as they come."""
    group: Name | None = None
    """The column that says which of several series a row belongs to; no window has rows of two. null for
    one series."""
    inputs: Names | None = None
    """The columns that are channels; null means the targets and all other columns of numbers, without the
    time and the group."""
    ignore: Names = ()
    """Columns to leave out."""
    columns: dict[str, AnyKind] = {}
    """The kinds of columns by name, as of a table; those of others are inferred from the training rows."""
    missing: Literal["median", "mean", "most_frequent", "error"] | None = None
    """What to do about missing values in channels that `columns` does not name; null leaves it to the kind:
    numbers take the median of the training rows. A window that misses a value to forecast is left out."""
    season: Count | None = None
    """The number of rows in a season, such as 12 for a year of months, for the naive forecast that repeats
    the last season; null for none. It is compared with the network and changes nothing in the training."""
    split: SeriesSplit = SeriesSplit()
    """The fractions held out for validation and test, from the end of the series."""

    @model_validator(mode="after")
    def _has_different_steps(self) -> Self:
        if len(set(self.steps)) < len(self.steps):
            raise ValueError(f"horizon: {list(self.steps)} names a step twice; name each once")
        return self

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are forecast, counted from the last that is seen."""
        return self.horizon if isinstance(self.horizon, tuple) else tuple(range(1, self.horizon + 1))

    @property
    def is_series(self) -> bool:
        return True

    @property
    def takes_data(self) -> bool:
        return True

    def with_data(self, data: Any) -> Self:
        return super().with_data(data).model_copy(update={"file": None})

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {} if self.file is None else {"file": locate(folder, self.file)}

    def load(self, folder: Path) -> SeriesData:
        from nnjit.data.series.loading import load  # a process that reads no series needs none of it

        return load(self, folder)

    def given_data(self) -> Any:
        """What Python gives; a DataError if it gives nothing."""
        return self._given_data("give file, or from Python nnjit.fit(config, data=frame)")
