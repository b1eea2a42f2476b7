"""`id` and `constant`: columns that are left out because they carry no information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nnjit.data.encoding.kinds.base import ColumnEncoding, ColumnOptions, Read, kinds

if TYPE_CHECKING:
    from nnjit.data.encoding.raw_column import RawColumn

LeftOutKind = Literal["id", "constant"]


@kinds.register
class Id(ColumnOptions):
    """A name or number of the row, left out because nothing can be learned from it."""

    type: Literal["id"] = "id"

    def fit(self, column: RawColumn) -> LeftOut:
        return LeftOut(name=column.name, kind="id")


@kinds.register
class Constant(ColumnOptions):
    """A single value throughout, left out because nothing can be learned from it."""

    type: Literal["constant"] = "constant"

    def fit(self, column: RawColumn) -> LeftOut:
        return LeftOut(name=column.name, kind="constant")


@dataclass(frozen=True, kw_only=True)
class LeftOut(ColumnEncoding):
    """A column that is left out."""

    kind: LeftOutKind

    @property
    def inputs(self) -> tuple[str, ...]:
        return ()

    def read(self, column: RawColumn) -> Read:
        raise NotImplementedError("a column that is left out is not read")

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        raise NotImplementedError("a column that is left out gives no input")
