"""Continue a finished training for one epoch on other rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.codegen import ThreadTeam, aligned_copy
from nnjit.data import Dataset, Part, Prepared
from nnjit.data.fitting import Block, fit_center
from nnjit.data.weights import as_type
from nnjit.errors import ConfigError, Diverged
from nnjit.experiment import Experiment
from nnjit.runs.status import Status
from nnjit.training.loop.divergence import NotFinite
from nnjit.training.loop.epochs import EpochRunner
from nnjit.training.loop.in_memory import Dump, run_in_memory
from nnjit.training.loop.recorders import MemoryRecorder
from nnjit.training.loop.stopping import Outcome, Stopping
from nnjit.training.run import Run
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup, batches_of, set_up_on
from nnjit.training.setup.state import State
from nnjit.training.setup.threads import one_blas_thread

_ENDINGS = ("early_stopping", "target", "max_seconds", "keep", "checkpoints")


def train_on(run: Run, x: Any, y: Any, weights: Any = None, *, dump: Dump) -> Run:
    """Train the network of a run for one more epoch, on other rows, and write nothing.

    Inputs are encoded and scaled as in the run. Weights, optimizer and schedule continue from its end.

    Args:
        x, y, weights: rows with targets, as for `Run.evaluate`.
        dump: writes the config if the new run is saved.

    Raises:
        UserError: an argument does not fit. Diverged: a value is not finite; the run is unchanged.
    """
    began = time.perf_counter()
    if run.experiment.optimizer.full_batch is not None:
        raise ConfigError("a full-batch method cannot continue on other rows; use another", ("optimizer",))
    setup = set_up_on(_prepared(run, *run.with_targets(x, y, weights)), {}, _experiment(run))
    if run.experiment.optimizer.learning_rate == "find":
        setup = replace(setup, learning_rate=run.metrics["found_learning_rate"])
    EpochRunner.prepare(setup)
    state, recorder = _state(run, setup), MemoryRecorder(setup)
    recorder.write(state, _rows_of(run.history))
    with ThreadTeam(setup.compiled.threads) as team, one_blas_thread():
        stopping = Stopping(setup, recorder.history)
        try:
            span = EpochRunner(setup, team, lambda: False).run(state, stopping.learning_rate)
        except NotFinite as error:
            raise Diverged(str(error), None) from None
    assert span is not None  # nothing stops it
    recorder.write(span.state, span.history)
    return run_in_memory(setup, Outcome(span.state, Status.COMPLETED), recorder, began, dump, Path())


def _experiment(run: Run) -> Experiment:
    """The run's experiment, without the options that end training."""
    training = run.experiment.training.model_copy(update=dict.fromkeys(_ENDINGS))
    return run.experiment.model_copy(update={"training": training})


def _state(run: Run, setup: Setup) -> State:
    """The state at the end of a run, ready for the next epoch."""
    end = run.contents_or_folder.state(setup.blank_state())
    theta = aligned_copy(end.theta)
    before = batches_of(run.experiment, run.data.examples["train"]).steps
    offset = end.offset + end.epoch * (before - setup.steps)
    made = State.initial(theta, end.slots, "")
    return replace(made, epoch=end.epoch, offset=offset)


def _rows_of(history: Mapping[str, np.ndarray]) -> Columns:
    """The history for a recorder, without columns that have no values."""
    found = {name: values for name, values in history.items() if not np.isnan(values).all()}
    return found | {"epoch": history["epoch"].astype(int)}


def _prepared(run: Run, x: np.ndarray, data: Dataset) -> Prepared:
    """Prepare rows as the training part.

    Args:
        x: the inputs, encoded and scaled.
    """
    dtype, scaling, y = run.experiment.dtype, run.decoder.scaling, np.asarray(data.y[:])
    weights = np.ones(len(y), dtype) if data.weights is None else as_type(data.weights, dtype)
    center = None
    if data.classes is None:
        own = (y.dtype,) if scaling.targets else (y.dtype, np.dtype(dtype))

        def blocks() -> Iterator[Block]:
            yield Block(y.astype(np.float64))

        center = fit_center(blocks, *own)
        y = np.ascontiguousarray(scaling.transform_targets(y), dtype)
    return Prepared(
        classes=data.classes,
        features=run.features,
        targets=data.targets,
        description=run.data.description,
        train=Part(np.ascontiguousarray(x, dtype), y, weights),
        validation=None,
        test=None,
        scaling=scaling,
        input_shape=run.compiled.task.model.input_shape,
        output_size=data.output_size,
        is_weighted=data.weights is not None,
        center=center,
        encoder=run.encoder,
    )
