"""Train several members of one experiment in parallel, each in a Python thread of its own.

Native calls run without the GIL, so the threads use all cores, but import, load the data and compile only
once: 16 replicas of `configs/digits.yaml` take 14 times the processor time of one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nnjit.cores import usable_cores
from nnjit.errors import Diverged, Interrupted
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.runs.status import Status
from nnjit.training.loop.learning_rate_search import find_learning_rate
from nnjit.training.loop.records import describe, write_environment
from nnjit.training.loop.trainer import (
    Callbacks,
    check_output,
    make_folder,
    process_callbacks,
    restore_checkpoint,
    runner_type,
    train_and_record,
)
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.study.aggregate import Result, aggregate
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
    quiet: bool = True,
) -> Study:
    """Train the members of an experiment, and leave a folder with a run for each and the aggregates.

    Args:
        dump: writes the configs that are kept in the folders.
        folder: where relative paths in the experiment start; the current directory if None.
        output: the folder to make; `runs/<name>-<time>` if None.

    Raises:
        UserError: something given does not fit; nothing was written.
        Diverged: no member came to an end. Interrupted: Ctrl-C. Both leave a complete folder.
    """
    check_output(output)
    make = partial(make_folder, output, experiment.name)
    return _train_all_of(experiment, members, dump, folder, make, quiet)


def resume_members(
    path: Path,
    experiment: Experiment,
    members: Members,
    dump: Dump,
    *,
    folder: Path | None = None,
    quiet: bool = True,
) -> Study:
    """Resume each member of a study from its last saved epoch, and train those that were never begun.

    Args:
        experiment: the study's own, or with more epochs, or more replicas.

    Raises:
        RunError: the folder is not that of such a study. Others as `train_members`.
    """
    check_study(path, members)
    return _train_all_of(experiment, members, dump, folder, lambda: path, quiet)


def _train_all_of(
    experiment: Experiment,
    members: Members,
    dump: Dump,
    folder: Path | None,
    make: Callable[[], Path],
    quiet: bool,
) -> Study:
    began = time.perf_counter()
    base = folder or Path()
    with errors_at_folds():
        first = set_up(members.experiments[0], base)
    first.initial_state(base)
    runner_type(first).prepare(first)
    # Compiled before there is a folder, so that a failure does not leave an incomplete one.
    _ = first.compiled.evaluation, first.compiled.prediction
    path, count = make(), len(members.experiments)
    first_folder = path / members.kind / file_names.member(1)
    if (first_folder / file_names.CHECKPOINT).exists():
        restore_checkpoint(first, first_folder, base)  # raises its errors before anything is written
    (path / members.kind).mkdir(exist_ok=True)
    aggregate(members.kind, count, []).write(path)
    write_environment(dump(experiment), path)
    first.compiled.save_kernels(path / file_names.KERNELS)
    results = _train_all(_Pool(members, first, base, path, dump), _workers(experiment), quiet)
    metrics = aggregate(members.kind, count, results)
    times = {"compile": first.compiled.compile_seconds, "wall": time.perf_counter() - began}
    seconds = {**metrics.seconds, **{name: round(value, 6) for name, value in times.items()}}
    replace(metrics, seconds=seconds).write(path)
    _raise_if_stopped(members, metrics.status, results, path)
    return open_study(path, members)


def _raise_if_stopped(members: Members, status: Status, results: list[Result], path: Path) -> None:
    count = len(members.experiments)
    if status is Status.DIVERGED:
        message = f"all {count} {members.kind} diverged; the first: {results[0].metrics.message}"
        raise Diverged(f"{message}\nthe runs so far are in {path}", path)
    if status is Status.INTERRUPTED:
        done = sum(result.is_finished for result in results)
        message = f"interrupted when {done} of {count} {members.kind} were done; they are in {path}"
        raise Interrupted(message, path)


@dataclass(frozen=True)
class _Pool:
    """What all members share: the first one's setup, and where their folders are made."""

    members: Members
    first: Setup
    base: Path
    path: Path
    dump: Dump
    lock: threading.Lock = field(default_factory=threading.Lock)

    def setup(self, index: int) -> Setup:
        """The setup of a member, with memory of its own for what it changes."""
        member = self.members.experiments[index]
        if index == 0:
            return self.first
        if self.members.kind == "replicas":
            return replace(self.first, experiment=member, compiled=self.first.compiled.twin())
        with self.lock:  # one at a time, so that the other cores train meanwhile
            return set_up(member, self.base)

    def run_folder(self, index: int) -> Path:
        return self.path / self.members.kind / file_names.member(index + 1)


def _workers(experiment: Experiment) -> int:
    wanted = experiment.training.threads
    return usable_cores() if wanted == "auto" else wanted


def _train_all(pool: _Pool, workers: int, quiet: bool) -> list[Result]:
    """The results of the members that were begun, in their order."""
    experiments = pool.members.experiments
    total = sum(member.training.epochs for member in experiments)
    lock = threading.Lock()
    failed = threading.Event()
    done: dict[int, int] = {}
    with (
        process_callbacks(0, total, quiet) as shared,
        ThreadPoolExecutor(workers, "nnjit-member") as executor,
    ):

        def is_stopped() -> bool:
            return shared.is_stopped() or failed.is_set()

        def work(index: int) -> Result | None:
            def show(epochs: int, losses: dict[str, float]) -> None:
                with lock:
                    done[index] = epochs
                    shared.show(sum(done.values()), losses)

            try:
                return _train_one(pool, index, Callbacks(is_stopped, show))
            except BaseException:
                failed.set()
                raise

        results = list(executor.map(work, range(len(experiments))))
    return [result for result in results if result is not None]


def _train_one(pool: _Pool, index: int, callbacks: Callbacks) -> Result | None:
    """Train or resume a member; None if all were stopped before it began."""
    if callbacks.is_stopped():
        return None
    began = time.perf_counter()
    setup = pool.setup(index)
    path, search = pool.run_folder(index), None
    if (path / file_names.CHECKPOINT).exists():
        setup, state = restore_checkpoint(setup, path, pool.base)
    else:
        state = setup.initial_state(pool.base)
        setup, search = find_learning_rate(setup, state)
        path.mkdir(parents=True, exist_ok=True)
    describe(setup, pool.dump(setup.experiment), path)
    if search is not None:
        search.write(path)
    train_and_record(setup, path, state, callbacks, began)
    return Result.read(path, index + 1, setup.experiment.seed)
