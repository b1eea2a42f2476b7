"""Train an experiment without a run folder: what a training leaves stays in memory until it is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.errors import DataError, Diverged, Interrupted, RunError
from nnjit.experiment import Experiment
from nnjit.nn import Model
from nnjit.runs.data import DataEntry
from nnjit.runs.json_file import JsonFile
from nnjit.runs.metrics import RunMetrics
from nnjit.runs.model import ModelEntry
from nnjit.runs.status import Status
from nnjit.runs.writing import as_read
from nnjit.training.contents import RunContents
from nnjit.training.loop.learning_rate_search import find_learning_rate
from nnjit.training.loop.recorders import FileRecorder, MemoryRecorder, runner_type
from nnjit.training.loop.records import Results, data_entry, describe, model_entry, times, write_results
from nnjit.training.loop.resuming import fingerprint_of
from nnjit.training.loop.trainer import (
    check_output,
    made_of,
    new_folder,
    process_callbacks,
    run_epochs,
    show_loaded,
)
from nnjit.training.run import Run
from nnjit.training.setup.setup import Setup, set_up

Dump = Callable[[Experiment], str]
"""An experiment as the text of its `config.yaml`."""


def train_in_memory(
    experiment: Experiment, dump: Dump, *, folder: Path | None = None, quiet: bool = True
) -> Run:
    """Train an experiment, and write nothing.

    Args:
        dump: writes the config, if the run is saved.
        folder: where relative paths in the experiment start; the current directory if None.

    Raises:
        UserError: something given does not fit.
        Diverged: a value is not finite. Interrupted: Ctrl-C, SIGTERM or SIGHUP. Nothing is left of either.
    """
    began, base = time.perf_counter(), folder or Path()
    setup = set_up(experiment, base)
    state, loaded = setup.begin(base)
    show_loaded(loaded, quiet)
    runner_type(setup).prepare(setup)
    setup, search = find_learning_rate(setup, state)
    recorder, last = MemoryRecorder(setup), experiment.training.epochs
    with process_callbacks(state.epoch, last, quiet) as callbacks:
        try:
            outcome = run_epochs(setup, recorder, state, callbacks, began)
        except DataError as error:
            raise RunError(f"the training stopped: {error.message}") from error
    if outcome.status is Status.DIVERGED:
        raise Diverged(outcome.message, None)
    if outcome.status is Status.INTERRUPTED:
        message = f"interrupted after epoch {outcome.state.epoch} of {last}; nothing was saved"
        raise Interrupted(message, None)
    results, data = Results.of(setup, outcome), setup.data
    seconds = times(setup, recorder.history["train_seconds"], began, {"compile": 0.0, "wall": 0.0})
    made = made_of(search, loaded)
    contents = MemoryContents(results, recorder, seconds, dump, base, made)
    return Run(None, experiment, setup.compiled, results.setup.decoder, data.features, data.encoder, contents)


@dataclass(frozen=True, eq=False)
class MemoryContents(RunContents):
    """What a training left that wrote nothing.

    Args:
        seconds: the times of the training.
        dump: writes the config.
        base: where relative paths in the experiment start.
        made: files about the beginning.
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
