"""Read the files of a run folder once, into frozen values for pictures and pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.diagnosis import Diagnosis, read_diagnosis
from nnjit.runs.environment import Environment
from nnjit.runs.explanation import Explanation
from nnjit.runs.fingerprint import Change, Fingerprint
from nnjit.runs.history import read_history
from nnjit.runs.importance import Importance
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.runs.json_file import JsonFile
from nnjit.runs.learning_rate_search import LearningRateSearch
from nnjit.runs.lock import is_locked
from nnjit.runs.metrics import SPLITS, RunMetrics, headline_split
from nnjit.runs.model import ModelEntry
from nnjit.runs.predictions import Predictions, read_predictions
from nnjit.runs.reading import damaged, read_text
from nnjit.runs.status import Status
from nnjit.runs.weights import read_tensors

F = TypeVar("F", bound=JsonFile)

LARGEST = 1e100  # magnitude of a value that can be drawn
AT_THE_END = (
    *(file_names.METRICS, file_names.BEST, file_names.LAST),
    *(file_names.PREDICTIONS, file_names.EXPLANATION),
)  # files that a training writes when it ends

# Substitutes for the files that are missing if a training was killed right after its start.
NO_MODEL = ModelEntry("", "", (), (), 0)
NO_DATA = DataEntry("", "regression", (), (), None, dict.fromkeys(SPLITS, 0), {}, np.nan)
NO_ENVIRONMENT = Environment.from_json({})
NO_HISTORY = {"epoch": np.empty(0)}


@dataclass(frozen=True)
class History:
    """A row per epoch; an empty cell is nan.

    Args:
        columns: the columns of `history.csv` by name, each of shape (epochs,).
    """

    columns: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """A column; all nan if the run did not measure it."""
        return self.columns.get(name, np.full(len(self.epoch), np.nan))

    @property
    def epoch(self) -> np.ndarray:
        """The number of each row's epoch, counted from 1."""
        return self.columns["epoch"]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were measured, without the loss."""
        found = [
            name.partition("_")[2] for name in self.columns if name.startswith(("train_", "validation_"))
        ]
        return tuple(name for name in dict.fromkeys(found) if name not in ("loss", "seconds"))


@dataclass(frozen=True)
class RunFiles:
    """All files of a run folder; if the training was killed, those that exist.

    Args:
        metrics: taken from the history if the training was killed or still runs.
        predictions: those of a model with a single output; None if there are none.
        output_predictions: those of a model with several outputs, by the output's name.
        diagnosis, explanation, learning_rate_search, fingerprint, initial_weights, importance: None if the
            run has no such file.
        is_running: whether a process is training in the folder now.
    """

    folder: Path
    config: str
    environment: Environment
    history: History
    metrics: RunMetrics
    model: ModelEntry
    data: DataEntry
    predictions: Predictions | None
    diagnosis: Diagnosis | None
    explanation: Explanation | None
    learning_rate_search: LearningRateSearch | None
    output_predictions: Mapping[str, Predictions] = field(default_factory=dict)
    fingerprint: Fingerprint | None = None
    initial_weights: LoadedWeights | None = None
    importance: Importance | None = None
    is_running: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """The options that were changed when the run was resumed."""
        return self.fingerprint.changes if self.fingerprint else ()

    @property
    def is_repeatable(self) -> bool:
        """Whether training its config again gives the same weights."""
        return self.fingerprint is None or self.fingerprint.is_repeatable

    @property
    def name(self) -> str:
        """The experiment's name in the config, else the folder's."""
        found = re.search(r"^name:[ \t]*(\S.*)$", self.config, re.MULTILINE)
        return found[1].strip().strip("\"'") if found else self.folder.resolve().name

    @property
    def is_killed(self) -> bool:
        """Whether the training was killed, or is running."""
        return self.metrics.status is Status.KILLED

    @property
    def missing(self) -> tuple[str, ...]:
        """The missing ones of the files that a training writes when it ends."""
        return tuple(name for name in AT_THE_END if not (self.folder / name).exists())

    @property
    def has_checkpoint(self) -> bool:
        """Whether a resumed training continues from a checkpoint instead of starting over."""
        return (self.folder / file_names.CHECKPOINT).exists()

    @property
    def best_row(self) -> int | None:
        """The row of the best epoch in the history."""
        rows = np.flatnonzero(self.history.epoch == (self.metrics.best_epoch or 0))
        return int(rows[0]) if len(rows) else None

    @property
    def epoch_lost(self) -> int | None:
        """The first epoch with a loss that is not finite; None if there is none."""
        lost = self.history.epoch[~np.isfinite(self.history["train_loss"])]
        return int(lost[0]) if len(lost) else None

    @cached_property
    def first_filters(self) -> np.ndarray | None:
        """The weights (h, w, channels, filters) of the first convolution if it reads images, else None.

        Raises:
            RunError: the weights file is damaged.
        """
        layer = next((layer for layer in self.model.layers if layer.type == "conv2d"), None)
        path = self.folder / file_names.weights(self.metrics.weights)
        if (
            layer is None
            or layer.parameters["weight"][2] not in (1, 3)
            or self.is_killed
            or not path.exists()
        ):
            return None
        try:
            return read_tensors(path)[0][f"{layer.name}.weight"].astype(float)
        except (ValueError, KeyError) as error:
            raise damaged(path, error) from None

    @property
    def headline_split(self) -> str:
        """The part that says most about new data: the given data, else test, validation or training."""
        return "given" if "given" in self.metrics.splits else headline_split(self.metrics.splits)


def read_run(folder: Path) -> RunFiles:
    """Read the files of a run folder, even if its training was killed.

    Raises:
        RunError: it is not a run folder, a file is malformed, or one is missing although the training ended.
    """
    config = read_text(folder / file_names.CONFIG)
    ended = RunMetrics.read_if_there(folder)
    history = _history(folder, can_lack=ended is None)
    data = _read(DataEntry, folder, ended, NO_DATA)
    model = _read(ModelEntry, folder, ended, NO_MODEL)
    is_running = is_locked(folder)
    is_old = ended is None or ended.epochs < len(history.epoch)
    metrics = _killed(history, model) if ended is None or is_old or is_running else ended
    names = [output.name for output in data.outputs] or [""]
    # After a training was resumed and then killed, the predictions may be those of earlier weights.
    is_killed = metrics.status is Status.KILLED
    found = {} if is_killed else {name: _predictions(folder, data, name) for name in names}
    return RunFiles(
        folder=folder,
        config=config,
        environment=_read(Environment, folder, ended, NO_ENVIRONMENT),
        history=history,
        metrics=metrics,
        model=model,
        data=data,
        predictions=found.get(""),
        diagnosis=read_diagnosis(folder),
        explanation=Explanation.read_if_there(folder),
        learning_rate_search=LearningRateSearch.read_if_there(folder),
        output_predictions={name: given for name, given in found.items() if name and given is not None},
        fingerprint=Fingerprint.read_if_there(folder),
        initial_weights=LoadedWeights.read_if_there(folder),
        importance=Importance.read_if_there(folder),
        is_running=is_running,
    )


def as_run_files(
    folder: Path,
    config: str,
    environment: Environment,
    history: Mapping[str, np.ndarray],
    metrics: RunMetrics | None,
    model: ModelEntry,
    data: DataEntry,
) -> RunFiles:
    """The files of a study's member that has no folder of its own.

    Args:
        metrics: None if its training has not ended.
    """
    columns = _drawable_history(history)
    return RunFiles(
        folder, config, environment, columns, metrics or _killed(columns, model), model, data,
        predictions=None, diagnosis=None, explanation=None, learning_rate_search=None,
    )  # fmt: skip


def _read(file: type[F], folder: Path, ended: RunMetrics | None, substitute: F) -> F:
    """Read a file of the folder; return its substitute if it is missing because the training was killed."""
    return file.read(folder) if ended else file.read_if_there(folder) or substitute


def _killed(history: History, model: ModelEntry) -> RunMetrics:
    """Metrics for a training that has not written its own."""
    return RunMetrics(
        status=Status.KILLED,
        epochs=len(history.epoch),
        best_epoch=None,
        monitor="",
        mode="min",
        weights="last",
        splits={},
        parameters=model.parameters,
        seconds={"train": float(np.nansum(history["train_seconds"]))},
    )


def _history(folder: Path, *, can_lack: bool) -> History:
    is_there = (folder / file_names.HISTORY).exists() or not can_lack
    return _drawable_history(read_history(folder) if is_there else NO_HISTORY)


def _drawable_history(columns: Mapping[str, np.ndarray]) -> History:
    found = {name: drawable(column) for name, column in columns.items()}
    return History({**found, "epoch": found["epoch"].astype(int)})


def _predictions(folder: Path, data: DataEntry, output: str) -> Predictions | None:
    found = read_predictions(folder, output)
    if found is None:
        return None
    classes = next((o.classes for o in data.outputs if o.name == output), data.classes)
    given = 0 if found.probability is None else found.probability.shape[1]
    if given not in (0, len(classes or ())):
        problem = f"it has probabilities of {given} classes, {file_names.DATA} has {len(classes or ())}"
        raise damaged(folder / file_names.PREDICTIONS, problem)
    return replace(found, target=drawable(found.target), prediction=drawable(found.prediction))


def drawable(values: np.ndarray) -> np.ndarray:
    """Replace values too large to draw or to square by ±infinity."""
    if values.dtype.kind != "f":
        return values
    wide = values.astype(float)  # LARGEST is too large for float32
    return np.where(abs(wide) > LARGEST, np.copysign(np.inf, wide), wide)
