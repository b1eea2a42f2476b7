"""Those who follow a training: they are told of its epochs, and may ask it to stop."""

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
    """A training whose epochs are about to begin.

    Args:
        folder: the run folder; None if nothing is written.
        name: that of the experiment.
        done: the epochs that were done before, in other sessions.
        epochs: the most there will be.
        history: the rows of those that are done.
        member: its number in a study, from 1; None if it is a single training.
    """

    folder: Path | None
    name: str
    done: int
    epochs: int
    history: Mapping[str, np.ndarray]
    member: int | None = None

    @property
    def run_folder(self) -> Path:
        """The folder, for those who follow only a training that has one."""
        assert self.folder is not None
        return self.folder


class Follower:
    """Follows one training, and changes nothing that is computed; this one does nothing, its heirs do.

    `stops` asks the training to end after this epoch. `error` is what a function of the user's has raised:
    the training is interrupted and saved, and the error raised again.
    """

    is_told_of_each_epoch: ClassVar[bool] = False
    """Whether it is told of each epoch before the next one begins, rather than of several at once."""

    stops: bool = False
    error: BaseException | None = None

    def begin(self, course: Course) -> None:
        """The epochs are about to begin; the files that describe the run are written."""

    def follow(self, columns: Columns) -> None:
        """Take the rows of some epochs."""

    def wants_files(self) -> bool:
        """Whether history and checkpoint are to be written now."""
        return False

    def saved(self) -> None:
        """History and checkpoint have been written."""

    def close(self) -> None:
        """Everything is written, the report too, however the training ended."""


@dataclass(frozen=True)
class Audience:
    """All who are told how the training of a process goes: its display, and the followers of each run.

    Args:
        make: makes the followers of one training. A study calls it for each member, from threads.
    """

    display: Display = field(default_factory=Display)
    make: Callable[[], Sequence[Follower]] = tuple
    _made: list[Follower] = field(default_factory=list)

    def followers(self) -> Sequence[Follower]:
        """Those of a training that begins."""
        made = list(self.make())
        self._made.extend(made)
        return made

    @property
    def error(self) -> BaseException | None:
        """What a function of the user's has raised."""
        return next((f.error for f in self._made if f.error is not None), None)

    def close(self) -> None:
        """Tell all followers that everything is written."""
        while self._made:
            self._made.pop().close()
