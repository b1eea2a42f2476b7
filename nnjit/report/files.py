"""Read the files of a run folder once, into frozen values for the pictures and the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.diagnosis import Diagnosis, read_diagnosis
from nnjit.runs.environment import Environment
from nnjit.runs.explanation import Explanation
from nnjit.runs.fingerprint import Change, Fingerprint
from nnjit.runs.history import read_history
from nnjit.runs.learning_rate_search import LearningRateSearch
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.predictions import Predictions, read_predictions
from nnjit.runs.reading import read_text

LARGEST = 1e100  # of a value that is drawn


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
    """All files of a run folder.

    Args:
        predictions: of a model with a single output; None if there are none.
        output_predictions: of a model with several outputs, by the output's name.
        diagnosis, explanation, learning_rate_search, fingerprint: None if the run has no such file.
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

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed when the run was resumed."""
        return self.fingerprint.changes if self.fingerprint else ()

    @property
    def is_repeatable(self) -> bool:
        """Whether its config, trained anew, gives its weights."""
        return self.fingerprint is None or self.fingerprint.is_repeatable

    @property
    def name(self) -> str:
        """The experiment's name in the config, else the folder's."""
        found = re.search(r"^name:[ \t]*(\S.*)$", self.config, re.MULTILINE)
        return found[1].strip().strip("\"'") if found else self.folder.resolve().name

    @property
    def best_row(self) -> int | None:
        """The row of the best epoch in the history."""
        rows = np.flatnonzero(self.history.epoch == (self.metrics.best_epoch or 0))
        return int(rows[0]) if len(rows) else None

    @property
    def epoch_lost(self) -> int | None:
        """The first epoch whose loss is not finite; None if every epoch that ended has a finite one."""
        lost = self.history.epoch[~np.isfinite(self.history["train_loss"])]
        return int(lost[0]) if len(lost) else None

    @property
    def headline_split(self) -> str:
        """The part of the data that says most about new data: test, else validation, else training."""
        return next(s for s in ("test", "validation", "train") if s in self.metrics.splits or s == "train")


def read_run(folder: Path) -> RunFiles:
    """Read the files of a run folder; RunError if it is not one or a file is malformed."""
    data = DataEntry.read(folder)
    outputs = {output.name: _predictions(folder, output.name) for output in data.outputs}
    return RunFiles(
        folder=folder,
        config=read_text(folder / file_names.CONFIG),
        environment=Environment.read(folder),
        history=_history(folder),
        metrics=RunMetrics.read(folder),
        model=ModelEntry.read(folder),
        data=data,
        predictions=None if data.outputs else _predictions(folder),
        diagnosis=read_diagnosis(folder),
        explanation=Explanation.read_if_there(folder),
        learning_rate_search=LearningRateSearch.read_if_there(folder),
        output_predictions={name: found for name, found in outputs.items() if found is not None},
        fingerprint=Fingerprint.read_if_there(folder),
    )


def _history(folder: Path) -> History:
    columns = {name: _drawable(column) for name, column in read_history(folder).items()}
    return History({**columns, "epoch": columns["epoch"].astype(int)})


def _predictions(folder: Path, output: str = "") -> Predictions | None:
    found = read_predictions(folder, output)
    if found is None:
        return None
    return replace(found, target=_drawable(found.target), prediction=_drawable(found.prediction))


def _drawable(values: np.ndarray) -> np.ndarray:
    """The values, infinite where they are so large that neither a picture nor a square can hold them."""
    if values.dtype.kind != "f":
        return values
    wide = values.astype(float)  # LARGEST is too large for float32
    return np.where(abs(wide) > LARGEST, np.copysign(np.inf, wide), wide)
