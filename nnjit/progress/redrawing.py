"""Draw the report of an ongoing run, in a separate low-priority process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from nnjit.durable import is_temporary
from nnjit.progress.follower import Course, Follower

SECONDS = 30.0  # between drawings
# On Windows, what a new session and `os.nice` do elsewhere.
_FLAGS = ("CREATE_NEW_PROCESS_GROUP", "IDLE_PRIORITY_CLASS")
_ON_WINDOWS = sum(getattr(subprocess, name, 0) for name in _FLAGS)


class Redrawing:
    """A context manager around training that draws the report while training continues.

    A failed drawing is skipped: the next one, or the final one, may succeed.

    Args:
        first: seconds before the first drawing; None means `seconds`.
        seconds: seconds between drawings.
    """

    def __init__(self, first: float | None = None, seconds: float = SECONDS) -> None:
        self.folder: Path | None = None
        self._seconds, self._due = seconds, time.monotonic() + (seconds if first is None else first)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._due = float("inf")
        if self._process is None or self._process.poll() is not None or self.folder is None:
            return
        self._process.kill()  # the final report comes next, and must not wait
        self._process.wait()
        for path in self.folder.glob(f".*.{self._process.pid}-*"):  # its unfinished files
            if is_temporary(path.name):
                path.unlink(missing_ok=True)

    def follower(self) -> Follower:
        """The follower of one run."""
        return _Redrawn(self)

    def is_due(self) -> bool:
        """Whether a drawing is due and the previous one done."""
        is_busy = self._process is not None and self._process.poll() is None
        return time.monotonic() >= self._due and not is_busy

    def draw(self) -> None:
        """Start a drawing if due; training continues meanwhile."""
        with self._lock:
            if self.folder is None or not self.is_due():
                return
            self._due = time.monotonic() + self._seconds
            self._process = None
            with suppress(OSError):  # the user may have reached the process limit
                self._process = _started(self.folder)

    def wait(self) -> None:
        """Wait for the current drawing."""
        if self._process is not None:
            self._process.wait()


def _started(folder: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "nnjit.report", "--idle"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is meant for training
        creationflags=_ON_WINDOWS,
    )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(os.fsencode(folder.absolute()))
    return process


class _Redrawn(Follower):
    """Has a run's files written when its report, or its study's, is to be drawn."""

    def __init__(self, drawing: Redrawing) -> None:
        self._drawing = drawing

    def begin(self, course: Course) -> None:
        of_study = course.run_folder.parent.parent  # its members are in folders such as `replicas/1`
        self._drawing.folder = course.folder if course.member is None else of_study

    def wants_files(self) -> bool:
        return self._drawing.is_due()

    def saved(self) -> None:
        self._drawing.draw()
