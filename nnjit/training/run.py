"""Open a run folder and predict with the trained network in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data import Scaling, Target
from nnjit.errors import GraphError, RunError, UserError
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry, OutputEntry
from nnjit.runs.history import read_history
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.reading import damaged, parse, read_json
from nnjit.training.graphs.decoding import Decoder
from nnjit.training.inputs import Inputs
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.initial_weights import weights_of
from nnjit.training.setup.outputs import DataDescription
from nnjit.training.setup.task import make_task

if TYPE_CHECKING:
    from nnjit.data.encoding.encoder import TableEncoder


@dataclass(frozen=True, eq=False)
class Run:
    """A finished training.

    Args:
        path: the run folder.
        compiled: its compiled graphs.
        decoder: decodes predictions into classes or values.
        features: names of the input columns; () for images.
        encoder: what makes inputs of a table; None if it was trained on arrays.
    """

    path: Path
    compiled: CompiledTask
    decoder: Decoder
    features: tuple[str, ...]
    encoder: TableEncoder | None = None

    @cached_property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of `history.csv` by name, each of shape (epochs,)."""
        return read_history(self.path)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`: the final loss and metrics of each split, and the times."""
        path = self.path / file_names.METRICS
        content = read_json(path)
        parse(path, content, RunMetrics.from_json)
        return content

    @cached_property
    def theta(self) -> np.ndarray:
        """All weights as one vector: those that were trained, the layers' state, and what was frozen.

        `metrics["weights"]` says whether they are the best or the last.
        """
        path = self.path / file_names.weights(RunMetrics.read(self.path).weights)
        try:
            return weights_of(path, self.compiled.task.model)
        except ValueError as error:
            raise damaged(path, error) from None

    def predict(self, x: Any) -> Any:
        """Predictions for inputs (n, …) in the data's own units; n may be 0.

        A run on a table also takes a `Table`, a polars or pandas DataFrame, or a dict of columns, whose
        columns it finds by name.

        Returns:
            Class indices (n,), or values (n, O) in the target's own unit; of several outputs, a dict of
            these by the names of the outputs.

        Raises:
            GraphError: the rows do not have the shape that the model was trained on.
            DataError: a value is not a number, not finite, missing, or none that a layer takes.
        """
        return self.decoder.decide(self._predicted(x))

    def predict_probabilities(self, x: Any) -> Any:
        """The probability of each class (n, K) for inputs as `predict` takes them.

        Of several outputs, a dict of those that have classes.
        """
        if not self.decoder.has_classes:
            raise GraphError("this run predicts values, not classes; use predict")
        return self.decoder.scores(self._predicted(x))

    def _predicted(self, x: Any) -> np.ndarray:
        if self.encoder is not None and (isinstance(x, Mapping) or hasattr(x, "columns")):
            from nnjit.data.tables.frames import table_of
            from nnjit.data.tables.table import Table

            x = self.encoder.encode(x if isinstance(x, Table) else table_of(x))[:]
        return self.compiled.predict(self.theta, self._inputs.read(x))

    @cached_property
    def _inputs(self) -> Inputs:
        model = self.compiled.task.model
        return Inputs(model, self.features, self.decoder.scaling, self.theta.dtype.name)


def open_run(path: Path, experiment: Experiment) -> Run:
    """The run in `path`, whose config is `experiment`. The data that it was trained on is not needed.

    Raises:
        RunError: the folder is not that of a finished run, or its files do not belong together.
    """
    data, model = DataEntry.read(path), ModelEntry.read(path)
    scaling = parse(path / file_names.DATA, dict(data.scaling), Scaling.from_json)
    if not scaling.fits(model.input_shape, len(data.targets)):
        raise damaged(path / file_names.DATA, f"its scaling is not that of the inputs in {file_names.MODEL}")
    encoder = _encoder(path, data)
    if encoder is not None and encoder.features != data.features:
        raise damaged(path / file_names.DATA, "its columns do not give its features")
    described = DataDescription(
        input_shape=model.input_shape,
        output_size=len(data.targets if data.classes is None else data.classes),
        classes=data.classes,
        scaling=scaling,
        targets=tuple(map(_target, data.outputs)),
        target_names=data.targets,
        columns=() if encoder is None else encoder.inputs,
        threshold=data.threshold,
    )
    try:
        task, outputs = make_task(experiment, described)
    except UserError as error:
        names = f"{file_names.CONFIG}, {file_names.MODEL} and {file_names.DATA}"
        raise RunError(f"{path}: {names} are not of one training: {error.message}; restore them") from None
    shapes = [(n.name, n.output_shape) for n in task.model.nodes]
    if shapes != [(layer.name, layer.output_shape) for layer in model.layers]:
        raise damaged(path / file_names.MODEL, f"its layers are not those of {file_names.CONFIG}")
    return Run(path, CompiledTask(task, batch=1), outputs.decoder, data.features, encoder)


def _encoder(path: Path, data: DataEntry) -> TableEncoder | None:
    """What makes inputs of a table; None of a run on arrays."""
    if not data.columns:
        return None
    from nnjit.data.encoding.encoder import TableEncoder

    return parse(path / file_names.DATA, data.columns, TableEncoder.from_json)


def _target(output: OutputEntry) -> Target:
    start, stop = output.columns
    return Target(output.target, start, stop - start, output.classes)
