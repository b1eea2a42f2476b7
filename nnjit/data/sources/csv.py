"""`csv`: a table in a text file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from nnjit.data.columns import Column, Missing, check_finite, labels, table, without_gaps
from nnjit.data.dataset import Dataset, make_dataset
from nnjit.data.files import locate
from nnjit.data.labels import check_whole, is_whole
from nnjit.data.multi_target import make_multi_target_dataset
from nnjit.data.source import Source, sources
from nnjit.data.target import ProblemType, ProblemTypes
from nnjit.data.text_table import TextTable, read_table
from nnjit.data.weights import check_weights
from nnjit.errors import ConfigPath, DataError, did_you_mean

Name = str | int
_MOST_CLASSES = 20


@sources.register
class Csv(Source):
    """Rows of a text file, plain or `.gz`; blanks around values and empty lines are ignored."""

    type: Literal["csv"] = "csv"
    file: str
    """The file; a relative path starts at the working directory."""
    target: Name | tuple[Name, ...]
    """The target column, or a list of columns: by name, or by position from 0 (-1 is the last). With
    `losses`, a list of names, each the target of one of them."""
    header: bool = True
    """Whether the first line names the columns; else they are column_0, column_1, …"""
    separator: str = Field(",", pattern=r"^[ -!#-~\t]$")
    """The character between values."""
    task: ProblemType | Literal["auto"] = "auto"
    """What the target holds: classes, values, or (auto) classes where it is one column of text, or of whole
    numbers >= 0 of which at most 20 differ. With `losses`, these decide."""
    features: tuple[Name, ...] | None = None
    """The columns that are inputs; null means all but the target and the ignored."""
    ignore: tuple[Name, ...] = ()
    """Columns to leave out."""
    weights: Name | None = None
    """The column that says how much each row counts in the cost and the metrics, a number >= 0; it is
    not a feature. null counts all alike. A row of weight 0 is left out."""
    categorical: tuple[Name, ...] = ()
    """Columns of which each value becomes an input of its own: 1 where the row has it, else 0."""
    indexed: tuple[Name, ...] = ()
    """Columns of which each value becomes its number, 0, 1, …, in their order (numbers by their size, then
    text by its letters), as an `embedding` takes them."""
    missing: Missing = "error"
    """What to do where a value is missing: stop, drop the row, or fill in the column's mean over all rows."""
    missing_marks: tuple[str, ...] = ("?", "NA", "N/A", "NaN", "nan", "null")
    """What marks a missing value, besides an empty field."""

    def load(self, folder: Path) -> Dataset:
        return self._load(folder, self._dataset)

    def files(self, folder: Path) -> Mapping[str, Path]:
        return {"file": locate(folder, self.file)}

    def targets(self, folder: Path) -> Mapping[str, ConfigPath | None]:
        if not isinstance(self.target, tuple):
            raise DataError("losses need a list of targets, such as [price, kind]", ("target",))
        paths: dict[str, ConfigPath | None] = {}
        for k, name in enumerate(self.target):
            if isinstance(name, int):
                raise DataError("losses find their targets by name; give the column's", ("target", k))
            paths[name] = ("target", k)
        return paths

    def load_multi_target(self, folder: Path, problem_types: ProblemTypes) -> Dataset:
        return self._load(folder, partial(self._multi_target_dataset, problem_types))

    def _load(self, folder: Path, make: Callable[[TextTable, _Roles], Dataset]) -> Dataset:
        path = locate(folder, self.file)
        text = read_table(path, header=self.header, separator=self.separator, marks=("", *self.missing_marks))
        roles = _Roles.of(self, text.names)
        try:
            return make(text, roles)
        except DataError as error:
            raise DataError(f"{path}: {error.message}", error.path or ("file",)) from None

    def _dataset(self, text: TextTable, roles: _Roles) -> Dataset:
        targets, problem_type = self._targets(text, roles.targets)
        features, targets, weights = self._columns(text, roles, targets)
        x, names = table(features)
        y = labels(targets[0]) if problem_type == "classification" else table(targets)[0]
        made = make_dataset(
            x, y, problem_type=problem_type, description=_description(text, x), features=names,
            targets=roles.targets, weights=weights,
        )  # fmt: skip
        return replace(made, codes=_codes(features))

    def _multi_target_dataset(self, problem_types: ProblemTypes, text: TextTable, roles: _Roles) -> Dataset:
        targets = [_target(text, name, problem_types[name]) for name in roles.targets]
        features, targets, weights = self._columns(text, roles, targets)
        x, names = table(features)
        made = make_multi_target_dataset(
            x, {c.name: labels(c) for c in targets}, problem_types,
            features=names, description=_description(text, x), weights=weights,
        )  # fmt: skip
        return replace(made, codes=_codes(features))

    def _columns(
        self, text: TextTable, roles: _Roles, targets: list[Column]
    ) -> tuple[list[Column], list[Column], np.ndarray | None]:
        """Features, targets and weights, without missing values."""
        features = [_feature(text, name, roles) for name in roles.features]
        weights = [] if roles.weights is None else [_weights(text, roles.weights)]
        check_finite((*features, *targets), text.where)
        features, rest = without_gaps(features, [*targets, *weights], self.missing, text.where)
        targets, weights = rest[: len(targets)], rest[len(targets) :]
        return features, targets, weights[0].values if weights else None

    def _targets(self, text: TextTable, names: Sequence[str]) -> tuple[list[Column], ProblemType]:
        first = names[0]
        if self.task == "classification" and text.has_text(first):
            return [text.categories(first)], "classification"
        if self.task == "auto" and len(names) == 1 and text.is_text(first):
            return [text.categories(first)], "classification"
        mend = "correct it, or use task: classification" if len(names) == 1 else "correct it"
        columns = [text.numbers(name, mend=mend) for name in names]
        is_classes = self.task == "auto" and len(columns) == 1 and _looks_like_classes(columns[0])
        if self.task != "classification" and not is_classes:
            return columns, "regression"
        check_whole(columns[0].values, text.where)
        return columns, "classification"


def _description(text: TextTable, x: np.ndarray) -> str:
    return f"CSV {text.path.name}: {len(x)} rows of {x.shape[1]} features"


def _codes(features: Sequence[Column]) -> dict[str, tuple[str, ...]]:
    return {column.name: column.codes for column in features if column.codes is not None}


def _target(text: TextTable, name: str, problem_type: ProblemType | None) -> Column:
    """One of several targets."""
    if problem_type is None:
        has_categories = text.is_text(name)
    else:
        has_categories = problem_type == "classification" and text.has_text(name)
    if has_categories:
        return text.categories(name)
    column = text.numbers(name, mend="correct it, or use task: classification in its entry of losses")
    if problem_type == "classification":
        check_whole(column.values, text.where)
    return column


def _feature(text: TextTable, name: str, roles: _Roles) -> Column:
    if name in roles.categorical:
        return text.categories(name)
    if name in roles.indexed:
        column = text.categories(name)
        return Column(name, column.values, codes=column.categories)
    return text.numbers(name, mend="correct it, or list the column in categorical, indexed or ignore")


def _weights(text: TextTable, name: str) -> Column:
    column = text.numbers(name, mend="correct it")
    without_missing = np.where(np.isnan(column.values), 0.0, column.values)  # `without_gaps` finds those
    check_weights(without_missing, text.where)
    return column


def _looks_like_classes(column: Column) -> bool:
    values = column.values[~np.isnan(column.values)]
    return is_whole(values) and len(np.unique(values)) <= _MOST_CLASSES


@dataclass(frozen=True)
class _Roles:
    """The role of each column."""

    targets: tuple[str, ...]
    features: tuple[str, ...]
    categorical: frozenset[str]
    indexed: frozenset[str]
    weights: str | None

    @classmethod
    def of(cls, source: Csv, columns: Sequence[str]) -> _Roles:
        """The roles that the options give to the columns of the file; raises DataError where they clash."""
        targets = _found(source.target, "target", columns)
        ignored = _found(source.ignore, "ignore", columns)
        weights = None if source.weights is None else _column(source.weights, ("weights",), columns)
        if weights in (*targets, *ignored):
            role = "a target" if weights in targets else "ignored"
            raise DataError(f'column "{weights}" is {role}, so it cannot hold the weights', ("weights",))
        rest = tuple(name for name in columns if name not in (*targets, *ignored, weights))
        features = rest if source.features is None else _found(source.features, "features", columns)
        for k, name in enumerate(features):
            if name not in rest:
                role = "a target" if name in targets else "ignored" if name in ignored else "the weights"
                raise DataError(f'column "{name}" is {role}, so it cannot be a feature', ("features", k))
        categorical = _found_in(features, source.categorical, "categorical", columns)
        indexed = _found_in(features, source.indexed, "indexed", columns)
        for k, name in enumerate(indexed):
            if name in categorical:
                raise DataError(f'column "{name}" is categorical already; choose one', ("indexed", k))
        if source.task == "classification" and len(targets) > 1:
            raise DataError(f"classification has one target column, got {len(targets)}", ("target",))
        for option, chosen in (("target", targets), ("features", features)):
            if not chosen:
                raise DataError(
                    f"no column is left as {option}; the file has {', '.join(columns)}", (option,)
                )
        return cls(targets, features, frozenset(categorical), frozenset(indexed), weights)


def _found_in(
    features: Sequence[str], names: tuple[Name, ...], option: str, columns: Sequence[str]
) -> tuple[str, ...]:
    """The names of the features that an option gives by name or position."""
    found = _found(names, option, columns)
    for k, name in enumerate(found):
        if name not in features:
            raise DataError(f'column "{name}" is not among the features', (option, k))
    return found


def _found(names: Name | tuple[Name, ...], option: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns that an option gives by name or position."""
    if not isinstance(names, tuple):
        return (_column(names, (option,), columns),)
    found = tuple(_column(name, (option, k), columns) for k, name in enumerate(names))
    for k, name in enumerate(found):
        if name in found[:k]:
            raise DataError(f'column "{name}" is named twice', (option, k))
    return found


def _column(name: Name, path: ConfigPath, columns: Sequence[str]) -> str:
    if isinstance(name, int):
        if not -len(columns) <= name < len(columns):
            raise DataError(f"no column {name}; the file has {len(columns)}, counted from 0", path)
        return columns[name]
    if name not in columns:
        raise DataError(f'no column "{name}"{did_you_mean(name, columns)}', path)
    return name
