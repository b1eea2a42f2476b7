"""Print progress to a log file, one line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from nnjit.progress.display import Display
from nnjit.progress.values import Columns, last_row, losses, metrics, words

SECONDS = 5.0


class Lines(Display):
    """Prints lines to standard error; none for a run shorter than the interval."""

    interval = SECONDS

    def __init__(self) -> None:
        super().__init__()
        self._stage, self._since = "", time.perf_counter()

    def stage(self, words: str) -> None:
        now = time.perf_counter()
        if self._stage and now - self._since >= SECONDS:  # long enough to be worth a line
            self.say([f"{self._stage}: {now - self._since:.0f} s"])
        self._stage, self._since = words, now

    def say(self, lines: Sequence[str]) -> None:
        with suppress(OSError):
            print("\n".join(lines), file=sys.stderr, flush=True)

    def begin(self, first: int, total: int) -> None:
        self.stage("")
        super().begin(first, total)
        self._shown = self.pace.began

    def draw(self, done: int, columns: Columns) -> None:
        row = last_row(columns)
        shown = losses(row) | metrics(row)
        if "learning_rate" in row:
            shown["learning_rate"] = row["learning_rate"]
        self.say([f"epoch {done}/{self.pace.total}: {words(shown.items())}; {self.pace.words(done)}"])
