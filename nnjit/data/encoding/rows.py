"""The inputs of the rows of a table, which an encoder makes when they are asked for.

What the encodings have read of a table that stays in its file goes into a temporary file: formats of tables
decode a whole batch of rows for any of them.
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
"""The columns that become indices, which an embedding takes; the others become inputs of their own.

"all" means all columns of categories or text.
"""


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The inputs of the rows of a table, made when they are asked for.

    `rows[a:b]` and `rows[indices]` are arrays (n, inputs) float64.

    Args:
        values: of each column, what its encoding has read, in memory or in a temporary file.
        table: what was read.
        buffer_size: the most rows that a training holds in memory at a time; None for all.
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
    """What keeps what is read of a column: in memory, or on the disk if the table stays there."""
    if not table.is_stored:
        return lambda values: values
    from nnjit.data.storage.spool import Spool  # a table in memory needs none of it

    return Spool().add
