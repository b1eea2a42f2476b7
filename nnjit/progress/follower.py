"""Followers of a run: they are notified of its epochs, and may ask it to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nnjit.progress.display import Display
from nnjit.progress.values import Columns

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Course:
    """A run whose epochs are about to begin.

    Args:
        folder: the run folder; None if nothing is written.
        name: name of the experiment.
        done: number of epochs done before, in other sessions.
        epochs: the most epochs there will be.
        history: the rows of the epochs done.
        member: its number in a study, from 1; None for a single run.
    """

    folder: Path | None
    name: str
    done: int
    epochs: int
    history: Mapping[str, np.ndarray]
    member: int | None = None

    @property
    def run_folder(self) -> Path:
        """The folder, for followers that require one."""
        assert self.folder is not None
        return self.folder


class Follower:
    """Follows one run without changing its results. It does nothing; subclasses do.

    `stops` asks the run to end after this epoch. `error` is an exception from a user's function: the run is
    interrupted and saved, then the exception raised again.
    """

    is_told_of_each_epoch: ClassVar[bool] = False
    """Whether it is notified of each epoch before the next one begins, instead of several at once."""

    stops: bool = False
    error: BaseException | None = None

    def begin(self, course: Course) -> None:
        """Called before the first epoch; the files that describe the run are written."""

    def follow(self, columns: Columns) -> None:
        """Take the rows of some epochs."""

    def wants_files(self) -> bool:
        """Whether it asks for history and checkpoint to be written now."""
        return False

    def saved(self) -> None:
        """Called after history and checkpoint have been written."""

    def close(self) -> None:
        """Called when everything is written, including the report, however the run ended."""


@dataclass(frozen=True)
class Audience:
    """Everyone notified of a process's progress: its display, and the followers of each run.

    Args:
        make: makes the followers of one run. A study calls it for each member, from threads.
    """

    display: Display = field(default_factory=Display)
    make: Callable[[], Sequence[Follower]] = tuple
    _made: list[Follower] = field(default_factory=list)

    def followers(self) -> Sequence[Follower]:
        """The followers of a run that begins."""
        made = list(self.make())
        self._made.extend(made)
        return made

    @property
    def error(self) -> BaseException | None:
        """The exception that a user's function has raised."""
        return next((f.error for f in self._made if f.error is not None), None)

    def close(self) -> None:
        """Notify all followers that everything is written."""
        while self._made:
            self._made.pop().close()
