"""Table columns as seen by layers that take them by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class InputColumn(Protocol):
    """The inputs of a column: `size` of them, starting at `start`; none if the column is left out.

    `entries` are the categories or words that indices number; `is_indexed` tells whether inputs are indices.
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
