"""A CSV file that grows and never ends in the middle of a row."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from nnjit.durable import replace_file

SECONDS = 1.0  # between two replacements, at least
SHARE = 20  # a replacement takes one part of so many of the time, at most


class TableFile:
    """Rows that are added in memory; now and then the file is replaced by one with all of them.

    Args:
        lines: those that it begins with, without line ends.
    """

    def __init__(self, path: Path, lines: Iterable[str]) -> None:
        self.path = path
        self._content = bytearray()
        self._add(lines)
        self._due = time.monotonic() + SECONDS

    @property
    def contents(self) -> dict[str, bytes]:
        """The whole file by its name, with every row so far."""
        return {self.path.name: bytes(self._content)}

    def append(self, lines: Iterable[str]) -> None:
        """Add rows; the file on disk has them soon."""
        self._add(lines)
        began = time.monotonic()
        if began >= self._due:
            replace_file(self.path, bytes(self._content))
            now = time.monotonic()
            self._due = now + max(SECONDS, SHARE * (now - began))

    def _add(self, lines: Iterable[str]) -> None:
        self._content += "".join(line + "\n" for line in lines).encode()
