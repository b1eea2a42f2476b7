"""Evaluate a trained network on new data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nnjit.data import Center, Dataset, Part
from nnjit.data.dataset import describe_index
from nnjit.data.encoding.rows import EncodedRows
from nnjit.data.fitting import Block, fit_center
from nnjit.data.known.known_data import unseen, unseen_words
from nnjit.data.weights import as_type
from nnjit.errors import DataError
from nnjit.experiment import Experiment
from nnjit.runs.metrics import SplitValues
from nnjit.runs.predictions import Predictions
from nnjit.training.results.measuring import decided_values
from nnjit.training.setup.compiled_task import CompiledTask
from nnjit.training.setup.outputs import DataDescription
from nnjit.training.setup.task import make_task


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The loss and metrics on new data, and the predictions for it.

    Args:
        predictions: those of each output by name, "" for a single output; their part of the data is "test".
        notes: which rows were left out, and which have categories unknown to the training.
    """

    values: SplitValues
    predictions: Mapping[str, Predictions]
    notes: tuple[str, ...] = ()


def evaluate(
    experiment: Experiment, described: DataDescription, theta: np.ndarray, x: np.ndarray, data: Dataset
) -> Evaluation:
    """Measure loss and metrics of trained weights on data, as training measures them on its own data.

    Args:
        theta: params and state of layers.
        x: the scaled inputs (n, ...) of the data.

    Raises:
        UserError: the loss or a metric cannot take a target value.
    """
    y = np.asarray(data.y[:])
    if data.classes is None:
        described = replace(described, center=_center(y, theta.dtype, described))
        y = _scaled(y, described, theta.dtype, data)
    weights = (
        np.ones(len(y), theta.dtype) if data.weights is None else as_type(data.weights, theta.dtype.name)
    )
    part = Part(x, y, weights)
    task, outputs = make_task(experiment, described)
    outputs.check_targets([part])
    compiled = CompiledTask(task, batch=1)
    values, predicted = compiled.evaluate(theta, part), compiled.predict(theta, x)
    if described.threshold is not None:
        scores = outputs.decoder.scores(predicted)
        assert isinstance(scores, np.ndarray)  # only a single output has a threshold
        values |= decided_values(task.metrics, scores[:, 1] > described.threshold, y, weights)
    rows = np.arange(len(y)) if data.source_rows is None else data.source_rows
    made = outputs.decoder.predictions("test", predicted, y)
    given = None if data.weights is None else weights
    predictions = {k: replace(one, rows=rows, times=data.times, weights=given) for k, one in made.items()}
    return Evaluation(SplitValues(len(y), values.pop("loss"), values), predictions, _notes(data))


def _notes(data: Dataset) -> tuple[str, ...]:
    found = unseen(data.x) if isinstance(data.x, EncodedRows) else {}
    words = tuple(unseen_words(column, rows) for column, rows in found.items())
    return words if data.source_rows is None else (data.description, *words)


def _center(y: np.ndarray, dtype: np.dtype, described: DataDescription) -> Center:
    """The center of the targets, which saves digits of squares; unscaled values are rounded to `dtype`."""

    def blocks() -> Iterator[Block]:
        yield Block(y.astype(np.float64))

    return fit_center(blocks, *((y.dtype,) if described.scaling.targets else (y.dtype, dtype)))


def _scaled(y: np.ndarray, described: DataDescription, dtype: np.dtype, data: Dataset) -> np.ndarray:
    with np.errstate(over="ignore"):  # reported below
        scaled = np.asarray(described.scaling.transform_targets(y)).astype(dtype)
    is_bad = ~np.isfinite(scaled)
    if is_bad.any():
        at = tuple(int(k) for k in np.argwhere(is_bad)[0])
        place = describe_index(at, data.targets)
        raise DataError(f"{place} (counted from 1): {y[at]} is beyond the range of {dtype}")
    return np.ascontiguousarray(scaled)
