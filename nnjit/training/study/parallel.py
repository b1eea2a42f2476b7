"""Train the members of a study in parallel, each in its own Python thread.

Native calls run without the GIL, so the threads use all cores but import, load the data and compile only
once: 16 replicas of `configs/digits.yaml` take 14 times the processor time of one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from nnjit.cluster.engine import Engine
from nnjit.cluster.opening import engine_of
from nnjit.cores import usable_cores
from nnjit.data import Readings
from nnjit.errors import Diverged, Interrupted, Raised
from nnjit.experiment import Experiment
from nnjit.progress.display import Display
from nnjit.progress.follower import Audience
from nnjit.runs import file_names
from nnjit.runs.aggregate import Result, aggregate
from nnjit.runs.folder import check_files, mark_unfinished
from nnjit.runs.lock import lock_run
from nnjit.runs.members import has_members
from nnjit.runs.metrics import earlier_seconds
from nnjit.runs.status import Status
from nnjit.runs.study import StudyMetrics
from nnjit.training.loop.callbacks import Callbacks, process_callbacks
from nnjit.training.loop.interruption import results_of
from nnjit.training.loop.recorders import runner_type
from nnjit.training.loop.records import data_entry, model_entry, write_environment
from nnjit.training.loop.trainer import check_output, new_folder, show_loaded
from nnjit.training.setup.checks.memory import check_state
from nnjit.training.setup.compiled_task import Columns
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.study.elsewhere import ClusterTrainer, StudyJob, check_elsewhere
from nnjit.training.study.members import Members, errors_at_folds
from nnjit.training.study.study import Study, check_study, open_study, study_of
from nnjit.training.study.table import MembersTable, fits_table
from nnjit.training.study.trainers import Dump, FolderTrainer, MemberTrainer, TableTrainer

SHORT = 0.02  # seconds; members that take longer on average run in parallel
NATIVE = 0.5  # fraction of their time in native code from which members run in parallel
RECENT = 16  # members to judge that by


def train_members(
    experiment: Experiment,
    members: Members,
    dump: Dump,
    *,
    folder: Path | None = None,
    output: Path | None = None,
    audience: Audience | None = None,
    engine: str | None = None,
) -> Study:
    """Train the members of a study, and write a folder with their runs and aggregates.

    Args:
        dump: writes the configs for the folders.
        folder: where relative paths in the experiment start; the current directory if None.
        output: the folder to make; `runs/<name>-<time>` if None.
        audience: who follows the training; nobody if None.
        engine: the address of a cluster that trains them; this process if None.

    Raises:
        UserError: an argument does not fit; nothing was written.
        Diverged: every member diverged. Interrupted: a signal. Raised: a function of the user's raised an
            exception. All of these leave a complete folder.
    """
    check_output(output)
    place = new_folder(output, experiment.name)
    return _train_study(experiment, members, dump, folder, place, audience or Audience(), engine)


def resume_members(
    path: Path,
    experiment: Experiment,
    members: Members,
    dump: Dump,
    *,
    folder: Path | None = None,
    audience: Audience | None = None,
    engine: str | None = None,
) -> Study:
    """Resume each member of a study from its last saved epoch, and train those that were never started.

    Args:
        experiment: the study's own, perhaps with more epochs or replicas.

    Raises:
        RunError: the folder is not that of such a study. Others as for `train_members`.
    """
    with lock_run(path):
        check_files(path)
        check_study(path, members)
        place = nullcontext(path)
        return _train_study(experiment, members, dump, folder, place, audience or Audience(), engine)


def train_members_in_memory(
    experiment: Experiment,
    members: Members,
    *,
    folder: Path | None = None,
    audience: Audience | None = None,
) -> Study:
    """Train the members of a study and write nothing. Errors as for `train_members`."""
    began, base, audience = time.perf_counter(), folder or Path(), audience or Audience()
    first, workers = _set_up_first(members, base, audience.display), min(_workers(experiment), members.count)
    table = MembersTable(members.kind)
    results = _train_all(TableTrainer(members, first, base, None, table), workers, audience)
    metrics = _with_times(aggregate(members.kind, members.count, results), first, began)
    if audience.error is not None:
        raise Raised(audience.error, None)
    _raise_if_stopped(members, metrics.status, results, None)
    data, model = data_entry(first), model_entry(first)
    return study_of(None, members, metrics, table.sorted, data, model)


def _train_study(
    experiment: Experiment,
    members: Members,
    dump: Dump,
    folder: Path | None,
    place: AbstractContextManager[Path],
    audience: Audience,
    address: str | None,
) -> Study:
    """Train or resume the members in a folder that `place` makes and locks, and aggregate them."""
    began = time.perf_counter()
    base = folder or Path()
    members, job = _shared(experiment, members, base)
    first, workers = _set_up_first(members, base, audience.display), _workers(experiment)
    if address is not None:
        check_elsewhere(members, is_table=fits_table(first, members.count))
    with engine_of(address, job, None, default=workers) as engine, place as path:
        workers = min(engine.slots, members.count)
        check_state(first.task, workers if address is None else 1)
        trainer = _trainer(members, first, base, path, dump, None if address is None else engine)
        fingerprint = trainer.check(experiment)
        so_far = aggregate(members.kind, members.count, trainer.results_so_far())
        earlier = earlier_seconds(path / file_names.METRICS)
        mark_unfinished(path)
        write_environment(dump(experiment), path, fingerprint)
        replace(so_far, status=Status.INTERRUPTED, seconds={**so_far.seconds, **earlier}).write(path)
        trainer.begin()
        first.compiled.save_kernels(path / file_names.KERNELS)
        try:
            results = _train_all(trainer, workers, audience)
        finally:
            if isinstance(trainer, TableTrainer):
                trainer.table.save()
        metrics = _with_times(aggregate(members.kind, members.count, results), first, began, earlier)
        metrics.write(path)
    if audience.error is not None:
        raise Raised(audience.error, path)
    _raise_if_stopped(members, metrics.status, results, path)
    if isinstance(trainer, TableTrainer):
        entries = trainer.table.sorted
        return study_of(path, members, metrics, entries, data_entry(first), model_entry(first))
    return open_study(path, members)


def _trainer(
    members: Members, first: Setup, base: Path, path: Path, dump: Dump, engine: Engine[StudyJob] | None
) -> FolderTrainer | TableTrainer:
    """The trainer for the members; resumed ones keep their form, folders or a table."""
    is_table = has_members(path) or not (path / members.kind).is_dir()
    is_table = is_table and (has_members(path) or fits_table(first, members.count))
    if engine is not None:
        check_elsewhere(members, is_table=is_table)
        return ClusterTrainer(members, first, base, path, MembersTable(members.kind, path), engine)
    if is_table:
        return TableTrainer(members, first, base, path, MembersTable(members.kind, path))
    return FolderTrainer(members, first, base, path, dump)


def _shared(experiment: Experiment, members: Members, base: Path) -> tuple[Members, StudyJob]:
    """The members, which read their data once, and their shared job."""
    readings = Readings()
    kept = tuple(member.keeping(readings) for member in members.experiments)
    return replace(members, experiments=kept), StudyJob(experiment, readings, base.absolute())


def _with_times(
    metrics: StudyMetrics, first: Setup, began: float, earlier: Mapping[str, float] | None = None
) -> StudyMetrics:
    """Add the times of all sessions to the metrics of a study that ends now."""
    spent = {"compile": first.compiled.compile_seconds, "wall": time.perf_counter() - began}
    total = {name: round((earlier or {}).get(name, 0.0) + value, 6) for name, value in spent.items()}
    return replace(metrics, seconds={**metrics.seconds, **total})


def _set_up_first(members: Members, base: Path, display: Display) -> Setup:
    """Set up and compile the first member, before the folder is made, so a failure leaves none."""
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


def _raise_if_stopped(members: Members, status: Status, results: list[Result], path: Path | None) -> None:
    if status is Status.DIVERGED:
        message = f"all {members.count} {members.kind} diverged; the first: {results[0].metrics.message}"
        raise Diverged(message if path is None else f"{message}\nthe runs so far are in {path}", path)
    if status is Status.INTERRUPTED:
        done = sum(result.is_finished for result in results)
        message = f"interrupted when {done} of {members.count} {members.kind} were done"
        message += "; nothing was saved" if path is None else f"; they are in {path}"
        raise Interrupted(message, path)


def _workers(experiment: Experiment) -> int:
    wanted = experiment.training.threads
    return usable_cores() if wanted == "auto" else wanted


def _train_all(trainer: MemberTrainer, workers: int, audience: Audience) -> list[Result]:
    """Train all members; return the results of those that were started, in order."""
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

        began, numbers = time.perf_counter(), iter(range(len(experiments)))
        begun: list[Future[Result | None]] = []
        for index in numbers:
            begun.append(executor.submit(work, index))
            if not isinstance(trainer, TableTrainer) or not _are_mostly_python(begun, began):
                break
        begun += [executor.submit(work, index) for index in numbers]
        results = results_of(begun)
    return [result for result in results if result is not None]


def _are_mostly_python(members: Sequence[Future[Result | None]], began: float) -> bool:
    """Whether members started one by one finish soon and spent little of that time in native code.

    Threads that share such members wait for each other in Python and take longer than one (xor: 1.4 x).
    """
    wait(members[-1:], timeout=max(0.0, began + SHORT * len(members) - time.perf_counter()))
    if not members[-1].done() or members[-1].exception() is not None:
        return False
    results = [result for member in members[-RECENT:] if (result := member.result()) is not None]
    native = sum(result.metrics.seconds["train"] for result in results)
    return native < NATIVE * sum(result.metrics.seconds["wall"] for result in results)
