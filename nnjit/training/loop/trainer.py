"""Train an experiment: run its epochs until something stops them, and write its run folder."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from nnjit import codegen
from nnjit.errors import DataError, Diverged, Incomplete, Interrupted, Raised, RunError, reason
from nnjit.experiment import Experiment
from nnjit.progress.display import Display
from nnjit.progress.follower import Audience
from nnjit.ranks import world
from nnjit.runs import file_names
from nnjit.runs.data import DataEntry
from nnjit.runs.fingerprint import Fingerprint
from nnjit.runs.folder import check_files, mark_unfinished
from nnjit.runs.initial_weights import LoadedWeights
from nnjit.runs.json_file import JsonFile
from nnjit.runs.lock import check_unlocked, lock_run
from nnjit.runs.status import Status
from nnjit.training.graphs.decoding import SingleDecoder
from nnjit.training.loop.callbacks import Callbacks, process_callbacks
from nnjit.training.loop.divergence import NotFinite
from nnjit.training.loop.learning_rate_search import find_learning_rate
from nnjit.training.loop.ranks.meeting import meet
from nnjit.training.loop.recorders import FileRecorder, Recorder, runner_type
from nnjit.training.loop.records import describe, saved_words, write_results
from nnjit.training.loop.resuming import (
    check_experiment,
    fingerprint_of,
    first_fingerprint,
    restore_checkpoint,
)
from nnjit.training.loop.stopping import Outcome, Stopping
from nnjit.training.run import Run
from nnjit.training.setup.initial_state import check_start
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.setup.state import State

CHECKPOINT_SECONDS = 20.0
RUNS = Path("runs")  # parent of run folders made without --output


def train(
    experiment: Experiment,
    config: str,
    *,
    folder: Path | None = None,
    output: Path | None = None,
    audience: Audience | None = None,
) -> Run:
    """Train an experiment and write its run folder.

    Args:
        config: the resolved config as text, kept in the run folder.
        folder: where relative paths in the experiment start; the current directory if None.
        output: the run folder; `runs/<name>-<time>` if None.
        audience: who follows the training; nobody if None.

    Raises:
        UserError: an argument does not fit; nothing was written.
        Diverged: a value is not finite. Interrupted: Ctrl-C, SIGTERM or SIGHUP. Raised: a function of the
            user's raised an exception. All of these leave a complete run folder.
    """
    began = time.perf_counter()
    base = folder or Path()
    audience = audience or Audience()
    check_output(output)
    audience.display.stage("loading the data")
    check_start(experiment, base)
    setup = set_up(experiment, base)
    state, loaded = setup.begin(base)
    show_loaded(loaded, audience.display)
    audience.display.stage("compiling")
    runner_type(setup).prepare(setup)  # before the folder is made, so a failure leaves none
    setup, state = meet(setup, state, base)
    setup, search = find_learning_rate(setup, state)
    audience.display.stage("")  # warnings may follow
    fingerprint = fingerprint_of(setup, base)
    with new_folder(output, experiment.name) as path:
        recorder = FileRecorder.at(setup, path, state)
        describe(setup, config, path, fingerprint, made_of(search, loaded))
        return _finish(setup, recorder, state, audience, began)


def resume(
    path: Path,
    experiment: Experiment,
    config: str,
    *,
    folder: Path | None = None,
    audience: Audience | None = None,
) -> Run:
    """Resume a run from its last saved epoch; the result is bit for bit that of an uninterrupted run.

    A run that was killed before it saved an epoch starts over.

    Args:
        experiment: the run's own, perhaps with changes that are allowed (`resuming.MAY_CHANGE`).
        audience: who follows the training; nobody if None.

    Raises:
        RunError: the run cannot continue like this, is damaged, or is being trained; nothing was written.
    """
    began = time.perf_counter()
    base = folder or Path()
    audience = audience or Audience()
    with lock_run(path):
        check_files(path)
        if has_saved(path):
            check_experiment(path, experiment)  # before the slow steps
        audience.display.stage("loading the data")
        begun = begin_or_restore(set_up(experiment, base), path, base)
        audience.display.stage("compiling")
        runner_type(begun.setup).prepare(begun.setup)
        audience.display.stage("")
        recorder = FileRecorder.at(begun.setup, path, begun.state)
        mark_unfinished(path)
        describe(begun.setup, config, path, begun.fingerprint, begun.made)
        return _finish(begun.setup, recorder, begun.state, audience, began)


class Begun(NamedTuple):
    """The start of a session, from the last checkpoint or from scratch.

    Args:
        setup: the setup with the learning rate that the run found, or finds now.
        made: files about the start, if the run starts now.
    """

    setup: Setup
    state: State
    fingerprint: Fingerprint
    made: tuple[JsonFile, ...] = ()


def begin_or_restore(setup: Setup, path: Path, base: Path) -> Begun:
    """Restore a run from its checkpoint, or start it; nothing is written.

    Raises:
        RunError: as for `restore_checkpoint`; or there are results, but the checkpoint is lost.
    """
    if has_saved(path):
        setup, state, fingerprint = restore_checkpoint(setup, path, base)
        return Begun(*meet(setup, state, base), fingerprint)
    fingerprint = first_fingerprint(setup, path, base)
    state, loaded = setup.begin(base)
    setup, state = meet(setup, state, base)
    setup, search = find_learning_rate(setup, state)
    return Begun(setup, state, fingerprint, made_of(search, loaded))


def made_of(*files: JsonFile | None) -> tuple[JsonFile, ...]:
    """The files that exist."""
    return tuple(file for file in files if file is not None)


def show_loaded(loaded: LoadedWeights | None, display: Display) -> None:
    """Show which weights were loaded, if any, before the training that depends on them."""
    if loaded is not None:
        display.say(["\n  ".join(loaded.lines)])


def has_saved(path: Path) -> bool:
    """Whether a run has saved an epoch: it has a checkpoint, or results whose checkpoint may be lost."""
    return any((path / name).exists() for name in (file_names.CHECKPOINT, file_names.LAST))


def _finish(setup: Setup, recorder: FileRecorder, state: State, audience: Audience, began: float) -> Run:
    last, path = setup.experiment.training.epochs, recorder.path
    with process_callbacks(state.epoch, last, audience.display) as process:
        callbacks = replace(process, followers=audience.followers())
        outcome = train_and_record(setup, recorder, state, callbacks, began)
    lacking = f"not all results could be written ({outcome.lacking}); {saved_words(path)}"
    if outcome.status is Status.DIVERGED:
        where = lacking if outcome.lacking else f"the run so far is in {path}"
        raise Diverged(f"{outcome.message}\n{where}", path)
    if audience.error is not None:
        raise Raised(audience.error, path)
    if outcome.status is Status.INTERRUPTED:
        where = lacking if outcome.lacking else f"saved in {path}"
        raise Interrupted(f"interrupted after epoch {outcome.state.epoch} of {last}; {where}", path)
    if outcome.lacking:
        raise Incomplete(f"the training is done, but {lacking}", path)
    decoder = setup.decoder
    if isinstance(decoder, SingleDecoder) and setup.experiment.threshold is not None:
        decoder = replace(decoder, threshold=DataEntry.read(path).threshold)
    data = setup.data
    return Run(path, setup.experiment, setup.compiled, decoder, data.features, data.encoder)


def train_and_record(
    setup: Setup, recorder: FileRecorder, state: State, callbacks: Callbacks, began: float
) -> Outcome:
    """Train from a state, and write the checkpoint and the results, however the training ends.

    Raises:
        RunError: the folder can no longer be written, or rows on the disk can no longer be read.
    """
    path = recorder.path
    callbacks.begin(setup.experiment, path, recorder.so_far)
    try:
        outcome = run_epochs(setup, recorder, state, callbacks, began)
        world().has_ended = True
        lacking = write_results(setup, path, outcome, began, save=lambda: recorder.save(outcome.state))
    except DataError as error:
        raise RunError(f"the training stopped: {error.message}; {saved_words(path)}") from error
    except OSError as error:
        raise RunError(
            f"the training stopped: {path} cannot be written ({reason(error)}); {saved_words(path)}"
        ) from error
    return outcome._replace(lacking=lacking)


def run_epochs(setup: Setup, recorder: Recorder, state: State, callbacks: Callbacks, began: float) -> Outcome:
    """Run and record the epochs after a state until something stops them.

    Raises:
        DataError: rows on the disk can no longer be read. OSError: the record cannot be written.
    """
    options, saved, ranks = setup.experiment.training, time.perf_counter(), world()
    end = math.inf if options.max_seconds is None else began + options.max_seconds
    with codegen.ThreadTeam(setup.compiled.threads) as team:
        stopping = Stopping(setup, ranks.of_first(recorder.so_far))
        runner = runner_type(setup)(
            setup,
            team,
            lambda: ranks.any(callbacks.is_stopped() or time.perf_counter() > end)[0],
            min(recorder.longest_span, callbacks.most_epochs),
        )
        while state.epoch < options.epochs and stopping.status(state) is None:
            try:
                span = runner.run(state, stopping.learning_rate)
            except NotFinite as error:
                return Outcome(state, Status.DIVERGED, str(error))
            except DataError:
                recorder.save(state)
                raise
            if span is None:
                (is_stopped,) = ranks.any(callbacks.is_stopped())
                return Outcome(state, Status.INTERRUPTED if is_stopped else Status.OUT_OF_TIME)
            state = span.state
            stopping.follow(span.history)
            recorder.write(state, span.history)
            callbacks.follow(state.epoch, span.history)
            has_error, are_stopping = ranks.any(callbacks.error is not None, callbacks.are_stopping)
            if has_error:
                return Outcome(state, Status.INTERRUPTED)
            patience = min(CHECKPOINT_SECONDS, recorder.patience)
            if time.perf_counter() - saved > patience or callbacks.want_files:
                recorder.save(state)
                saved = time.perf_counter()
                callbacks.saved()
            if span.stop_reason:
                return Outcome(state, Status.CONVERGED, span.stop_reason)
            if are_stopping and state.epoch < options.epochs:
                return Outcome(state, stopping.status(state) or Status.STOPPED)
    return Outcome(state, stopping.status(state) or Status.COMPLETED)


def check_output(output: Path | None) -> None:
    """Raise a RunError if the requested run folder exists already or cannot be made."""
    if output is not None and output.exists():
        if output.is_dir():
            check_unlocked(output)
        raise RunError(f"{output} exists already, and a run is never overwritten; choose another --output")
    path = output or RUNS / "x"
    parent = next((parent for parent in path.parents if parent.exists()), None)
    if parent is None:  # a drive of Windows that is not there
        raise RunError(f"{path}: the run folder cannot be made (there is no {path.anchor})")
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        problem = "Permission denied" if parent.is_dir() else "Not a directory"
        raise RunError(f"{output or RUNS}: the run folder cannot be made ({problem})")


@contextmanager
def new_folder(output: Path | None, name: str) -> Iterator[Path]:
    """Make the run folder and hold its lock."""
    path = _make_folder(output, name)
    with lock_run(path):
        yield path


def _make_folder(output: Path | None, name: str) -> Path:
    """Make the run folder; if its name is taken, a number after the time makes it unique."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    candidates = [output] if output else [RUNS / f"{name}-{stamp}{f'-{k}' if k else ''}" for k in range(100)]
    for path in candidates:
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            check_output(output)
        except OSError as error:
            raise RunError(f"{path}: the run folder cannot be made ({error.strerror})") from None
    raise RunError(
        f"{candidates[-1]} exists already, and a run is never overwritten; choose another --output"
    )
