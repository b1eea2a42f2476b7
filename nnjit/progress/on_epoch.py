"""Call a user's function after each epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nnjit.progress.follower import Course, Follower
from nnjit.progress.values import Columns, last_row


@dataclass(frozen=True)
class FinishedEpoch:
    """The argument of a function given as `on_epoch`.

    Args:
        number: number of the epoch, from 1.
        epochs: the most epochs there will be.
        values: its row of the history by column: losses, metrics, `learning_rate`.
        folder: the run folder; None if nothing is written.
        member: the run's number in a study, from 1; None for a single run.
    """

    number: int
    epochs: int
    values: dict[str, float]
    folder: Path | None
    member: int | None
    _stops: list[bool] = field(default_factory=list, repr=False)

    def stop(self) -> None:
        """End training after this epoch, as if it were the last one."""
        self._stops.append(True)


OnEpoch = Callable[[FinishedEpoch], object]


class EpochCaller(Follower):
    """Calls the function. An exception from it ends training; the run is saved.

    Args:
        lock: held during calls, so a study calls it for one member at a time.
    """

    is_told_of_each_epoch = True

    def __init__(self, function: OnEpoch, lock: threading.Lock) -> None:
        self._function, self._lock = function, lock

    def begin(self, course: Course) -> None:
        self._course = course

    def follow(self, columns: Columns) -> None:
        course = self._course
        epoch = FinishedEpoch(
            int(columns["epoch"][-1]), course.epochs, last_row(columns), course.folder, course.member
        )
        with self._lock:
            try:
                self._function(epoch)
            except BaseException as error:  # raised again once the run is saved
                self.error = error
        self.stops = bool(epoch._stops)
