"""`metrics.json` of a run: how the training ended, and its final metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
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
        seconds: of `compile`, `train` and `wall`; after a resumption, of the last session.
        found_learning_rate: what the range test of `learning_rate: find` found.
        averaging: the type of the average that the weights are; empty if they are not averaged.
        message: why it ended so, if there is more to say.
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
        }
        return always | {key: value for key, value in optional.items() if value}
