"""Read the targets of a table: classes as written, values as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnjit.data.encoding.kinds.category import ordered
from nnjit.data.encoding.problem import Problem, check, infinite, unreadable
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.tables.table import Table
from nnjit.data.target import ProblemType, ProblemTypes, Takes, Target
from nnjit.errors import DataError, counted, did_you_mean, shortened


@dataclass(frozen=True, eq=False)
class Targets:
    """The targets of all rows; fields are named as in `Labelled`."""

    y: np.ndarray
    classes: tuple[str, ...] | None
    layout: tuple[Target, ...] = ()


def read_targets(
    table: Table,
    names: Sequence[str],
    task: ProblemType | None,
    takes: Takes,
    classes: tuple[str, ...] | None = None,
) -> Targets:
    """Read the targets of one output; none may be missing.

    Args:
        task: what they hold; None lets the loss decide, by what it `takes`.
        classes: the classes in order; None for those that occur.

    Raises:
        DataError: a value is not a number, or a number is not a class.
    """
    columns = [RawColumn(table, name) for name in names]
    problem_type = task or _problem_type(columns, takes)
    if problem_type == "classification":
        indices, found = _classes(columns[0], "use a regression loss, or task: regression", classes)
        return Targets(indices, found)
    mend = "correct it, or use task: classification" if len(names) == 1 else "correct it"
    return Targets(_values(columns, mend), None)


def read_several(table: Table, problem_types: ProblemTypes) -> Targets:
    """Read the targets of several outputs, side by side in the order of `problem_types`.

    None means classification if the target holds text, else regression.
    """
    columns, layout = [], []
    for k, (name, given) in enumerate(problem_types.items()):
        column = RawColumn(table, name)
        classes = None
        if (given or _problem_type([column], "values")) == "classification":
            indices, classes = _classes(column, f'use task: regression in the entry of losses for "{name}"')
            columns.append(indices[:, None].astype(np.float64))
        else:
            mend = "correct it, or use task: classification in its entry of losses"
            columns.append(_values([column], mend))
        layout.append(Target(name, k, 1, classes))
    return Targets(np.hstack(columns), None, tuple(layout))


def _problem_type(columns: Sequence[RawColumn], takes: Takes) -> ProblemType:
    """The type of targets: text is classes; whole numbers are too, if the loss takes classes or either."""
    if len(columns) > 1:
        return "regression"
    values, is_bad = columns[0].numbers
    is_flag = columns[0].text.is_in(["true", "false"]).all()
    if is_flag or 2 * int(is_bad.sum()) > len(values):
        return "classification"  # a number among text is a label, text among numbers a mistake
    if takes == "either":
        is_whole = not is_bad.any() and bool((values == np.floor(values)).all())
        return "classification" if is_whole else "regression"
    return "classification" if takes == "classes" else "regression"


def _classes(
    column: RawColumn, mend: str, given: tuple[str, ...] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The class index of each row, (n,) int32, and the class names, as written.

    Args:
        given: the names; None for those that occur.
    """
    import polars as pl

    values, is_bad = column.numbers
    if given is None and not is_bad.any():
        is_label = values == np.floor(values)
        bad = np.flatnonzero(~is_label | np.isinf(values))
        if len(bad):
            row = int(bad[0])
            value, count = shortened(str(column.series[row])), counted(len(bad), "such row")
            raise DataError(
                f'labels are not classes: {column.table.where(row)}, column "{column.name}" has {value} '
                f"({count}); expected text or whole numbers; for values {mend}"
            )
    names = ordered(column.text.unique()) if given is None else given
    if unknown := [label for label in column.text.unique() if label not in names]:
        name, near = shortened(unknown[0]), did_you_mean(unknown[0], names)
        raise DataError(f'column "{column.name}" has the label "{name}", which is not in classes{near}')
    indices = column.text.cast(pl.Enum(names)).to_physical().cast(pl.Int32).to_numpy()
    return np.ascontiguousarray(indices), names


def _values(columns: Sequence[RawColumn], mend: str) -> np.ndarray:
    problems: list[Problem] = []
    for column in columns:
        values, is_bad = column.numbers
        problems += unreadable(column, is_bad, "a number", mend) or infinite(column, np.isinf(values))
    check(problems)
    return np.stack([column.numbers[0] for column in columns], axis=1)
