"""Train an experiment without a run folder: its results stay in memory until they are saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.durable import replace_files
from nnjit.errors import DataError, Diverged, Interrupted, Raised, RunError
from nnjit.experiment import Experiment
from nnjit.nn import Model, ParamTable
from nnjit.progress.follower import Audience
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.environment import Environment
from nnjit.runs.history import HistoryFile
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.status import Status
from nnjit.runs.weights import weights_bytes
from nnjit.runs.writing import as_read
from nnjit.training.contents import RunContents
from nnjit.training.loop.callbacks import process_callbacks
from nnjit.training.loop.learning_rate_search import find_learning_rate
from nnjit.training.loop.recorders import FileRecorder, MemoryRecorder, runner_type
from nnjit.training.loop.records import (
    Results,
    data_entry,
    describe,
    environment,
    model_entry,
    times,
    write_results,
)
from nnjit.training.loop.resuming import fingerprint_of
from nnjit.training.loop.stopping import Outcome
from nnjit.training.loop.trainer import check_output, made_of, new_folder, run_epochs, show_loaded
from nnjit.training.run import Run
from nnjit.training.setup.initial_state import check_start
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.setup.state import State, state_bytes

Dump = Callable[[Experiment], str]
"""Turns an experiment into the text of its `config.yaml`."""


def train_in_memory(
    experiment: Experiment,
    dump: Dump,
    *,
    folder: Path | None = None,
    start: Run | None = None,
    audience: Audience | None = None,
) -> Run:
    """Train an experiment and write nothing.

    Args:
        dump: writes the config if the run is saved.
        folder: where relative paths in the experiment start; the current directory if None.
        start: a run of the same network whose weights to begin with; None draws or loads them.
        audience: who follows the training; nobody if None.

    Raises:
        UserError: an argument does not fit.
        Diverged: a value is not finite. Interrupted: Ctrl-C, SIGTERM or SIGHUP. Raised: a function of the
            user's raised an exception. In all these cases the training is lost.
    """
    began, base, audience = time.perf_counter(), folder or Path(), audience or Audience()
    audience.display.stage("loading the data")
    check_start(experiment, base)
    setup = set_up(experiment, base)
    state, loaded = setup.begin(base) if start is None else (setup.state_of(_weights(start, setup)), None)
    show_loaded(loaded, audience.display)
    audience.display.stage("compiling")
    runner_type(setup).prepare(setup)
    setup, search = find_learning_rate(setup, state)
    audience.display.stage("")
    recorder, last = MemoryRecorder(setup), experiment.training.epochs
    with process_callbacks(state.epoch, last, audience.display) as process:
        callbacks = replace(process, followers=audience.followers())
        callbacks.begin(experiment, None, recorder.so_far)
        try:
            outcome = run_epochs(setup, recorder, state, callbacks, began)
        except DataError as error:
            raise RunError(f"the training stopped: {error.message}") from error
    if outcome.status is Status.DIVERGED:
        raise Diverged(outcome.message, None)
    if audience.error is not None:
        raise Raised(audience.error, None)
    if outcome.status is Status.INTERRUPTED:
        message = f"interrupted after epoch {outcome.state.epoch} of {last}; nothing was saved"
        raise Interrupted(message, None)
    return run_in_memory(setup, outcome, recorder, began, dump, base, made_of(search, loaded))


def run_in_memory(
    setup: Setup,
    outcome: Outcome,
    recorder: MemoryRecorder,
    began: float,
    dump: Dump,
    base: Path,
    made: tuple[JsonFile, ...] = (),
) -> Run:
    """Make the run of a finished training; for the arguments see `MemoryContents`."""
    results, data = Results.of(setup, outcome), setup.data
    seconds = times(setup, recorder.history["train_seconds"], began, {"compile": 0.0, "wall": 0.0})
    contents = MemoryContents(results, recorder, seconds, dump, base, made)
    return Run(
        None, setup.experiment, setup.compiled, results.setup.decoder, data.features, data.encoder, contents
    )


def _weights(start: Run, setup: Setup) -> np.ndarray:
    """The weights of a run that has the same network as a setup."""
    known = start.compiled.task.model.arrays
    if [(e.name, e.shape) for e in known] != [(e.name, e.shape) for e in setup.model.arrays]:
        raise RunError("the run to start from has a different network; use the same layers")
    return start.theta.astype(setup.experiment.dtype)


@dataclass(frozen=True, eq=False)
class MemoryContents(RunContents):
    """The contents of a run that wrote nothing.

    Args:
        seconds: the times of the training.
        dump: writes the config.
        base: where relative paths in the experiment start.
        made: files about the start: a learning rate search, loaded weights.
    """

    results: Results
    recorder: MemoryRecorder
    seconds: Mapping[str, float]
    dump: Dump
    base: Path
    made: tuple[JsonFile, ...]

    @property
    def _setup(self) -> Setup:
        return self.results.setup

    def history(self) -> dict[str, np.ndarray]:
        return self.recorder.history

    def metrics(self) -> dict[str, Any]:
        return as_read(self._metrics.to_json())

    @cached_property
    def _metrics(self) -> RunMetrics:
        return self.results.metrics(self.results.splits(), self.seconds)

    def theta(self, model: Model) -> np.ndarray:
        return self.results.theta

    def data(self) -> DataEntry:
        return data_entry(self._setup).as_read()

    def model(self) -> ModelEntry:
        return model_entry(self._setup).as_read()

    def state(self, like: State) -> State:
        return self.results.outcome.state

    def carried(self) -> RunContents:
        setup = self._setup
        return CarriedContents(
            config=self.dump(setup.experiment),
            name=setup.experiment.name,
            files=(environment(), self.data(), self.model(), RunMetrics.from_json(self.metrics())),
            columns=self.recorder.history,
            best=self.results.best,
            last=self.results.last,
            table=setup.model.arrays,
            end=self.results.outcome.state,
        )

    def save(self, folder: Path) -> None:
        check_output(folder)
        setup, outcome = self._setup, self.results.outcome
        with new_folder(folder, setup.experiment.name) as path:
            describe(setup, self.dump(setup.experiment), path, fingerprint_of(setup, self.base), self.made)
            recorder = FileRecorder.of(setup, path, outcome.state, self.recorder.spans)
            began = time.perf_counter() - self.seconds["wall"]
            lacking = write_results(setup, path, outcome, began, save=lambda: recorder.save(outcome.state))
        if lacking:
            raise RunError(f"{folder}: not all results could be written ({lacking})")

    @property
    def place(self) -> str:
        return "in memory"


@dataclass(frozen=True, eq=False)
class CarriedContents(RunContents):
    """The contents of a run without its data; if saved, its folder has no predictions.

    Args:
        config: the content of `config.yaml`.
        name: the experiment's name.
        columns: the history.
        best, last: the weights.
        table: names the arrays in the weights.
        end: the state after the last epoch.
    """

    config: str
    name: str
    files: tuple[Environment, DataEntry, ModelEntry, RunMetrics]
    columns: Mapping[str, np.ndarray]
    best: np.ndarray
    last: np.ndarray
    table: ParamTable
    end: State

    def history(self) -> dict[str, np.ndarray]:
        return dict(self.columns)

    def metrics(self) -> dict[str, Any]:
        return self.files[3].to_json()

    def theta(self, model: Model) -> np.ndarray:
        return self.best if self.files[3].weights == "best" else self.last

    def data(self) -> DataEntry:
        return self.files[1]

    def model(self) -> ModelEntry:
        return self.files[2]

    def state(self, like: State) -> State:
        return self.end

    @property
    def place(self) -> str:
        return "in memory"

    def save(self, folder: Path) -> None:
        check_output(folder)
        with new_folder(folder, self.name) as path:
            history = HistoryFile(path, tuple(self.columns))
            history.write(_without_gaps(self.columns))
            weights = {file_names.BEST: self.best, file_names.LAST: self.last}
            arrays = {name: weights_bytes(self.table.unflatten(w)) for name, w in weights.items()}
            files = {file.file_name: file.to_bytes() for file in self.files}  # the metrics last
            state = {file_names.CHECKPOINT: state_bytes(self.end, history.contents)}
            config = {file_names.CONFIG: self.config.encode()}
            replace_files(path, config | history.contents | state | arrays | files)


def _without_gaps(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns that have values."""
    found = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    return found | {"epoch": columns["epoch"].astype(int)}
