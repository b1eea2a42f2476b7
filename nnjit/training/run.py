"""A run: the folder that a training leaves, and the trained network in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.data import Scaling, Target
from nnjit.errors import GraphError, RunError
from nnjit.experiment import Experiment
from nnjit.runs.history import read_history
from nnjit.training.graphs.decoding import Decoder
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.initial_state import read_weights
from nnjit.training.setup.outputs import DataDescription
from nnjit.training.setup.task import make_task


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training.

    Args:
        path: the run folder.
        compiled: its compiled graphs.
        meaning: how the model's answers are read.
    """

    path: Path
    compiled: CompiledTask
    decoder: Decoder

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of `history.csv` by name, each of shape (epochs,)."""
        return read_history(self.path)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`: the final figures of each split, and the times."""
        return read_json(self.path / "metrics.json")

    @cached_property
    def theta(self) -> np.ndarray:
        """The trained weights as one vector: the best, or the last, as `metrics["weights"]` says.

        Behind them is the state of the layers, of a model that has any.
        """
        return read_weights(self.path / f"{self.metrics['weights']}.safetensors", self.compiled.task.model)

    def predict(self, x: np.ndarray) -> Any:
        """Predictions for inputs (n, …) in the data's own units.

        Returns:
            Class indices (n,), or values (n, O) in the target's own unit; of several outputs, a dict of
            these by the names of the outputs.

        Raises:
            GraphError: the rows do not have the shape that the model was trained on.
        """
        return self.decoder.decide(self._answers(x))

    def predict_probabilities(self, x: np.ndarray) -> Any:
        """The probability of each class (n, K) for inputs (n, …) in the data's own units.

        Of several outputs, a dict of those that have classes.
        """
        if not self.decoder.has_classes:
            raise GraphError("this run predicts values, not classes; use predict")
        return self.decoder.scores(self._answers(x))

    def _answers(self, x: np.ndarray) -> np.ndarray:
        rows, shape = np.asarray(x), self.compiled.task.model.input_shape
        if rows.shape[1:] != shape:
            raise GraphError(
                f"expected inputs of shape ({', '.join(map(str, ('n', *shape)))}), got {rows.shape}"
            )
        return self.compiled.predict(self.theta, self.decoder.scaling.transform_inputs(rows))


def open_run(path: Path, experiment: Experiment) -> Run:
    """The run in `path`, whose config is `experiment`; the data that it was trained on is not needed.

    Raises:
        RunError: the folder is not that of a finished run.
    """
    data, model = read_json(path / "data.json"), read_json(path / "model.json")
    classes = None if data["classes"] is None else tuple(data["classes"])
    described = DataDescription(
        input_shape=tuple(model["input_shape"]),
        output_size=len(data["targets"] if classes is None else classes),
        classes=classes,
        scaling=Scaling.from_json(data["scaling"]),
        targets=tuple(_target(entry) for entry in data.get("outputs", ())),
    )
    task, outputs = make_task(experiment, described)
    return Run(path, CompiledTask(task, batch=1), outputs.decoder)


def _target(entry: dict[str, Any]) -> Target:
    """One of the targets of `data.json`."""
    classes = None if entry["classes"] is None else tuple(entry["classes"])
    first, end = entry["columns"]
    return Target(entry["target"], first, end - first, classes)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run folder; RunError where it is missing."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"{path.parent} is not the folder of a finished run: there is no {path.name}"
        ) from None
    return content
