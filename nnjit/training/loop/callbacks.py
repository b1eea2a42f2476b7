"""Callbacks of a training: they are notified of its epochs and may stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnjit.experiment import Experiment
from nnjit.progress.display import Display
from nnjit.progress.follower import Course, Follower
from nnjit.training.loop.epochs import MOST_EPOCHS
from nnjit.training.loop.interruption import Interruption
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.threads import one_blas_thread


@dataclass(frozen=True)
class Callbacks:
    """The functions that a training calls after each span of epochs.

    Args:
        is_stopped: whether the user has asked to stop.
        show: shows the number of finished epochs and the rows of the latest.
        followers: the followers of this training.
        member: its number in a study, from 1; None for a single training.
    """

    is_stopped: Callable[[], bool]
    show: Callable[[int, Columns], None]
    followers: Sequence[Follower] = ()
    member: int | None = None

    @property
    def most_epochs(self) -> int:
        """The most epochs of a span: one if a follower needs each epoch."""
        return 1 if any(f.is_told_of_each_epoch for f in self.followers) else MOST_EPOCHS

    @property
    def are_stopping(self) -> bool:
        """Whether a follower asks the training to end after this epoch."""
        return any(f.stops for f in self.followers)

    @property
    def want_files(self) -> bool:
        """Whether a follower asks for history and checkpoint."""
        return any(f.wants_files() for f in self.followers)

    @property
    def error(self) -> BaseException | None:
        """The exception that a function of the user's raised, if any."""
        return next((f.error for f in self.followers if f.error is not None), None)

    def begin(self, experiment: Experiment, folder: Path | None, history: Mapping[str, np.ndarray]) -> None:
        """Tell the followers that epochs are about to begin.

        Args:
            history: the rows of earlier epochs.
        """
        epochs, done = experiment.training.epochs, len(history["epoch"])
        course = Course(folder, experiment.name, done, epochs, history, self.member)
        for follower in self.followers:
            follower.begin(course)

    def follow(self, done: int, columns: Columns) -> None:
        """Show finished epochs, and pass them to the followers."""
        self.show(done, columns)
        for follower in self.followers:
            follower.follow(columns)

    def saved(self) -> None:
        """Tell the followers that history and checkpoint have been written."""
        for follower in self.followers:
            follower.saved()


@contextmanager
def process_callbacks(first: int, total: int, display: Display) -> Iterator[Callbacks]:
    """Callbacks for training that owns the process: a signal stops it, and a display shows the epochs.

    Meanwhile BLAS uses a single thread.
    """
    with Interruption() as interruption, one_blas_thread():
        display.begin(first, total)
        yield Callbacks(lambda: interruption.requested, display.show)
