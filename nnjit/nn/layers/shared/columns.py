"""The columns of a table, as layers that take them by name see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class InputColumn(Protocol):
    """The inputs of a column: `size` of them, the first at `start`; none if the column is left out.

    `entries` are the categories or words that indices count; `is_indexed` says whether inputs are indices.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def entries(self) -> tuple[str, ...]: ...
    @property
    def is_indexed(self) -> bool: ...


Columns = Sequence[InputColumn]
