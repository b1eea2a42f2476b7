"""Train the members of a study in parallel, each in a Python thread of its own.

Native calls run without the GIL, so the threads use all cores, but import, load the data and compile only
once: 16 replicas of `configs/digits.yaml` take 14 times the processor time of one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from nnjit.cores import usable_cores
from nnjit.errors import Diverged, Interrupted, Raised, RunError
from nnjit.experiment import Experiment
from nnjit.progress.display import Display
from nnjit.progress.follower import Audience
from nnjit.runs import file_names
from nnjit.runs.aggregate import Result, aggregate
from nnjit.runs.fingerprint import Fingerprint
from nnjit.runs.folder import check_files, mark_unfinished
from nnjit.runs.lock import lock_run
from nnjit.runs.metrics import earlier_seconds
from nnjit.runs.status import Status
from nnjit.training.loop.callbacks import Callbacks, process_callbacks
from nnjit.training.loop.recorders import FileRecorder, runner_type
from nnjit.training.loop.records import describe, saved_words, write_environment
from nnjit.training.loop.resuming import (
    check_data,
    check_options,
    fingerprint_of,
    options_of,
    read_checkpoint,
    read_fingerprint,
    resumed,
)
from nnjit.training.loop.trainer import (
    begin_or_restore,
    check_output,
    new_folder,
    show_loaded,
    train_and_record,
)
from nnjit.training.setup.checks.memory import check_state
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.study.members import Members, errors_at_folds
from nnjit.training.study.study import Study, check_study, open_study

Dump = Callable[[Experiment], str]
"""An experiment as the text of its `config.yaml`."""


def train_members(
    experiment: Experiment,
    members: Members,
    dump: Dump,
    *,
    folder: Path | None = None,
    output: Path | None = None,
    audience: Audience | None = None,
) -> Study:
    """Train the members of a study, and leave a folder with a run for each and their aggregates.

    Args:
        dump: writes the configs that are kept in the folders.
        folder: where relative paths in the experiment start; the current directory if None.
        output: the folder to make; `runs/<name>-<time>` if None.
        audience: who is told how it goes; nobody if None.

    Raises:
        UserError: something given does not fit; nothing was written.
        Diverged: every member diverged. Interrupted: a signal. Raised: a function of the user's has raised
            something. All leave a complete folder.
    """
    check_output(output)
    place = new_folder(output, experiment.name)
    return _train_study(experiment, members, dump, folder, place, audience or Audience())


def resume_members(
    path: Path,
    experiment: Experiment,
    members: Members,
    dump: Dump,
    *,
    folder: Path | None = None,
    audience: Audience | None = None,
) -> Study:
    """Resume each member of a study from its last saved epoch, and train those that were never begun.

    Args:
        experiment: the study's own, or with more epochs, or more replicas.

    Raises:
        RunError: the folder is not that of such a study. Others as `train_members`.
    """
    with lock_run(path):
        check_files(path)
        check_study(path, members)
        place = nullcontext(path)
        return _train_study(experiment, members, dump, folder, place, audience or Audience())


def _train_study(
    experiment: Experiment,
    members: Members,
    dump: Dump,
    folder: Path | None,
    place: AbstractContextManager[Path],
    audience: Audience,
) -> Study:
    """Train or resume the members in a folder that is made and locked by now or then, and aggregate them."""
    began = time.perf_counter()
    base = folder or Path()
    first, workers = _set_up_first(members, base, audience.display), min(_workers(experiment), members.count)
    check_state(first.task, workers)
    with place as path:
        trainer = _MemberTrainer(members, first, base, path, dump)
        fingerprint = trainer.check(experiment)
        so_far = aggregate(members.kind, members.count, trainer.results_so_far())
        earlier = earlier_seconds(path / file_names.METRICS)
        mark_unfinished(path)
        write_environment(dump(experiment), path, fingerprint)
        replace(so_far, status=Status.INTERRUPTED, seconds={**so_far.seconds, **earlier}).write(path)
        (path / members.kind).mkdir(exist_ok=True)
        first.compiled.save_kernels(path / file_names.KERNELS)
        results = _train_all(trainer, workers, audience)
        metrics = aggregate(members.kind, members.count, results)
        times = {"compile": first.compiled.compile_seconds, "wall": time.perf_counter() - began}
        total = {name: round(earlier[name] + value, 6) for name, value in times.items()}
        replace(metrics, seconds={**metrics.seconds, **total}).write(path)
    if audience.error is not None:
        raise Raised(audience.error, path)
    _raise_if_stopped(members, metrics.status, results, path)
    return open_study(path, members)


def _set_up_first(members: Members, base: Path, display: Display) -> Setup:
    """The first member's setup, compiled: before there is a folder, so that a failure leaves none."""
    display.stage("loading the data")
    with errors_at_folds():
        setup = set_up(members.experiments[0], base)
    show_loaded(setup.begin(base)[1], display)
    display.stage("compiling")
    runner_type(setup).prepare(setup)
    _ = setup.compiled.evaluation, setup.compiled.prediction
    _ = setup.compiled.program("logits") if setup.task.wholes else None
    display.stage("")
    return setup


def _raise_if_stopped(members: Members, status: Status, results: list[Result], path: Path) -> None:
    if status is Status.DIVERGED:
        message = f"all {members.count} {members.kind} diverged; the first: {results[0].metrics.message}"
        raise Diverged(f"{message}\nthe runs so far are in {path}", path)
    if status is Status.INTERRUPTED:
        done = sum(result.is_finished for result in results)
        message = f"interrupted when {done} of {members.count} {members.kind} were done; they are in {path}"
        raise Interrupted(message, path)


@dataclass(frozen=True)
class _MemberTrainer:
    """Trains members one by one, from any thread.

    Args:
        first: the setup of the first member, whose data and compiled programs replicas use too.
        base: where relative paths in the experiments start.
        path: the folder of the study.
    """

    members: Members
    first: Setup
    base: Path
    path: Path
    dump: Dump
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run_folder(self, index: int) -> Path:
        """The run folder of a member."""
        return self.path / self.members.kind / file_names.member(index + 1)

    def is_begun(self, index: int) -> bool:
        """Whether a member has a checkpoint to resume from."""
        return (self.run_folder(index) / file_names.CHECKPOINT).exists()

    def check(self, experiment: Experiment) -> Fingerprint:
        """The fingerprint of the study, all of whose members can be resumed; nothing is written.

        The data of a fold is that of the first member, and its rows are compared when its turn comes.

        Raises:
            RunError: one cannot.
        """
        now = replace(fingerprint_of(self.first, self.base), options=options_of(experiment))
        begun = [index for index in range(self.members.count) if self.is_begun(index)]
        then = read_fingerprint(self.path) if begun else Fingerprint.read_if_there(self.path)
        if then is None:
            return now
        check_options(self.path, then, experiment)
        check_data(self.path, then, now)
        epochs = []
        for index in begun:
            member = replace(self.first, experiment=self.members.experiments[index])
            setup, state = read_checkpoint(member, self.run_folder(index))
            FileRecorder.at(setup, self.run_folder(index), state)  # reads what it goes on with
            epochs.append(state.epoch)
        return resumed(then, now, experiment, min(epochs, default=0))

    def results_so_far(self) -> list[Result]:
        """The results of members that ended before."""
        results = []
        for index, member in enumerate(self.members.experiments):
            with suppress(RunError):  # it did not, or its metrics are damaged and written again
                results.append(Result.read(self.run_folder(index), index + 1, member.seed))
        return results

    def train(self, index: int, callbacks: Callbacks) -> Result | None:
        """Train or resume a member; None if all were stopped before it began."""
        if callbacks.is_stopped():
            return None
        began = time.perf_counter()
        setup, path = self._setup(index), self.run_folder(index)
        path.mkdir(parents=True, exist_ok=True)
        with lock_run(path):
            begun = begin_or_restore(setup, path, self.base)
            setup = begun.setup
            recorder = FileRecorder.at(setup, path, begun.state)
            mark_unfinished(path)
            describe(setup, self.dump(setup.experiment), path, begun.fingerprint, begun.made)
            outcome = train_and_record(setup, recorder, begun.state, callbacks, began)
        if outcome.lacking:
            raise RunError(f"not all results could be written ({outcome.lacking}); {saved_words(path)}")
        return Result.read(path, index + 1, setup.experiment.seed)

    def _setup(self, index: int) -> Setup:
        """The setup of a member, with memory of its own for what it changes."""
        member = self.members.experiments[index]
        if index == 0:
            return self.first
        if self.members.kind == "replicas":
            return replace(self.first, experiment=member, compiled=self.first.compiled.twin())
        with self.lock:  # one at a time, so that the other cores train meanwhile
            return set_up(member, self.base)


def _workers(experiment: Experiment) -> int:
    wanted = experiment.training.threads
    return usable_cores() if wanted == "auto" else wanted


def _train_all(trainer: _MemberTrainer, workers: int, audience: Audience) -> list[Result]:
    """The results of the members that were begun, in their order."""
    experiments = trainer.members.experiments
    total = sum(member.training.epochs for member in experiments)
    lock = threading.Lock()
    failed = threading.Event()
    done: dict[int, int] = {}
    with (
        process_callbacks(0, total, audience.display) as callbacks,
        ThreadPoolExecutor(workers, "nnjit-member") as executor,
    ):

        def is_stopped() -> bool:
            return callbacks.is_stopped() or failed.is_set()

        def work(index: int) -> Result | None:
            def show(epochs: int, columns: Columns) -> None:
                with lock:
                    done[index] = epochs
                    audience.display.show(sum(done.values()), columns, index + 1)

            try:
                return trainer.train(index, Callbacks(is_stopped, show, audience.followers(), index + 1))
            except BaseException:
                failed.set()
                raise
            finally:
                if audience.error is not None:
                    failed.set()

        results = list(executor.map(work, range(len(experiments))))
    return [result for result in results if result is not None]
