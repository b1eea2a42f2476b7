"""`metrics.json` of a run: how the training ended, and its final metrics."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from nnjit.errors import RunError
from nnjit.runs import file_names
from nnjit.runs.decoding import build
from nnjit.runs.json_file import JsonFile
from nnjit.runs.reading import parse, read_json
from nnjit.runs.status import Status

SPLITS = ("train", "validation", "test")

Weights = Literal["best", "last"]
Mode = Literal["min", "max"]


@dataclass(frozen=True)
class SplitValues:
    """The final loss and metrics on one part of the data.

    Args:
        loss: mean over the examples, without penalties; nan if it was not finite.
        metrics: the metrics' values by column.
    """

    examples: int
    loss: float
    metrics: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {"examples": self.examples, "loss": self.loss, **self.metrics}

    @classmethod
    def arranged(cls, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The entries of the file by the fields of the class."""
        metrics = {name: value for name, value in content.items() if name not in ("examples", "loss")}
        return {**content, "metrics": metrics}


def headline_split(splits: Collection[str]) -> str:
    """The part of the data that says most about new data: test, else validation, else training."""
    return next((name for name in reversed(SPLITS) if name in splits), "train")


Splits = Annotated[Mapping[str, SplitValues], SPLITS]
"""The values of the parts of the data that there are, in the order of `SPLITS`."""


def without_value(splits: Mapping[str, SplitValues]) -> tuple[str, ...]:
    """The columns that are nan though the loss is not: rankings of a part whose targets are all alike."""
    return tuple(
        f"{split}_{name}"
        for split, values in splits.items()
        for name, value in values.metrics.items()
        if math.isnan(value) and math.isfinite(values.loss)
    )


@dataclass(frozen=True)
class RunMetrics(JsonFile):
    """How a training ended.

    Args:
        best_epoch: None if nothing says which one it is, or no epoch ended with a finite loss.
        monitor: the column whose best value makes an epoch the best; empty if none is looked for.
        mode: whether the best is the lowest value, "min", or the highest, "max".
        weights: the weights that the metrics and predictions are of.
        parameters: how many numbers were learned.
        seconds: of `compile`, `train` and `wall`, over all sessions of a run that was resumed.
        found_learning_rate: what the range test of `learning_rate: find` found.
        averaging: the type of the average that the weights are; empty if they are not averaged.
        message: why it ended so, if there is more to say.
        baseline: the metrics of the class frequencies, or of the mean, of the training part, on the part
            of the data that says most about new data; of values, with the mean absolute error.
    """

    file_name: ClassVar[str] = file_names.METRICS
    ABSENT: ClassVar[Mapping[str, Any]] = {"monitor": "train_loss", "mode": "min", "weights": "last"}

    status: Status
    epochs: int
    best_epoch: int | None
    monitor: str
    mode: Mode
    weights: Weights
    splits: Splits
    parameters: int
    seconds: Mapping[str, float]
    found_learning_rate: float | None = None
    averaging: str = ""
    message: str = ""
    baseline: Mapping[str, float] = field(default_factory=dict)

    @property
    def without_value(self) -> tuple[str, ...]:
        """The columns of rankings of a part whose targets are all alike."""
        return without_value(self.splits)

    def __post_init__(self) -> None:
        if (self.best_epoch or 0) > self.epochs:
            raise ValueError(f"best_epoch: {self.best_epoch} is not one of the {self.epochs} epochs")

    def to_json(self) -> dict[str, Any]:
        always = {
            "status": self.status,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "monitor": self.monitor,
            "mode": self.mode,
            "weights": self.weights,
            "splits": {name: values.to_json() for name, values in self.splits.items()},
            "parameters": self.parameters,
            "seconds": dict(self.seconds),
        }
        optional = {
            "found_learning_rate": self.found_learning_rate,
            "averaging": self.averaging,
            "message": self.message,
            "baseline": dict(self.baseline),
        }
        return always | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True)
class _Times:
    """What the metrics of a run and of a study have in common."""

    seconds: Mapping[str, float]


def earlier_seconds(path: Path) -> dict[str, float]:
    """What the metrics of a run or a study say that compiling, and everything, took so far; 0 without any."""
    found: Mapping[str, float] = {}
    with suppress(RunError):  # there are none, or they are damaged and written anew
        found = parse(path, read_json(path), lambda content: build(_Times, content)).seconds
    return {name: s if (s := found.get(name, 0.0)) > 0 else 0.0 for name in ("compile", "wall")}
