"""`table`: a table in a file of any format; `csv` is another name of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from nnjit.data.encoding.inference import with_missing
from nnjit.data.encoding.kinds import Category, ColumnOptions, kinds
from nnjit.data.files import locate
from nnjit.data.source import Source, sources
from nnjit.data.tables.data import TableData
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.reading import Reading, read_table
from nnjit.data.tables.roles import Name, Names, Roles
from nnjit.data.tables.selection import select
from nnjit.data.tables.table import Table as Rows
from nnjit.data.tables.targets import Targets, read_several, read_targets
from nnjit.data.target import ProblemType, ProblemTypes
from nnjit.errors import ConfigPath, DataError, did_you_mean

Missing = Literal["median", "mean", "most_frequent", "drop", "error"] | None

if TYPE_CHECKING:
    AnyKind = ColumnOptions
else:
    AnyKind = kinds.field()


@sources.register
class Table(Reading, Source):
    """The rows of a table, in a file or a data frame. The kind of each column is inferred from the training
    rows unless `columns` says it.
    """

    type: Literal["table"] = "table"
    file: str | None = None
    """The file; a relative path starts at the working directory. null takes the table that Python gives:
    `nnjit.fit(config, data=frame)`, a polars or pandas DataFrame, or a dict of columns."""
    target: Name | Names
    """The target column, or a list of columns: by name, or by position from 0 (-1 is the last). With
    `losses`, a list of names, each the target of one of them."""
    task: ProblemType | Literal["auto"] = "auto"
    """What the target holds: classes, values, or (auto) classes if it is one column of text, or of whole
    numbers and the loss is made for classes, as a cross-entropy is; else values. With `losses`, these
    decide."""
    columns: dict[str, AnyKind] = {}
    """The kinds of columns by name, such as `{age: number, island: {type: category, other: 5}}`; those of
    others are inferred from the training rows."""
    features: Names | None = None
    """The columns that are inputs; null means all but the target, the weights and the ignored."""
    ignore: Names = ()
    """Columns to leave out."""
    weights: Name | None = None
    """The column that says how much each row counts in the cost and the metrics, a number >= 0; it is
    not a feature. null counts all alike. A row of weight 0 is left out."""
    missing: Missing = None
    """What to do about missing values in all columns that `columns` does not name, if their kind has it; null
    leaves it to the kind: numbers take the median, categories have one of their own for missing values."""
    categorical: Names = ()
    """Columns of the kind `category`, as `columns` says it, by name or position."""
    indexed: Names = ()
    """Columns of categories that become the position of the category, 0, 1, …, as an `embedding` takes
    it, by name or position."""

    def load(self, folder: Path) -> TableData:
        return self._load(folder, self._targets)

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
        return self._load(folder, lambda table, _: read_several(table, problem_types))

    def _targets(self, table: Rows, names: tuple[str, ...]) -> Targets:
        if self.task == "classification" and len(names) > 1:
            raise DataError(f"classification has one target column, got {len(names)}", ("target",))
        task = None if self.task == "auto" else self.task
        return read_targets(table, names, task, self._takes)

    def _load(self, folder: Path, read: Callable[[Rows, tuple[str, ...]], Targets]) -> TableData:
        table = self._table(folder)
        roles = Roles.of(
            table.columns, target=self.target, features=self.features, ignore=self.ignore,
            weights=self.weights,
        )  # fmt: skip
        options, indexed = self._kinds(roles, table.columns)
        path = ("type",) if self.file is None else ("file",)
        title = "table given in Python" if self.file is None else f"table {Path(table.name).name}"
        try:
            return select(
                table, roles, options, lambda rows: read(rows, roles.targets),
                title=title, missing=self.missing, indexed=indexed, path=path,
            )  # fmt: skip
        except DataError as error:
            raise DataError(f"{table.name}: {error.message}", error.path or path) from None

    def _table(self, folder: Path) -> Rows:
        if self.file is not None:
            return read_table(locate(folder, self.file), self)
        try:
            return table_of(self._given_data("give file, or from Python nnjit.fit(config, data=frame)"))
        except DataError as error:
            raise DataError(error.message, ("type",)) from None

    def _kinds(self, roles: Roles, columns: Sequence[str]) -> tuple[dict[str, ColumnOptions], frozenset[str]]:
        """The kinds of the columns that options name, and the columns that become indices."""
        kinds = dict(self.columns)
        for name in kinds:
            if name not in columns:
                raise DataError(f'no column "{name}"{did_you_mean(name, columns)}', ("columns", name))
            if name not in roles.features:
                raise DataError(f'column "{name}" is not among the features', ("columns", name))
        for option in ("categorical", "indexed"):
            for k, name in enumerate(roles.among_features(getattr(self, option), option, columns)):
                if name in kinds:
                    known = kinds[name].type if name in self.columns else "categorical"
                    raise DataError(f'column "{name}" is {known} already; choose one', (option, k))
                kinds[name] = with_missing(Category(), self.missing)
        return kinds, frozenset(roles.among_features(self.indexed, "indexed", columns))


@sources.register
class Csv(Table):
    """Another name of `table`, for one in a text file."""

    type: Literal["csv"] = "csv"  # type: ignore[assignment]  # another name of the same options
