"""The files of a run folder, read once into frozen values that the pictures and the page share."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from nnjit.errors import RunError
from nnjit.report.diagnosis import Diagnosis, read_diagnosis
from nnjit.report.explanation import ExplanationEntry, as_explanation

SPLITS = ("train", "validation", "test")
SPLIT_NAMES = {"train": "training", "validation": "validation", "test": "test"}

LARGEST = 1e100  # of a figure that is drawn


@dataclass(frozen=True)
class History:
    """A row per epoch; an empty cell is nan.

    Args:
        columns: the columns of `history.csv` by name, each of shape (epochs,).
    """

    columns: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        """A column; all nan where the run did not measure it."""
        return self.columns.get(name, np.full(len(self.epoch), np.nan))

    @property
    def epoch(self) -> np.ndarray:
        """The number of each row's epoch, counted from 1."""
        return self.columns["epoch"]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that were measured, without the loss."""
        names = [
            name.partition("_")[2] for name in self.columns if name.startswith(("train_", "validation_"))
        ]
        return tuple(name for name in dict.fromkeys(names) if name not in ("loss", "seconds"))


@dataclass(frozen=True)
class SplitFigures:
    """What was measured at the end on one part of the data.

    Args:
        loss: mean over the examples, without penalties; nan where it was not finite.
        metrics: the other figures by the metric's name.
    """

    examples: int
    loss: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """`metrics.json`: how the training ended.

    Args:
        status: completed, converged, early_stopped, target_reached, out_of_time, interrupted or diverged.
        best_epoch: None where no epoch ended with a finite loss.
        monitor: the column whose best value makes an epoch the best.
        mode: whether that is its lowest, "min", or its highest, "max".
        weights: whose figures and predictions these are: the "best" epoch's or the "last" one's.
        seconds: of `compile`, `train` and `wall`; of the last session, where a run was resumed.
        message: why it ended so, where there is more to say.
        averaging: the type of the average that the weights are of; empty where they are no average.
    """

    status: str
    epochs: int
    best_epoch: int | None
    monitor: str
    mode: str
    weights: str
    splits: Mapping[str, SplitFigures]
    seconds: Mapping[str, float]
    message: str
    averaging: str


@dataclass(frozen=True)
class LayerEntry:
    """One layer of the model; shapes are without the batch axis."""

    name: str
    type: str
    inputs: tuple[str, ...]
    output_shape: tuple[int, ...]
    parameters: Mapping[str, tuple[int, ...]]
    options: Mapping[str, Any]

    @property
    def size(self) -> int:
        """How many numbers it learns."""
        return sum(math.prod(shape) for shape in self.parameters.values())


@dataclass(frozen=True)
class ModelEntry:
    """`model.json`: the layers in topological order."""

    loss: str
    optimizer: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerEntry, ...]
    parameters: int


@dataclass(frozen=True)
class OutputEntry:
    """One of several outputs.

    Args:
        targets: the names of its columns among the data's targets.
        predictions: None where the run has none.
    """

    name: str
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    predictions: Predictions | None


@dataclass(frozen=True)
class DataEntry:
    """`data.json`: what was learned from.

    Args:
        magnitude: the root mean square of the largest input feature; nan where it was not measured.
        is_weighted: whether the figures count each example by a weight of its own.
    """

    description: str
    task: str
    features: tuple[str, ...]
    targets: tuple[str, ...]
    classes: tuple[str, ...] | None
    examples: Mapping[str, int]
    scaling: Mapping[str, Any]
    magnitude: float
    is_weighted: bool = False


@dataclass(frozen=True)
class Grid:
    """What the network says over the plane of its two inputs, in the data's own units.

    Args:
        x: (G,) places along the first input.
        y: (G,) places along the second input.
        values: (G, G, K) probabilities or (G, G, 1) values, `values[iy, ix]`.
        points: (m, 2) examples.
        targets: (m,) the examples' class or value.
    """

    x: np.ndarray
    y: np.ndarray
    values: np.ndarray
    points: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Predictions:
    """`predictions.npz`: one split's targets and predictions, (n,) classes or (n, O) values in their unit."""

    split: str
    target: np.ndarray
    prediction: np.ndarray
    grid: Grid | None


@dataclass(frozen=True)
class RunFiles:
    """Everything that a run folder says."""

    folder: Path
    config: str
    environment: Mapping[str, Any]
    history: History
    outcome: Outcome
    model: ModelEntry
    data: DataEntry
    predictions: Predictions | None
    diagnosis: Diagnosis | None
    explanation: ExplanationEntry | None
    outputs: tuple[OutputEntry, ...] = ()

    @property
    def name(self) -> str:
        """The experiment's name in the config, else the folder's."""
        found = re.search(r"^name:[ \t]*(\S.*)$", self.config, re.MULTILINE)
        return found[1].strip().strip("\"'") if found else self.folder.resolve().name

    @property
    def best_row(self) -> int | None:
        """The row of the history that is the best epoch's."""
        rows = np.flatnonzero(self.history.epoch == (self.outcome.best_epoch or 0))
        return int(rows[0]) if len(rows) else None

    @property
    def epoch_lost(self) -> int | None:
        """The first epoch whose loss is not finite; None where every epoch that ended has one that is."""
        lost = self.history.epoch[~np.isfinite(self.history["train_loss"])]
        return int(lost[0]) if len(lost) else None

    @property
    def judged_split(self) -> str:
        """The part of the data that says most about new data: test, else validation, else training."""
        return next(s for s in ("test", "validation", "train") if s in self.outcome.splits or s == "train")


def read_run(folder: Path) -> RunFiles:
    """Read the files of a run folder; RunError where it is not one or a file is malformed."""
    try:
        data = read_json(folder / "data.json")
        return RunFiles(
            folder=folder,
            config=read_text(folder / "config.yaml"),
            environment=read_json(folder / "environment.json"),
            history=_history(folder / "history.csv"),
            outcome=_outcome(read_json(folder / "metrics.json")),
            model=_model(read_json(folder / "model.json")),
            data=_data(data),
            predictions=None if "outputs" in data else _predictions(folder / "predictions.npz"),
            diagnosis=read_diagnosis(folder / "diagnosis.csv"),
            explanation=_explanation(folder / "explanation.json"),
            outputs=tuple(_output(entry, data, folder) for entry in data.get("outputs", ())),
        )
    except KeyError as error:
        raise RunError(
            f"{folder}: a file of this run lacks the entry {error}; was it written by another version?"
        ) from error


def read_text(path: Path) -> str:
    """A text file of a run folder; RunError where it is missing."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{path.parent} is not a complete run folder: {path.name} is missing") from None
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is not UTF-8 text ({error})") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a run folder; RunError where it is missing or is none."""
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise RunError(f"{path} is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content


def _history(path: Path) -> History:
    header, _, rows = read_text(path).partition("\n")
    names = header.split(",")
    try:
        table = _numbers(rows, len(names))
    except ValueError as error:
        raise RunError(f"{path}: a row is not {len(names)} numbers ({error})") from error
    columns = {name: _drawable(column) for name, column in zip(names, table.T, strict=True)}
    return History({**columns, "epoch": columns["epoch"].astype(int)})


def _numbers(rows: str, width: int) -> np.ndarray:
    """The cells as (rows, width), an empty one nan, in half of the time that `float` would take."""
    if not rows.strip():
        return np.empty((0, width))
    for _ in range(2):  # once leaves every other one of several empty cells
        rows = rows.replace(",,", ",nan,")
    lines = f"{rows}\n".replace(",\n", ",nan\n").splitlines()
    table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    if table.shape[1] != width:
        raise ValueError(f"they have {table.shape[1]} cells")
    return table


def _drawable(values: np.ndarray) -> np.ndarray:
    """The values, infinite where they are so large that neither a picture nor a square can hold them."""
    if values.dtype.kind != "f":
        return values
    wide = values.astype(float)  # LARGEST is too large for float32
    return np.where(abs(wide) > LARGEST, np.copysign(np.inf, wide), wide)


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _outcome(content: dict[str, Any]) -> Outcome:
    return Outcome(
        status=content["status"],
        epochs=content["epochs"],
        best_epoch=content.get("best_epoch"),
        monitor=content.get("monitor") or "train_loss",
        mode=content.get("mode") or "min",
        weights=content.get("weights") or "last",
        splits={name: _split(content["splits"][name]) for name in SPLITS if content["splits"].get(name)},
        seconds={name: _float(value) for name, value in content["seconds"].items()},
        message=content.get("message") or "",
        averaging=content.get("averaging") or "",
    )


def _split(content: dict[str, Any]) -> SplitFigures:
    metrics = {name: _float(value) for name, value in content.items() if name not in ("examples", "loss")}
    return SplitFigures(content["examples"], _float(content.get("loss")), metrics)


def _model(content: dict[str, Any]) -> ModelEntry:
    return ModelEntry(
        loss=content["loss"],
        optimizer=content["optimizer"],
        input_shape=tuple(content["input_shape"]),
        layers=tuple(_layer(layer) for layer in content["layers"]),
        parameters=content["parameters"],
    )


def _layer(content: dict[str, Any]) -> LayerEntry:
    return LayerEntry(
        name=content["name"],
        type=content["type"],
        inputs=tuple(content["inputs"]),
        output_shape=tuple(content["output_shape"]),
        parameters={name: tuple(shape) for name, shape in content["parameters"].items()},
        options=content.get("options") or {},
    )


def _data(content: dict[str, Any]) -> DataEntry:
    classes = content["classes"]
    return DataEntry(
        description=content["description"],
        task=content["task"],
        features=tuple(content["features"]),
        targets=tuple(content["targets"]),
        classes=None if classes is None else tuple(str(name) for name in classes),
        examples={name: content["examples"].get(name) or 0 for name in SPLITS},
        scaling=content.get("scaling") or {},
        magnitude=_float(content.get("magnitude")),
        is_weighted=content.get("weighted", False),
    )


def _explanation(path: Path) -> ExplanationEntry | None:
    """None of a run that was written before there was one."""
    return as_explanation(read_json(path)) if path.exists() else None


def _output(content: dict[str, Any], data: dict[str, Any], folder: Path) -> OutputEntry:
    name, classes = content["name"], content["classes"]
    return OutputEntry(
        name=name,
        targets=tuple(data["targets"][slice(*content["columns"])]),
        classes=None if classes is None else tuple(map(str, classes)),
        predictions=_predictions(folder / "predictions.npz", f"_{name}"),
    )


def _predictions(path: Path, output: str = "") -> Predictions | None:
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Predictions(
                str(arrays["split"]),
                _drawable(arrays[f"target{output}"]),
                _drawable(arrays[f"prediction{output}"]),
                _grid(arrays),
            )
    except (ValueError, EOFError, OSError, BadZipFile) as error:
        raise RunError(f"{path} cannot be read ({error})") from error


def _grid(arrays: Mapping[str, np.ndarray]) -> Grid | None:
    if "grid" not in arrays:
        return None
    return Grid(*(arrays[name] for name in ("grid_x", "grid_y", "grid", "points", "point_target")))
