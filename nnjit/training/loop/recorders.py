"""Record a training while it runs: in the files of its run folder, or only in memory."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnjit.durable import replace_files
from nnjit.runs import file_names
from nnjit.runs.history import HistoryFile
from nnjit.runs.reading import damaged
from nnjit.runs.weights import weights_bytes
from nnjit.training.loop.diagnosis import Looks
from nnjit.training.loop.epochs import MOST_EPOCHS, EpochRunner, longest_span
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State, checksum, state_bytes

if TYPE_CHECKING:
    from nnjit.training.loop.full_batch import FullBatchRunner

SECONDS = 1.0  # between writes, so the weights of many short epochs are written together
MOST_BYTES = 2**26  # of weights waiting to be written


class Recorder(ABC):
    """Records the epochs of a training."""

    @property
    @abstractmethod
    def so_far(self) -> Mapping[str, np.ndarray]:
        """The columns of the history of earlier epochs, each (epochs,)."""

    @property
    def patience(self) -> float:
        """The seconds after the last save within which to save again; infinite if there is no hurry."""
        return math.inf

    @property
    @abstractmethod
    def longest_span(self) -> int:
        """The most epochs to record at a time."""

    @abstractmethod
    def write(self, state: State, history: Columns) -> None:
        """Record a span of epochs.

        Args:
            history: the span's rows of the history, by column.
        """

    @abstractmethod
    def save(self, state: State) -> None:
        """Save everything that resuming needs."""


class MemoryRecorder(Recorder):
    """Keeps the history in memory.

    Args:
        so_far: the columns of earlier epochs, if there are any.
        on_save: called with the state and the whole history to save both.
    """

    def __init__(
        self,
        setup: Setup,
        so_far: Mapping[str, np.ndarray] | None = None,
        on_save: Callable[[State, dict[str, np.ndarray]], None] | None = None,
    ) -> None:
        self._columns, self._on_save = columns_of(setup), on_save
        self._so_far = dict.fromkeys(self._columns, np.empty(0)) if so_far is None else so_far
        self.spans: list[Columns] = []

    @property
    def so_far(self) -> Mapping[str, np.ndarray]:
        return self._so_far

    @property
    def longest_span(self) -> int:
        return MOST_EPOCHS  # no looks at the layers

    def write(self, state: State, history: Columns) -> None:
        self.spans.append(history)

    def save(self, state: State) -> None:
        if self._on_save is not None:
            self._on_save(state, self.history)

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of the history, as in `history.csv`."""
        return {
            name: np.concatenate([self._so_far[name], *(self._of(name, span) for span in self.spans)])
            for name in self._columns
        }

    @staticmethod
    def _of(name: str, span: Columns) -> np.ndarray:
        return span[name] if name in span else np.full(len(span["epoch"]), np.nan)


class FileRecorder(Recorder):
    """Writes the files of a run folder that grow with the epochs."""

    def __init__(
        self, path: Path, history: HistoryFile, looks: Looks, kept: KeptWeights, longest_span: int
    ) -> None:
        self.path, self._history, self._looks, self._kept = path, history, looks, kept
        self._longest_span = longest_span

    @property
    def longest_span(self) -> int:
        return self._longest_span

    @classmethod
    def of(cls, setup: Setup, path: Path, state: State, spans: Sequence[Columns]) -> FileRecorder:
        """The recorder of a training that reached a state before anything was written."""
        made = cls.at(setup, path, setup.blank_state())
        for span in spans:
            made._history.write(span)
        if spans:
            made._looks(state, spans[-1])
        return made

    @classmethod
    def at(cls, setup: Setup, path: Path, state: State) -> FileRecorder:
        """The recorder of a training that continues from a state; nothing is written yet.

        Raises:
            RunError: the rows of earlier epochs are missing or damaged.
        """
        history = HistoryFile(path, columns_of(setup), keep=state.epoch)
        looks = Looks.at(setup, path, keep=state.epoch)
        for name, content in (history.contents | looks.contents).items():
            if (path / name).is_file() and checksum(content) != state.checksums.get(name, checksum(content)):
                problem = f"a row of the first {state.epoch} epochs is not what was written"
                raise damaged(path / name, problem)
        return cls(path, history, looks, KeptWeights(setup, path), longest_span(setup))

    @property
    def so_far(self) -> Mapping[str, np.ndarray]:
        return self._history.kept

    @property
    def patience(self) -> float:
        return self._kept.patience

    def write(self, state: State, history: Columns) -> None:
        """As `Recorder.write`; written to the disk when the state is saved."""
        self._history.write(history)
        self._looks(state, history)
        self._kept.take(state)

    def save(self, state: State) -> None:
        """Write the checkpoint after everything that belongs to its epochs."""
        self._kept.save()
        rows = self._history.contents | self._looks.contents
        replace_files(self.path, rows | {file_names.CHECKPOINT: state_bytes(state, rows)})


class KeptWeights:
    """Keeps the weights of every n-th epoch, if the config asks for it.

    Args:
        path: the run folder.
    """

    def __init__(self, setup: Setup, path: Path) -> None:
        self._setup, self._folder = setup, path / file_names.CHECKPOINTS
        self._options = setup.experiment.training.checkpoints
        self._pending: dict[str, bytes] = {}
        self._epoch = 0

    @property
    def patience(self) -> float:
        """The seconds after the last save within which to save again."""
        if sum(map(len, self._pending.values())) > MOST_BYTES:
            return 0.0
        return SECONDS if self._pending else math.inf

    def take(self, state: State) -> None:
        """Take the weights of the last epoch if they are to be kept."""
        if self._options is None or state.epoch % self._options.every:
            return
        arrays = self._setup.model.arrays.unflatten(self._setup.inference_theta(state))
        self._pending[file_names.kept_weights(state.epoch)] = weights_bytes(arrays)
        self._epoch = state.epoch
        if self._options.keep and len(self._pending) > self._options.keep:
            del self._pending[next(iter(self._pending))]

    def save(self) -> None:
        """Write the weights taken, and remove old ones."""
        if self._options is None or not self._pending:
            return
        self._folder.mkdir(exist_ok=True)
        replace_files(self._folder, self._pending)
        self._pending = {}
        # A crashed run that resumes from an earlier epoch reaches later ones again.
        epochs = [epoch for epoch in file_names.epochs_kept(self._folder) if epoch <= self._epoch]
        for epoch in epochs[: -self._options.keep] if self._options.keep else ():
            (self._folder / file_names.kept_weights(epoch)).unlink()


def runner_type(setup: Setup) -> type[EpochRunner | FullBatchRunner]:
    """The class that runs the epochs: compiled steps, or iterations of a full-batch method."""
    if setup.experiment.optimizer.full_batch is None:
        return EpochRunner
    from nnjit.training.loop.full_batch import FullBatchRunner

    return FullBatchRunner


def columns_of(setup: Setup) -> list[str]:
    """The columns of the history of a training."""
    measured = dict.fromkeys(m.column for metrics in setup.followed_metrics.values() for m in metrics)
    names = ["loss", *(m.column for m in setup.task.sums), *measured]
    values = [f"{split}_{name}" for name in names for split in ("train", "validation")]
    extra = runner_type(setup).extra_columns(setup)
    return ["epoch", *values, "learning_rate", "penalty", *extra, "train_seconds"]
