"""Write the files of a run folder that describe a setup and its results: all but history and checkpoint."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nnjit.cores import usable_cores
from nnjit.data import AnyPart, Padding, find_padding
from nnjit.durable import replace_files
from nnjit.errors import DataWarning, NnjitError, reason
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry, OutputEntry
from nnjit.runs.environment import Environment
from nnjit.runs.file_names import BEST, CHECKPOINT, HISTORY, LAST, METRICS, PREDICTIONS, REPORT
from nnjit.runs.fingerprint import Fingerprint
from nnjit.runs.history import read_history
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import RunMetrics, SplitValues, Weights, earlier_seconds, headline_split
from nnjit.runs.model import LayerEntry, ModelEntry
from nnjit.runs.predictions import write_predictions
from nnjit.runs.status import Status
from nnjit.runs.weights import weights_bytes
from nnjit.training.graphs.decoding import JointDecoder, SingleDecoder
from nnjit.training.loop.explanation import explain
from nnjit.training.loop.stopping import Outcome
from nnjit.training.results.baseline import baseline
from nnjit.training.results.importance import importance
from nnjit.training.results.measuring import are_yes_or_no
from nnjit.training.results.predictions import predictions
from nnjit.training.results.threshold import values_at_threshold, with_threshold
from nnjit.training.setup.setup import Setup


def describe(
    setup: Setup, config: str, path: Path, fingerprint: Fingerprint, made: Iterable[JsonFile] = ()
) -> None:
    """Write the config, the fingerprint, the environment, the model and the data.

    Warns of problems with the data.

    Args:
        made: other files about the start: a learning rate search, loaded weights.
    """
    files: list[JsonFile] = [environment(), model_entry(setup), data_entry(setup), *made]
    _write(path, config, fingerprint, files)
    for text in setup.warnings:
        warnings.warn(text, DataWarning, stacklevel=2)


def write_environment(config: str, path: Path, fingerprint: Fingerprint) -> None:
    """Write the config, the fingerprint and the environment."""
    _write(path, config, fingerprint, [environment()])


def _write(path: Path, config: str, fingerprint: Fingerprint, files: Sequence[JsonFile]) -> None:
    """Write the config, headed by its changes, and then the files.

    The config comes first: if the process ends before the fingerprint is written, the change is found again.
    """
    described = {file.file_name: file.to_bytes() for file in (fingerprint, *files)}
    replace_files(path, {file_names.CONFIG: (fingerprint.comment + config).encode()} | described)


def environment() -> Environment:
    """The environment of this process."""
    return Environment.here(cores=usable_cores())


class Results(NamedTuple):
    """The results of a training.

    Args:
        setup: the setup with the threshold for its predictions.
        which: the weights that metrics and predictions belong to.
        best: the best weights; without a best epoch, the last ones.
    """

    setup: Setup
    outcome: Outcome
    which: Weights
    best: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, setup: Setup, outcome: Outcome) -> Results:
        """The results of a finished training.

        Raises:
            DataError: rows on the disk can no longer be read.
        """
        state, which = outcome.state, _kept(setup, outcome)
        last = setup.inference_theta(state)
        best = state.best_theta if state.best_epoch else last
        return cls(with_threshold(setup, best if which == "best" else last), outcome, which, best, last)

    @property
    def theta(self) -> np.ndarray:
        """The weights that metrics and predictions belong to."""
        return self.best if self.which == "best" else self.last

    def splits(self) -> dict[str, SplitValues]:
        """The values of each part of the data."""
        return {name: _values(self.setup, self.theta, name) for name in self.setup.splits}

    def metrics(
        self,
        splits: Mapping[str, SplitValues],
        seconds: Mapping[str, float],
        of_baseline: Mapping[str, float] | None = None,
    ) -> RunMetrics:
        """The final metrics.

        Args:
            of_baseline: the metrics of the baseline, if already known.
        """
        setup, outcome = self.setup, self.outcome
        experiment, state, monitor = setup.experiment, outcome.state, setup.monitor
        return RunMetrics(
            status=outcome.status,
            epochs=state.epoch,
            best_epoch=state.best_epoch or None,
            monitor=monitor.column if monitor is not None else "",
            mode=monitor.mode if monitor is not None else "min",
            weights=self.which,
            splits=splits,
            parameters=setup.model.table.size,
            seconds=seconds,
            found_learning_rate=setup.learning_rate if experiment.optimizer.learning_rate == "find" else None,
            averaging="" if experiment.averaging is None else experiment.averaging.type,
            message=outcome.message,
            baseline=self.of_baseline() if of_baseline is None else of_baseline,
        )

    def of_baseline(self) -> Mapping[str, float]:
        """The metrics of the baseline."""
        return baseline(self.setup, headline_split(self.setup.splits))


def write_results(setup: Setup, path: Path, outcome: Outcome, began: float, save: Callable[[], None]) -> str:
    """Write checkpoint, weights, the other results and, last, the metrics.

    If one file fails, the others are still written.

    Args:
        save: writes the history and the checkpoint.

    Returns:
        Why files could not be written; empty if all were.

    Raises:
        DataError: rows on the disk can no longer be read; the checkpoint is written.
    """
    not_saved = _problem(save)
    results = Results.of(setup, outcome)
    setup, theta, splits = results.setup, results.theta, results.splits()
    weights = {BEST: results.best, LAST: results.last}
    writers: tuple[Callable[[], None], ...] = (
        lambda: replace_files(
            path, {name: weights_bytes(setup.model.arrays.unflatten(w)) for name, w in weights.items()}
        ),
        lambda: _write_threshold(setup, path),
        lambda: write_predictions(path, predictions(setup, theta)),
        lambda: _write_importance(setup, theta, path),
        lambda: setup.compiled.save_kernels(path / file_names.KERNELS),
        lambda: explain(setup, setup.compiled.kernels).write(path),
        # Last, because the metrics mark the run as complete.
        lambda: results.metrics(splits, _seconds(setup, path, began)).write(path),
    )
    problems = (not_saved, *map(_problem, writers))
    return "; ".join(dict.fromkeys(problem for problem in problems if problem))


def _write_importance(setup: Setup, theta: np.ndarray, path: Path) -> None:
    """Write the importance of the input columns, if there are any."""
    found = importance(setup, theta)
    if found is not None:
        found.write(path)


def _write_threshold(setup: Setup, path: Path) -> None:
    """Add the threshold, if there is one, to the description of the data."""
    if _threshold(setup) is not None:
        data_entry(setup).write(path)


def _threshold(setup: Setup) -> float | None:
    return setup.decoder.threshold if isinstance(setup.decoder, SingleDecoder) else None


def _problem(write: Callable[[], None]) -> str:
    """Why a file could not be written; empty if it was."""
    try:
        write()
    except OSError as error:
        return reason(error)
    except NnjitError as error:
        return str(error)
    return ""


def saved_words(path: Path) -> str:
    """Say which results a run folder holds."""
    names = (HISTORY, CHECKPOINT, BEST, LAST, METRICS, PREDICTIONS, REPORT)
    saved = [name for name in names if (path / name).is_file()]
    return f"{path} holds {', '.join(saved)}" if saved else f"{path} holds no result"


def _kept(setup: Setup, outcome: Outcome) -> Weights:
    """The weights that metrics and predictions belong to."""
    if not outcome.state.best_epoch:
        return "last"
    chosen = setup.experiment.training.keep
    return chosen or ("last" if outcome.status is Status.TARGET_REACHED else "best")


def _seconds(setup: Setup, path: Path, began: float) -> dict[str, float]:
    """The times of all sessions of a run so far, read before their metrics are overwritten.

    A killed session left no metrics, so only its epochs count.
    """
    train = read_history(path)["train_seconds"]
    return times(setup, train, began, earlier_seconds(path / file_names.METRICS))


def times(
    setup: Setup, train_seconds: np.ndarray, began: float, earlier: Mapping[str, float]
) -> dict[str, float]:
    """The seconds for compiling, for training and in total.

    Args:
        train_seconds: the time of each epoch.
        began: when this session began.
        earlier: the times of earlier sessions.
    """
    train = float(train_seconds.sum())
    compiled = earlier["compile"] + setup.compiled.compile_seconds
    wall = max(earlier["wall"] + time.perf_counter() - began, compiled + train)
    return {name: round(v, 6) for name, v in (("compile", compiled), ("train", train), ("wall", wall))}


def _values(setup: Setup, theta: np.ndarray, name: str) -> SplitValues:
    part = setup.splits[name]
    metrics = setup.compiled.evaluate(theta, part) | values_at_threshold(setup, theta, part)
    return SplitValues(len(part), metrics.pop("loss"), metrics)


def model_entry(setup: Setup) -> ModelEntry:
    """Describe the model."""
    layers = tuple(
        LayerEntry(
            name=n.name,
            type=n.layer.type,
            inputs=n.inputs,
            input_shapes=n.input_shapes,
            output_shape=n.output_shape,
            parameters={p.name: p.shape for p in n.params},
            state={p.name: p.shape for p in n.state},
            options=n.layer.model_dump(exclude={"type", "name", "from_", "trainable"}, exclude_none=True),
            is_frozen=n.is_frozen,
        )
        for n in setup.model.nodes
    )
    return ModelEntry(
        loss=setup.outputs.loss_words,
        optimizer=setup.experiment.optimizer.type,
        input_shape=setup.model.input_shape,
        layers=layers,
        parameters=setup.model.table.size,
        frozen=setup.model.frozen_params,
    )


def data_entry(setup: Setup) -> DataEntry:
    """Describe the data."""
    data = setup.data
    return DataEntry(
        description=data.description,
        problem_type=setup.outputs.problem_type,
        features=data.features,
        targets=data.targets,
        classes=data.classes,
        examples={name: len(part) for name, part in setup.splits.items()},
        scaling=data.scaling.to_json(),
        magnitude=_magnitude(data.train, data.scaling.padding),
        class_counts=_class_counts(setup),
        threshold=_threshold(setup),
        codes=data.codes,
        is_weighted=data.is_weighted,
        class_weights=setup.outputs.class_weights_by_name,
        outputs=_entries(setup),
        has_labels=_has_labels(setup),
        warnings=setup.warnings,
        columns=() if data.encoder is None else tuple(data.encoder.to_json()),
        notes=data.notes,
        naive=data.naive,
    )


def _entries(setup: Setup) -> tuple[OutputEntry, ...]:
    """The entries of several outputs, which tell whether their targets are labels."""
    if not isinstance(setup.decoder, JointDecoder):
        return ()
    pairs = zip(setup.outputs.entries, setup.decoder.outputs, strict=True)
    y = setup.data.train.all_targets
    return tuple(
        replace(e, has_labels=e.classes is None and are_yes_or_no(o.loss, np.asarray(o.truth(y))))
        for e, o in pairs
    )


def _has_labels(setup: Setup) -> bool:
    """Whether the targets of a single output are labels."""
    decoder = setup.decoder
    if not isinstance(decoder, SingleDecoder) or decoder.classes is not None:
        return False
    return are_yes_or_no(setup.task.loss, decoder.targets(setup.data.train.all_targets))


def _class_counts(setup: Setup) -> dict[str, tuple[int, ...]]:
    """The number of rows of each class, by part; empty if the targets are values, or several."""
    classes = setup.data.classes
    if classes is None:
        return {}
    counts = {
        name: np.bincount(part.all_targets, minlength=len(classes)) for name, part in setup.splits.items()
    }
    return {name: tuple(found.tolist()) for name, found in counts.items()}


def _magnitude(train: AnyPart, padding: Sequence[Padding]) -> float:
    """The root mean square of the largest input feature, over at most 2000 rows, with padding set to 0."""
    rows = train.take(slice(None, None, max(1, len(train) // min(1000, train.most_at_once)))).x
    rows = np.where(find_padding(rows, padding), 0.0, rows.astype(np.float64))
    return float(np.sqrt(np.mean(rows * rows, axis=0).max()))
