"""The contents of a finished run: read from the files of its folder, or held in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.errors import RunError
from nnjit.nn import Model
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.history import read_history
from nnjit.runs.members import MemberEntry
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, parse, read_json
from nnjit.runs.writing import as_read
from nnjit.training.setup.initial_weights import weights_of
from nnjit.training.setup.state import State, load_state, restored


class RunContents(ABC):
    """The contents of a run. Each method is called at most once."""

    @abstractmethod
    def history(self) -> dict[str, np.ndarray]:
        """The columns of the history by name, each of shape (epochs,)."""

    @abstractmethod
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""

    @abstractmethod
    def theta(self, model: Model) -> np.ndarray:
        """The weights that the metrics belong to, as one vector."""

    @abstractmethod
    def data(self) -> DataEntry:
        """The description of the data."""

    @abstractmethod
    def model(self) -> ModelEntry:
        """The description of the model."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the run folder, which must not exist yet."""

    @abstractmethod
    def state(self, like: State) -> State:
        """The state after the last epoch, from which training can continue.

        Args:
            like: a state of the same training, with any values.
        """

    def carried(self) -> RunContents:
        """The part that is pickled with a run."""
        return self

    @property
    @abstractmethod
    def place(self) -> str:
        """Its location, in words."""


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
        """Copy the folder, without files that another process may be writing."""
        import shutil

        shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns(file_names.LOCK, ".*.tmp"))

    def state(self, like: State) -> State:
        return load_state(self.path, like)

    @property
    def place(self) -> str:
        return str(self.path)


@dataclass(frozen=True, eq=False)
class MemberContents(RunContents):
    """A member of a study whose members are in one table.

    Args:
        folder: the study's folder; None if it is in memory.
        of_model, of_data: the descriptions of its model and data.
    """

    folder: Path | None
    word: str
    entry: MemberEntry
    of_model: ModelEntry
    of_data: DataEntry

    def history(self) -> dict[str, np.ndarray]:
        return dict(self.entry.history)

    def metrics(self) -> dict[str, Any]:
        assert self.entry.record.metrics is not None  # it has ended
        return as_read(self.entry.record.metrics.to_json())

    def theta(self, model: Model) -> np.ndarray:
        theta: np.ndarray = model.arrays.flatten(self.entry.weights)
        return theta

    def data(self) -> DataEntry:
        return self.of_data.as_read()

    def model(self) -> ModelEntry:
        return self.of_model.as_read()

    def state(self, like: State) -> State:
        return restored(like, self.entry.state, self.entry.record.facts)

    def save(self, folder: Path) -> None:
        raise RunError(
            f"{folder}: a {self.word} of this study has no folder; train with training.members: folders"
        )

    @property
    def place(self) -> str:
        where = "in memory" if self.folder is None else str(self.folder)
        return f"{self.word} {self.entry.record.number} of the study {where}"
