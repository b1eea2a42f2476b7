"""`metrics.json` of a run: how the training ended, and its final metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from nnjit.errors import RunError
from nnjit.runs import file_names
from nnjit.runs.json_file import JsonFile
from nnjit.runs.reading import number, read_json
from nnjit.runs.status import Status

SPLITS = ("train", "validation", "test")

Weights = Literal["best", "last"]


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
    def from_json(cls, content: dict[str, Any]) -> Self:
        """The values of one split."""
        values = {name: number(value) for name, value in content.items() if name != "examples"}
        loss = values.pop("loss", number(None))
        return cls(content["examples"], loss, values)


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
        splits: by the name of the part, in the order of `SPLITS`.
        parameters: how many numbers were learned.
        seconds: of `compile`, `train` and `wall`, over all sessions of a run that was resumed.
        found_learning_rate: what the range test of `learning_rate: find` found.
        averaging: the type of the average that the weights are; empty if they are not averaged.
        message: why it ended so, if there is more to say.
    """

    file_name: ClassVar[str] = file_names.METRICS

    status: Status
    epochs: int
    best_epoch: int | None
    monitor: str
    mode: str
    weights: Weights
    splits: Mapping[str, SplitValues]
    parameters: int
    seconds: Mapping[str, float]
    found_learning_rate: float | None = None
    averaging: str = ""
    message: str = ""

    @property
    def without_value(self) -> tuple[str, ...]:
        """The columns of rankings of a part whose targets are all alike."""
        return without_value(self.splits)

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

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        status, splits = Status(content["status"]), content["splits"]
        return cls(
            status=status,
            epochs=content["epochs"],
            best_epoch=content.get("best_epoch"),
            monitor=content.get("monitor", "train_loss"),
            mode=content.get("mode") or "min",
            weights=content.get("weights") or "last",
            splits={s: SplitValues.from_json(splits[s]) for s in SPLITS if splits.get(s)},
            parameters=content["parameters"],
            seconds={name: number(value) for name, value in content["seconds"].items()},
            found_learning_rate=content.get("found_learning_rate"),
            averaging=content.get("averaging") or "",
            message=content.get("message") or "",
        )


def earlier_seconds(path: Path) -> dict[str, float]:
    """What the metrics of a run or a study say that compiling, and everything, took so far; 0 without any."""
    found: dict[str, Any] = {}
    with suppress(RunError):  # there are none, or they are damaged and written anew
        found = read_json(path).get("seconds") or {}
    return {name: float(found.get(name) or 0.0) for name in ("compile", "wall")}
