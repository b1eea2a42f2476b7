"""`table`: a table in a file of any format; also called `csv`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field

from nnjit.data.encoding.kinds import ColumnOptions, kinds
from nnjit.data.files import locate
from nnjit.data.source import sources
from nnjit.data.storage.source import DiskSource
from nnjit.data.tables.reading import Reading
from nnjit.data.target import ProblemType, ProblemTypes
from nnjit.errors import ConfigPath, DataError
from nnjit.registry import MOST

if TYPE_CHECKING:
    from nnjit.data.tables.data import TableData

Name = str | Annotated[int, Field(ge=-MOST, le=MOST)]
"""A column by name, or by position from 0; -1 is the last."""
Names = tuple[Name, ...]
Missing = Literal["median", "mean", "most_frequent", "drop", "error"] | None

if TYPE_CHECKING:
    AnyKind = ColumnOptions
else:
    AnyKind = kinds.field()


@sources.register
class Table(Reading, DiskSource):
    """The rows of a table, from a file or a data frame. The kind of each column is inferred from the training
    rows unless `columns` gives it.
    """

    type: Literal["table"] = "table"
    file: str | None = None
    """The file; a relative path starts at the working directory. null takes the table passed from Python:
    `nnjit.fit(config, data=frame)`, a polars or pandas DataFrame, or a dict of columns."""
    target: Name | Names
    """The target column, or a list of columns: by name, or by position from 0 (-1 is the last). With
    `losses`, a list of names, one per loss."""
    task: ProblemType | Literal["auto"] = "auto"
    """Type of the target: classes, values, or (auto) classes if it is one column of text, or of whole
    numbers and the loss takes classes, like cross-entropy; else values. With `losses`, these decide."""
    classes: tuple[str, ...] | None = None
    """The ordered classes of a single target, as written, including classes without rows; null takes them
    from the target."""
    columns: dict[str, AnyKind] = {}
    """The kinds of columns by name, such as `{age: number, island: {type: category, other: 5}}`; the others
    are inferred from the training rows."""
    features: Names | None = None
    """The columns that are inputs; null means all but the target, the weights and those in `ignore`."""
    ignore: Names = ()
    """Columns to omit."""
    weights: Name | None = None
    """The column of row weights >= 0 for the cost and the metrics; it is not a feature. null weights all rows
    equally. Rows of weight 0 are dropped."""
    missing: Missing = None
    """How to treat missing values in columns that `columns` does not name, if their kind allows it; null
    leaves it to the kind: numbers take the median, missing categories are a category of their own."""
    categorical: Names = ()
    """Columns of kind `category`, as in `columns`, by name or position."""
    indexed: Names = ()
    """Category columns that become the position of the category, 0, 1, …, for an `embedding`, by name or
    position."""

    def load(self, folder: Path) -> TableData:
        return self._loaded(folder, None)

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {} if self.file is None else {"file": locate(folder, self.file)}

    @property
    def is_table(self) -> bool:
        return True

    @property
    def takes_data(self) -> bool:
        return True

    def with_data(self, data: Any) -> Self:
        return super().with_data(data).model_copy(update={"file": None})

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        if not isinstance(self.target, tuple):
            raise DataError("losses need a list of targets, such as [price, kind]", ("target",))
        paths: dict[str, ConfigPath | None] = {}
        for k, name in enumerate(self.target):
            if isinstance(name, int):
                raise DataError("losses find their targets by name; give the column's", ("target", k))
            paths[name] = ("target", k)
        return paths

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> TableData:
        return self._loaded(folder, problem_types)

    def _loaded(self, folder: Path, problem_types: ProblemTypes | None) -> TableData:
        from nnjit.data.tables.loading import load  # needed only for a table: 5 ms

        return load(self, folder, problem_types, self._takes)

    def given_data(self) -> Any:
        """The data from Python; raise DataError if there is none."""
        return self._given_data("give file, or from Python nnjit.fit(config, data=frame)")


@sources.register
class Csv(Table):
    """Another name for `table`, for text files."""

    type: Literal["csv"] = "csv"  # type: ignore[assignment]  # another name of the same options
