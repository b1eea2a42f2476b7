"""Write the files of a run folder that describe a setup and its results: all but history and checkpoint."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nnjit.cores import usable_cores
from nnjit.data import Padding, find_padding
from nnjit.errors import DataWarning
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.environment import Environment
from nnjit.runs.history import read_history
from nnjit.runs.metrics import RunMetrics, SplitValues, Weights, earlier_seconds
from nnjit.runs.model import LayerEntry, ModelEntry
from nnjit.runs.predictions import write_predictions
from nnjit.runs.status import Status
from nnjit.runs.weights import write_weights
from nnjit.runs.writing import write_atomically
from nnjit.training.loop.explanation import explain
from nnjit.training.loop.predictions import predictions
from nnjit.training.loop.stopping import Outcome
from nnjit.training.setup.setup import Setup


def describe(setup: Setup, config: str, path: Path) -> None:
    """Write the config, the environment, the model and the data, and warn of what is wrong with the data."""
    write_environment(config, path)
    _model(setup).write(path)
    _data(setup).write(path)
    for text in setup.warnings:
        warnings.warn(text, DataWarning, stacklevel=2)


def write_environment(config: str, path: Path) -> None:
    """Write the config and the environment."""
    write_atomically(path / file_names.CONFIG, config)
    Environment.here(cores=usable_cores()).write(path)


def write_results(setup: Setup, path: Path, outcome: Outcome, began: float) -> None:
    """Write weights, predictions, kernels, the explanation and the final metrics.

    Without a best epoch, the best weights are the last.
    """
    state, which = outcome.state, _kept(setup, outcome)
    last = setup.inference_theta(state)
    best = state.best_theta if state.best_epoch else last
    for name, theta in ((file_names.BEST, best), (file_names.LAST, last)):
        write_weights(path / name, setup.model.arrays.unflatten(theta))
    theta = best if which == "best" else last
    splits = {name: _values(setup, theta, name) for name in setup.splits}
    write_predictions(path, predictions(setup, theta))
    setup.compiled.save_kernels(path / file_names.KERNELS)
    explain(setup, setup.compiled.kernels).write(path)
    _metrics(setup, path, outcome, which, splits, began).write(path)


def _kept(setup: Setup, outcome: Outcome) -> Weights:
    """Which weights metrics and predictions are of."""
    if not outcome.state.best_epoch:
        return "last"
    chosen = setup.experiment.training.keep
    return chosen or ("last" if outcome.status is Status.TARGET_REACHED else "best")


def _metrics(
    setup: Setup,
    path: Path,
    outcome: Outcome,
    which: Weights,
    splits: Mapping[str, SplitValues],
    began: float,
) -> RunMetrics:
    """The final metrics, of the weights `which`."""
    experiment, state = setup.experiment, outcome.state
    return RunMetrics(
        status=outcome.status,
        epochs=state.epoch,
        best_epoch=state.best_epoch or None,
        monitor=setup.monitor.column if setup.monitor is not None else "",
        mode=setup.monitor.mode if setup.monitor is not None else "min",
        weights=which,
        splits=splits,
        parameters=setup.model.table.size,
        seconds=_seconds(setup, path, began),
        found_learning_rate=setup.learning_rate if experiment.optimizer.learning_rate == "find" else None,
        averaging="" if experiment.averaging is None else experiment.averaging.type,
        message=outcome.message,
    )


def _seconds(setup: Setup, path: Path, began: float) -> dict[str, float]:
    """The times of all sessions of a run so far, before their metrics are written over.

    A session that was killed left no metrics: of it, only the epochs count.
    """
    train = float(read_history(path)["train_seconds"].sum())
    earlier = earlier_seconds(path / file_names.METRICS)
    compiled = earlier["compile"] + setup.compiled.compile_seconds
    wall = max(earlier["wall"] + time.perf_counter() - began, compiled + train)
    return {name: round(v, 6) for name, v in (("compile", compiled), ("train", train), ("wall", wall))}


def _values(setup: Setup, theta: np.ndarray, name: str) -> SplitValues:
    part = setup.splits[name]
    metrics = setup.compiled.evaluate(theta, part)
    return SplitValues(len(part.x), metrics.pop("loss"), metrics)


def _model(setup: Setup) -> ModelEntry:
    layers = tuple(
        LayerEntry(
            name=n.name,
            type=n.layer.type,
            inputs=n.inputs,
            input_shapes=n.input_shapes,
            output_shape=n.output_shape,
            parameters={p.name: p.shape for p in n.params},
            state={p.name: p.shape for p in n.state},
            options=n.layer.model_dump(exclude={"type", "name", "from_"}, exclude_none=True),
        )
        for n in setup.model.nodes
    )
    return ModelEntry(
        loss=setup.outputs.loss_words,
        optimizer=setup.experiment.optimizer.type,
        input_shape=setup.model.input_shape,
        layers=layers,
        parameters=setup.model.table.size,
    )


def _data(setup: Setup) -> DataEntry:
    data = setup.data
    return DataEntry(
        description=data.description,
        problem_type=setup.outputs.problem_type,
        features=data.features,
        targets=data.targets,
        classes=data.classes,
        examples={name: len(part.x) for name, part in setup.splits.items()},
        scaling=data.scaling.to_json(),
        magnitude=_magnitude(data.train.x, data.scaling.padding),
        codes=data.codes,
        is_weighted=data.is_weighted,
        class_weights=setup.outputs.class_weights_by_name,
        outputs=setup.outputs.entries,
        warnings=setup.warnings,
    )


def _magnitude(x: np.ndarray, padding: Sequence[Padding]) -> float:
    """The root mean square of the largest input feature, over at most 2000 rows, padding being 0."""
    rows = x[:: max(1, len(x) // 1000)]
    rows = np.where(find_padding(rows, padding), 0.0, rows.astype(np.float64))
    return float(np.sqrt(np.mean(rows * rows, axis=0).max()))
