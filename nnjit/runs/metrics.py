"""`metrics.json` of a run: how it ended, and its final metrics."""

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
        loss: mean over the examples, without penalties; nan if not finite.
        metrics: the metrics' values by column.
    """

    examples: int
    loss: float
    metrics: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return {"examples": self.examples, "loss": self.loss, **self.metrics}

    @classmethod
    def arranged(cls, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The file's entries by field of the class."""
        metrics = {name: value for name, value in content.items() if name not in ("examples", "loss")}
        return {**content, "metrics": metrics}


def headline_split(splits: Collection[str]) -> str:
    """The part that says most about new data: test, else validation, else training."""
    return next((name for name in reversed(SPLITS) if name in splits), "train")


Splits = Annotated[Mapping[str, SplitValues], SPLITS]
"""The values by part of the data, in the order of `SPLITS`."""


def without_value(splits: Mapping[str, SplitValues]) -> tuple[str, ...]:
    """Columns that are nan although the loss is not: rankings of a part with identical targets."""
    return tuple(
        f"{split}_{name}"
        for split, values in splits.items()
        for name, value in values.metrics.items()
        if math.isnan(value) and math.isfinite(values.loss)
    )


@dataclass(frozen=True)
class RunMetrics(JsonFile):
    """How a run ended.

    Args:
        best_epoch: None if no column decides on it, or no epoch ended with a finite loss.
        monitor: the column whose best value makes an epoch the best; empty if there is none.
        mode: whether the best value is the lowest, "min", or the highest, "max".
        weights: the weights that the metrics and predictions are for.
        parameters: number of learned numbers.
        seconds: of `compile`, `train` and `wall`, over all sessions of a resumed run.
        found_learning_rate: the result of the range test of `learning_rate: find`.
        averaging: type of weight averaging; empty if there is none.
        message: why it ended, if there is more to say.
        baseline: metrics of always answering the class frequencies, or mean, of the training part, on the
            part that says most about new data; for values, including the mean absolute error.
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
        """Ranking columns of a part with identical targets."""
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
    """The entries shared by the metrics of a run and of a study."""

    seconds: Mapping[str, float]


def earlier_seconds(path: Path) -> dict[str, float]:
    """Seconds of compiling and in total so far, from the metrics of a run or study; 0 without any."""
    found: Mapping[str, float] = {}
    with suppress(RunError):  # missing, or damaged and will be rewritten
        found = parse(path, read_json(path), lambda content: build(_Times, content)).seconds
    return {name: s if (s := found.get(name, 0.0)) > 0 else 0.0 for name in ("compile", "wall")}
