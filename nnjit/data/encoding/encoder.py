"""Encode tables into inputs, as learned from the training rows alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from nnjit.data.encoding.inference import infer, is_constant_number, with_missing
from nnjit.data.encoding.kinds import (
    AnyEncoding,
    CategoryEncoding,
    ColumnEncoding,
    ColumnOptions,
    Constant,
    LeftOut,
    Number,
    NumberEncoding,
    Text,
    TextEncoding,
)
from nnjit.data.encoding.kinds.base import Read
from nnjit.data.encoding.problem import Problem, check
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.encoding.rows import EncodedRows, Indexed, keeper
from nnjit.data.storage.disk_rows import Stored
from nnjit.data.tables.table import Table
from nnjit.errors import did_you_mean

# fmt: off
_LEFT_OUT = {  # why one column, or several, are left out
    "constant": ("which is constant in the training rows", "which are constant in the training rows"),
    "id":       ("whose values name the rows", "whose values name the rows"),
    "text":     ("text that no layer takes", "texts that no layer takes"),
}
# fmt: on
_MOST_NAMES = 10


@dataclass(frozen=True)
class InputColumn:
    """The inputs of a column.

    Args:
        name: name of the column.
        kind: e.g. "number".
        start, size: position of its first input, and number of inputs; 0 if left out.
        entries: the categories that its inputs stand for or, if indexed, count; for text, the words.
        is_indexed: whether its inputs are indices into `entries`.
    """

    name: str
    kind: str
    start: int
    size: int
    entries: tuple[str, ...] = ()
    is_indexed: bool = False


@dataclass(frozen=True, eq=False)
class TableEncoder:
    """Encode the columns of a table as inputs.

    Args:
        columns: in the order of the inputs.
    """

    columns: tuple[ColumnEncoding, ...]

    @cached_property
    def inputs(self) -> tuple[InputColumn, ...]:
        """The position of each column's inputs; layers use it to find columns by name."""
        found, start = [], 0
        for column in self.columns:
            size = len(column.inputs)
            found.append(InputColumn(column.name, column.kind, start, size, column.entries, column.indexed))
            start += size
        return tuple(found)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(name for column in self.columns for name in column.inputs)

    @cached_property
    def is_scaled(self) -> np.ndarray:
        """The inputs (I,) that are quantities, which `scale` scales."""
        return np.array([is_scaled for column in self.columns for is_scaled in column.is_scaled], bool)

    @property
    def notes(self) -> tuple[str, ...]:
        """The columns left out, and why, in sentences."""
        left = {kind: [c.name for c in self.columns if not c.inputs and c.kind == kind] for kind in _LEFT_OUT}
        return tuple(
            f"left out: {_quoted(names)}, {one if len(names) == 1 else several}"
            for (one, several), names in zip(_LEFT_OUT.values(), left.values(), strict=True)
            if names
        )

    @property
    def codes(self) -> dict[str, tuple[str, ...]]:
        """The ordered categories of each indexed column."""
        return {column.name: column.entries for column in self.columns if column.indexed}

    def encode(self, table: Table) -> EncodedRows:
        """Encode the rows of a table; its columns are found by name, and others ignored.

        Raises:
            DataError: columns are missing, or hold values that do not fit their kind; all are reported.
        """
        problems: list[Problem] = []
        values: list[Stored] = []
        kept = keeper(table)
        for column in self.columns:
            if not column.inputs:
                values.append(_nothing(table))
            elif column.name not in table.columns:
                near = did_you_mean(column.name, table.columns)
                problems.append(Problem("", column.name, f"there is no such column{near}", ""))
            else:
                raw = RawColumn(table, column.name)
                read, found = _unreadable(raw) or column.read(raw)
                values.append(kept(read))
                problems += found
        check(problems)
        return EncodedRows(self, tuple(values), table)

    def complete(self, table: Table) -> np.ndarray:
        """Mark the rows (n,) with a value in every column with `missing: drop`."""
        dropping = [c.name for c in self.columns if c.missing == "drop" and c.name in table.columns]
        return complete_rows(table, dropping)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data for a JSON file, one object per column."""
        return [asdict(column) for column in self.columns]

    @classmethod
    def from_json(cls, saved: Sequence[Mapping[str, Any]]) -> Self:
        """Restore an encoder from `to_json`'s output; raise ValueError if it is malformed."""
        try:
            return cls(_adapter().validate_json(json.dumps(list(saved)), strict=True))
        except ValidationError as error:
            first = error.errors()[0]
            raise ValueError(f"columns: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def fit(
    table: Table,
    rows: np.ndarray | None,
    options: Mapping[str, ColumnOptions],
    *,
    missing: str | None = None,
    indexed: Indexed = frozenset(),
) -> EncodedRows:
    """Fit an encoder to the training rows of a table, and encode all rows.

    Constant number columns stay if all columns are numbers: they may be pixels of images.

    Args:
        rows: (m,) the training rows; None for all.
        options: column kinds by name; the others are inferred.
        missing: how to treat missing values in columns without options, if their kind allows it.
        indexed: the columns that become indices if they hold categories.

    Raises:
        DataError: columns hold values that do not fit their kind; all are reported.
    """
    encodings: list[ColumnEncoding] = []
    values: list[Stored] = []
    kept = keeper(table)
    problems: list[Problem] = []
    constants: set[str] = set()
    for name in table.columns:
        column = RawColumn(table, name, rows)
        if (unreadable := _unreadable(column)) is not None:
            problems += unreadable[1]
            continue
        kind = options.get(name) or with_missing(infer(column), missing)
        if name not in options and isinstance(kind, Constant) and is_constant_number(column):
            kind = Number()
            constants.add(name)
        encoding = _fitted(kind, column, indexed, is_inferred=name not in options)
        read, found = encoding.read(column) if encoding.inputs else (_nothing(table), ())
        encodings.append(encoding)
        values.append(kept(read))
        problems += found
    check(problems)
    made = EncodedRows(TableEncoder(tuple(encodings)), tuple(values), table)
    are_all_numbers = all(isinstance(encoding, NumberEncoding) for encoding in encodings)
    return made if are_all_numbers else _without(made, constants)


def _fitted(kind: ColumnOptions, column: RawColumn, indexed: Indexed, *, is_inferred: bool) -> ColumnEncoding:
    is_named = indexed == "all" or column.name in indexed
    if isinstance(kind, Text) and is_inferred and not is_named:
        return TextEncoding(name=column.name, words=(), length=0, missing_rows=column.missing_rows)
    encoding = replace(kind.fit(column), missing_rows=column.missing_rows)
    if isinstance(encoding, CategoryEncoding) and is_named:
        return replace(encoding, is_indexed=True)
    return encoding


def _without(rows: EncodedRows, constants: Collection[str]) -> EncodedRows:
    """Leave out the constant columns."""
    if not constants:
        return rows
    columns, empty = rows.encoder.columns, _nothing(rows.table)
    encodings = [
        LeftOut(name=c.name, kind="constant", missing_rows=c.missing_rows) if c.name in constants else c
        for c in columns
    ]
    pairs = zip(columns, rows.values, strict=True)
    values = [empty if column.name in constants else value for column, value in pairs]
    return EncodedRows(TableEncoder(tuple(encodings)), tuple(values), rows.table)


def complete_rows(table: Table, columns: Sequence[str]) -> np.ndarray:
    """Mark the rows (n,) with a value in all given columns."""
    complete = np.ones(len(table), bool)
    for name in columns:
        complete &= ~RawColumn(table, name).is_missing
    return complete


def _unreadable(column: RawColumn) -> Read | None:
    """The problem of a column that is neither text nor numbers, such as one of lists; None if readable."""
    wrong = column.table.problem(column.name)
    if wrong is None:
        return None
    return _nothing(column.table), (Problem("", column.name, wrong, ""),)


def _nothing(table: Table) -> np.ndarray:
    """The values read for a column without inputs: none."""
    return np.zeros((len(table), 0))


def _quoted(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(f'"{name}"' for name in names[:_MOST_NAMES]) + more


def _adapter() -> TypeAdapter[tuple[AnyEncoding, ...]]:
    return TypeAdapter(tuple[Annotated[AnyEncoding, Field(discriminator="kind")], ...])
