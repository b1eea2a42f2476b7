"""Report a run to another program, from a thread that training does not wait for."""

from __future__ import annotations

import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, ClassVar

from nnjit.errors import TrackingWarning, UserError
from nnjit.progress.follower import Course, Follower
from nnjit.progress.values import Columns
from nnjit.runs.metrics import RunMetrics

MOST_ROWS = 4  # rows reported per native call, which lasts a twentieth of a second
Row = tuple[int, float, Mapping[str, float]]
"""The number of an epoch, when it was reported (seconds since 1970), and its values by column."""


class Tracker(Follower, ABC):
    """Reports a run. If the other program fails, the report ends, but the run continues.

    Args:
        options: the experiment's options, as plain data.
    """

    name: ClassVar[str]
    failures: tuple[type[BaseException], ...] = (OSError,)
    """Exceptions that the program raises if it cannot take the report."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._problem = ""
        self._thread: threading.Thread | None = None

    @abstractmethod
    def start(self, course: Course) -> None:
        """Begin the report, or continue the report of a resumed run."""

    @abstractmethod
    def write(self, rows: Sequence[Row]) -> None:
        """Report some epochs."""

    @abstractmethod
    def finish(self, metrics: RunMetrics | None, pictures: Mapping[str, bytes]) -> None:
        """Report the end.

        Args:
            metrics: None if they could not be written.
            pictures: the report's pictures, as PNG files by name; none for members of a study.
        """

    def begin(self, course: Course) -> None:
        self._course = course
        self._thread = threading.Thread(target=self._work, name=f"nnjit-{self.name}", daemon=True)
        self._thread.start()
        self._queue.put(lambda: self.start(course))

    def follow(self, columns: Columns) -> None:
        count, now = len(columns["epoch"]), time.time()
        shown = sorted({count - 1 - count * k // MOST_ROWS for k in range(min(count, MOST_ROWS))})
        names = [name for name in columns if name not in ("epoch", "train_seconds")]
        rows = [(int(columns["epoch"][k]), now, {n: float(columns[n][k]) for n in names}) for k in shown]
        self._queue.put(lambda: self.write(rows))

    def close(self) -> None:
        if self._thread is None:
            return
        self._queue.put(self._finish)
        self._queue.put(None)
        self._thread.join()
        if self._problem:
            text = f"{self.name} could not record the run in {self._course.folder}: {self._problem}"
            warnings.warn(text, TrackingWarning, stacklevel=2)

    def _finish(self) -> None:
        folder = self._course.run_folder
        pictures: Mapping[str, bytes] = {}
        if self._course.member is None:
            from nnjit.report.page import pictures_of

            with suppress(UserError):  # the results could not be written, as already reported
                pictures = pictures_of(folder)
        self.finish(RunMetrics.read_if_there(folder), pictures)

    def _work(self) -> None:
        """Run queued tasks in order, until the program refuses one."""
        while (task := self._queue.get()) is not None:
            if self._problem:
                continue
            try:
                task()
            except self.failures as error:
                self._problem = str(error).strip().split("\n")[0] or type(error).__name__
