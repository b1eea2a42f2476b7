"""A growing CSV file that never ends in the middle of a row."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from nnjit.durable import replace_file

SECONDS = 1.0  # least time between two replacements
SHARE = 20  # replacements take at most 1 / SHARE of the time


class TableFile:
    """Rows collected in memory; from time to time the file is replaced by one with all of them.

    Args:
        lines: the initial lines, without line ends.
    """

    def __init__(self, path: Path, lines: Iterable[str]) -> None:
        self.path = path
        self._content = bytearray()
        self._add(lines)
        self._due = time.monotonic() + SECONDS

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by name, with every row so far."""
        return {self.path.name: bytes(self._content)}

    def append(self, lines: Iterable[str]) -> None:
        """Add rows; they soon reach the file on disk."""
        self._add(lines)
        began = time.monotonic()
        if began >= self._due:
            replace_file(self.path, bytes(self._content))
            now = time.monotonic()
            self._due = now + max(SECONDS, SHARE * (now - began))

    def _add(self, lines: Iterable[str]) -> None:
        self._content += "".join(line + "\n" for line in lines).encode()
