"""The inputs of the rows of a table, which an encoder makes when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

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
        values: of each column, what its encoding has read; nothing of a table that stays in its file.
        table: what was read.
    """

    encoder: TableEncoder
    values: tuple[np.ndarray, ...]
    table: Table

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
        if self.table.is_stored:
            indices = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
            return self.encoder.encode(self.table.taken(indices))[:]
        count = len(range(len(self.table))[rows]) if isinstance(rows, slice) else len(rows)
        out = np.empty((count, len(self.encoder.features)))
        for column, place, values in zip(self.encoder.columns, self.encoder.inputs, self.values, strict=True):
            if place.size:
                column.write(values[rows], out[:, place.start : place.start + place.size])
        return out
