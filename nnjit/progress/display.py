"""Display the progress of a process: its stages before the first epoch, then each epoch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import ClassVar, Self

from nnjit.progress.values import Columns, Pace


class Display:
    """A context manager around loading, compiling and training. It shows nothing; subclasses do."""

    interval: ClassVar[float] = float("inf")
    """Least number of seconds between two updates."""

    def __init__(self) -> None:
        self.pace = Pace.none()
        self._shown = -float("inf")
        self._latest: tuple[int, Columns] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.close()

    def stage(self, words: str) -> None:
        """Show a stage before the first epoch, such as `compiling`; nothing if empty."""

    def say(self, lines: Sequence[str]) -> None:
        """Print permanent lines."""

    def begin(self, first: int, total: int) -> None:
        """Start showing epochs.

        Args:
            first: number of epochs already done.
            total: the most epochs there will be.
        """
        self.pace = Pace(first, total)

    def show(self, done: int, columns: Columns, member: int | None = None) -> None:
        """Show the number of epochs done and the last row of the history.

        Args:
            member: the number of the study's member that the rows belong to.
        """
        self.take(columns, member)
        now, self._latest = time.perf_counter(), (done, columns)
        if now - self._shown >= self.interval:
            self._shown = now
            self._draw_latest()

    def take(self, columns: Columns, member: int | None) -> None:
        """Take rows that must not be lost between two updates."""

    def close(self) -> None:
        """Leave the final state on display."""

    def _draw_latest(self) -> None:
        if self._latest is not None:
            with suppress(OSError):  # a closed terminal must not end the run
                self.draw(*self._latest)
            self._latest = None

    def draw(self, done: int, columns: Columns) -> None:
        """Show the given state."""


class Several(Display):
    """Shows everything on several displays."""

    def __init__(self, displays: Sequence[Display]) -> None:
        super().__init__()
        self._displays = displays

    def stage(self, words: str) -> None:
        for display in self._displays:
            display.stage(words)

    def say(self, lines: Sequence[str]) -> None:
        for display in self._displays:
            display.say(lines)

    def begin(self, first: int, total: int) -> None:
        for display in self._displays:
            display.begin(first, total)

    def show(self, done: int, columns: Columns, member: int | None = None) -> None:
        for display in self._displays:
            display.show(done, columns, member)

    def close(self) -> None:
        for display in self._displays:
            display.close()
