"""What a finished training left: read from the files of its run folder, or in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.nn import Model
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.history import read_history
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, parse, read_json
from nnjit.training.setup.initial_weights import weights_of
from nnjit.training.setup.state import State, load_state


class RunContents(ABC):
    """What a run is asked for. Each method is called once at most."""

    @abstractmethod
    def history(self) -> dict[str, np.ndarray]:
        """The columns of the history by name, each of shape (epochs,)."""

    @abstractmethod
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""

    @abstractmethod
    def theta(self, model: Model) -> np.ndarray:
        """The weights that the metrics are of, as one vector."""

    @abstractmethod
    def data(self) -> DataEntry:
        """What is known of the data."""

    @abstractmethod
    def model(self) -> ModelEntry:
        """What is known of the model."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the run folder, which must not exist yet."""

    @abstractmethod
    def state(self, like: State) -> State:
        """The state after the last epoch, from which a training goes on.

        Args:
            like: a state of the same training, whatever its values.
        """

    def carried(self) -> RunContents:
        """What of it a pickled run takes along."""
        return self


@dataclass(frozen=True)
class FolderContents(RunContents):
    """The files of a run folder."""

    path: Path

    def history(self) -> dict[str, np.ndarray]:
        return read_history(self.path)

    def metrics(self) -> dict[str, Any]:
        path = self.path / file_names.METRICS
        content = read_json(path)
        parse(path, content, RunMetrics.from_json)
        return content

    def theta(self, model: Model) -> np.ndarray:
        path = self.path / file_names.weights(RunMetrics.read(self.path).weights)
        try:
            return weights_of(path, model)
        except ValueError as error:
            raise damaged(path, error) from None

    def data(self) -> DataEntry:
        return DataEntry.read(self.path)

    def model(self) -> ModelEntry:
        return ModelEntry.read(self.path)

    def save(self, folder: Path) -> None:
        """Copy the folder, without what another process may be writing there."""
        import shutil

        shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns(file_names.LOCK, ".*.tmp"))

    def state(self, like: State) -> State:
        return load_state(self.path, like)
