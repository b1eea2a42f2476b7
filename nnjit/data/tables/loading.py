"""Load a table from its source: columns by role and kind, targets and weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnjit.data.encoding.inference import with_missing
from nnjit.data.encoding.kinds import Category, ColumnOptions
from nnjit.data.files import locate
from nnjit.data.tables.data import TableData
from nnjit.data.tables.frames import table_of
from nnjit.data.tables.reading import open_stored, read_table
from nnjit.data.tables.roles import Roles
from nnjit.data.tables.selection import select
from nnjit.data.tables.table import Table
from nnjit.data.tables.targets import Targets, read_several, read_targets
from nnjit.data.target import ProblemTypes, Takes
from nnjit.errors import ConfigPath, DataError, did_you_mean

if TYPE_CHECKING:
    from nnjit.data.sources.table import Table as Source


def load(source: Source, folder: Path, problem_types: ProblemTypes | None, takes: Takes) -> TableData:
    """Load the table of a source.

    Args:
        folder: where relative paths in the options start.
        problem_types: the targets of several outputs; None for the source's single target.
        takes: what the loss of a single output takes.

    Raises:
        DataError: the table cannot be read, or does not match the options; `path` is the option at fault.
    """
    table = _table(source, folder)
    path: ConfigPath = ("type",) if source.file is None else ("file",)
    title = "table given in Python" if source.file is None else f"table {Path(table.name).name}"
    roles = Roles.of(
        table.columns, target=source.target, features=source.features, ignore=source.ignore,
        weights=source.weights,
    )  # fmt: skip
    options = _kinds(source, roles, table.columns)
    indexed = frozenset(roles.among_features(source.indexed, "indexed", table.columns))

    def read(rows: Table) -> Targets:
        if problem_types is not None:
            return read_several(rows, problem_types)
        return _targets(source, rows, roles.targets, takes)

    try:
        return select(
            table, roles, options, read,
            title=title, missing=source.missing, indexed=indexed, path=path,
            buffer_of=None if source.in_memory else source.buffer_of,
        )  # fmt: skip
    except DataError as error:
        raise DataError(f"{table.name}: {error.message}", error.path or path) from None


def _table(source: Source, folder: Path) -> Table:
    if source.file is not None:
        path = locate(folder, source.file)
        return read_table(path, source) if source.in_memory else open_stored(path, source)
    if not source.in_memory:
        raise DataError("a table given in Python is in memory already; remove it", ("in_memory",))
    try:
        return table_of(source.given_data())
    except DataError as error:
        raise DataError(error.message, ("type",)) from None


def _targets(source: Source, table: Table, names: Sequence[str], takes: Takes) -> Targets:
    if source.task == "classification" and len(names) > 1:
        raise DataError(f"classification has one target column, got {len(names)}", ("target",))
    task = "classification" if source.classes is not None and source.task == "auto" else source.task
    return read_targets(table, names, None if task == "auto" else task, takes, source.classes)


def _kinds(source: Source, roles: Roles, columns: Sequence[str]) -> dict[str, ColumnOptions]:
    """The kinds of the columns that the options name."""
    kinds = dict(source.columns)
    for name in kinds:
        if name not in columns:
            raise DataError(f'no column "{name}"{did_you_mean(name, columns)}', ("columns", name))
        if name not in roles.features:
            raise DataError(f'column "{name}" is not among the features', ("columns", name))
    for option in ("categorical", "indexed"):
        for k, name in enumerate(roles.among_features(getattr(source, option), option, columns)):
            if name in kinds:
                known = kinds[name].type if name in source.columns else "categorical"
                raise DataError(f'column "{name}" is {known} already; choose one', (option, k))
            kinds[name] = with_missing(Category(), source.missing)
    return kinds
