"""Select the rows and columns of a table to use, with their targets and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from nnjit.data.encoding.encoder import complete_rows
from nnjit.data.encoding.kinds import ColumnOptions
from nnjit.data.encoding.problem import check, missing, unreadable
from nnjit.data.encoding.raw_column import RawColumn
from nnjit.data.tables.data import TableData
from nnjit.data.tables.roles import Roles
from nnjit.data.tables.table import Table
from nnjit.data.tables.targets import Targets
from nnjit.data.weights import as_weights
from nnjit.errors import ConfigPath, DataError, counted


def select(
    table: Table,
    roles: Roles,
    options: Mapping[str, ColumnOptions],
    read: Callable[[Table], Targets],
    *,
    title: str,
    missing: str | None = None,
    indexed: frozenset[str] = frozenset(),
    path: ConfigPath = ("file",),
    buffer_of: Callable[[int], int] | None = None,
) -> TableData:
    """Select the inputs, targets and weights of a table, without rows that lack a target or have weight 0.

    Args:
        options, missing, indexed, path, buffer_of: as in `TableData`; rows that lack a value with
            `missing: drop` are dropped.
        read: reads the targets of a table of the selected rows.
        title: the beginning of the description.

    Raises:
        DataError: no row is left, a weight is invalid, or the targets cannot be read.
    """
    drops = {name: missing == "drop" for name in (*roles.features, roles.weights) if name is not None}
    drops |= {name: kind.drops for name, kind in options.items()}
    kept, weights, left_out = _kept(table, roles, [name for name, is_dropped in drops.items() if is_dropped])
    chosen = table if kept.all() else table.rows(kept)
    found, columns = read(chosen), counted(len(roles.features), "column")
    return TableData(
        table=chosen.select(roles.features),
        y=found.y,
        targets=roles.targets,
        classes=found.classes,
        description=f"{title}: {counted(len(chosen), 'row')} of {columns}{left_out}",
        weights=weights,
        target_layout=found.layout,
        source_rows=None if kept.all() else np.flatnonzero(kept),
        options=options,
        missing=missing,
        indexed=indexed,
        path=path,
        buffer_of=buffer_of,
    )


def _kept(table: Table, roles: Roles, dropping: Sequence[str]) -> tuple[np.ndarray, np.ndarray | None, str]:
    """Mask of the rows to keep, their weights, and what was dropped, in words.

    Args:
        dropping: columns in which each row must have a value.
    """
    has_target = complete_rows(table, roles.targets)
    kept = has_target & complete_rows(table, dropping)
    words = _left_out(~has_target, "without a target") + _left_out(has_target & ~kept, "with missing values")
    if not kept.any():
        mend = "let missing: drop apply to fewer columns" if has_target.any() else "choose another target"
        raise DataError(f"no row is left{words}; {mend}")
    if roles.weights is None:
        return kept, None, words
    weights = _weights(RawColumn(table, roles.weights), kept)
    weightless = kept & (weights == 0)
    count = int(weightless.sum())
    words += ", weighted" + (f" ({count:,} of weight 0 left out)" if count else "")
    kept = kept & ~weightless
    return kept, weights[kept], words


def _weights(column: RawColumn, kept: np.ndarray) -> np.ndarray:
    """The weights of all rows; 0 for rows that are dropped anyway."""
    values, is_bad = column.numbers
    check(unreadable(column, is_bad, "a number", "correct it") or missing(column, "fill it in", kept))
    return as_weights(np.where(kept, values, 0.0), len(values), column.table.where)


def _left_out(rows: np.ndarray, which: str) -> str:
    count = int(rows.sum())
    return f", {counted(count, 'row')} {which} left out" if count else ""
