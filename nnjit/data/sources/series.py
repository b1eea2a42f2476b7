"""`series`: a table in time order, cut into windows of steps, each with the values that follow."""

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
    """The fractions of a series held out of training: its end for the test, before it the validation part.
    No window crosses from one part into another, so each part loses as many windows as one window has rows.
    """

    shuffle: bool = False
    """Never: a series is split in time order. With a column `time`, all groups are cut at the same moments,
    else each by its own rows; a fold is trained on everything before it and nothing after it."""

    @field_validator("shuffle")
    @classmethod
    def _keeps_the_order(cls, shuffle: bool) -> bool:
        if shuffle:
            raise ValueError("a series is split in time order; remove shuffle")
        return shuffle


@sources.register
class Series(Reading, DiskSource):
    """Windows (window, channels) of a table's rows in time order, and the values that follow each.

    Number columns are channels; other columns are if `inputs` names them: a category becomes one channel per
    value. `scale` measures each channel on the rows that training windows contain, each row once.
    """

    type: Literal["series"] = "series"
    file: str | None = None
    """The file; a relative path starts at the working directory. null takes the table passed from Python:
    `nnjit.fit(config, data=frame)`, a polars or pandas DataFrame, or a dict of columns."""
    target: Name | Names
    """The number column to forecast, or a list of columns: by name, or by position from 0."""
    window: Count
    """The number of steps that the network sees, the last rows before the forecast."""
    horizon: Steps | Annotated[tuple[Steps, ...], Field(min_length=1)] = 1
    """The number of steps to forecast, 1 for only the next; or a list of the steps, such as [1, 7]. Each step
    of each target is an output: the next value of `sales` is `sales+1`."""
    step: Count = 1
    """The number of rows from the start of one window to the next."""
    time: Name | None = None
    """The time column, increasing numbers or dates; it is checked, and names the steps in the report. null
    takes the rows in their order."""
    group: Name | None = None
    """The column that names the series of each row, if there are several; no window has rows of two. null
    for one series."""
    inputs: Names | None = None
    """The columns that are channels; null means the targets and all other number columns, without time and
    group."""
    ignore: Names = ()
    """Columns to omit."""
    columns: dict[str, AnyKind] = {}
    """The kinds of columns by name, as in a table; the others are inferred from the training rows."""
    missing: Literal["median", "mean", "most_frequent", "error"] | None = None
    """How to treat missing values in channels that `columns` does not name; null leaves it to the kind:
    numbers take the median of the training rows. A window that lacks a value to forecast is dropped."""
    season: Count | None = None
    """The number of rows in a season, such as 12 for a year of months, for the naive forecast that repeats
    the last season; null for none. The report compares it with the network; training ignores it."""
    split: SeriesSplit = SeriesSplit()
    """The fractions held out for validation and test, from the end of the series."""

    @model_validator(mode="after")
    def _has_different_steps(self) -> Self:
        if len(set(self.steps)) < len(self.steps):
            raise ValueError(f"horizon: {list(self.steps)} names a step twice; name each once")
        return self

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps to forecast, counted from the last one seen."""
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
        from nnjit.data.series.loading import load  # needed only for a series

        return load(self, folder)

    def given_data(self) -> Any:
        """The data from Python; raise DataError if there is none."""
        return self._given_data("give file, or from Python nnjit.fit(config, data=frame)")
