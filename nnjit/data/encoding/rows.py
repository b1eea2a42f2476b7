"""The inputs of a table's rows, made by an encoder on access.

What the encodings read from a table that stays in its file goes into a temporary file, because table formats
decode a whole batch of rows to give any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnjit.data.storage.disk_rows import Stored

if TYPE_CHECKING:
    from nnjit.data.encoding.encoder import TableEncoder
    from nnjit.data.tables.table import Table

Indexed = frozenset[str] | Literal["all"]
"""The columns that become indices for an embedding; the others become inputs of their own.

"all" means all category and text columns.
"""


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The inputs of a table's rows, made on access.

    `rows[a:b]` and `rows[indices]` are (n, inputs) float64 arrays.

    Args:
        values: for each column, the values that its encoding has read, in memory or in a temporary file.
        table: the table that was read.
        buffer_size: the most rows that training holds in memory at a time; None for all.
    """

    encoder: TableEncoder
    values: tuple[Stored, ...]
    table: Table
    buffer_size: int | None = None

    dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.table), len(self.encoder.features)

    @property
    def ndim(self) -> int:
        return 2

    @property
    def size(self) -> int:
        return len(self.table) * len(self.encoder.features)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        count = len(range(len(self.table))[rows]) if isinstance(rows, slice) else len(rows)
        out = np.empty((count, len(self.encoder.features)))
        for column, place, values in zip(self.encoder.columns, self.encoder.inputs, self.values, strict=True):
            if place.size:
                column.write(values[rows], out[:, place.start : place.start + place.size])
        return out


def keeper(table: Table) -> Callable[[np.ndarray], Stored]:
    """A function that keeps the values of a column: in memory, or on disk if the table stays there."""
    if not table.is_stored:
        return lambda values: values
    from nnjit.data.storage.spool import Spool  # not needed for a table in memory

    return Spool().add
