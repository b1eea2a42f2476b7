"""Several trainings of one experiment side by side, a Python thread and a native one for each.

Native calls run without the GIL, so threads share the cores as processes would, but import, load the data
and compile once: 16 replicas of `configs/digits.yaml` take 14 times the processor time of one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from nnjit.codegen import usable_cores
from nnjit.errors import Diverged, Interrupted
from nnjit.experiment import Experiment
from nnjit.runs.environment import environment
from nnjit.runs.writing import write_atomically, write_json
from nnjit.training.loop.rate_search import find_rate
from nnjit.training.loop.records import describe
from nnjit.training.loop.trainer import (
    Surroundings,
    alone,
    check_output,
    complete,
    make_folder,
    runner_of,
    saved,
)
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.setup.state import CHECKPOINT
from nnjit.training.study.aggregate import Result, aggregate
from nnjit.training.study.members import Members, told_of_members
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
    """Train the members of an experiment, and leave a folder with a run for each and the spread of all.

    Args:
        dump: writes the configs that are kept in the folders.
        folder: where relative paths in the experiment start; the current directory where None.
        output: the folder to make; `runs/<name>-<time>` where None.

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
    """Go on with each member of a study from its last saved epoch, and train those that were never begun.

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
    with told_of_members():
        first = set_up(members.experiments[0], base)
    first.initial_state(base)
    runner_of(first).prepare(first)
    _ = (
        first.compiled.evaluation,
        first.compiled.prediction,
    )  # compiled before there is a folder, lest a failure leave half of one
    path = make()
    if (path / members.kind / "1" / CHECKPOINT).exists():
        saved(first, path / members.kind / "1", base)  # an error is told before anything is written
    (path / members.kind).mkdir(exist_ok=True)
    write_json(path / "metrics.json", aggregate(members.kind, len(members.experiments), []))
    write_atomically(path / "config.yaml", dump(experiment))
    write_json(path / "environment.json", environment())
    first.compiled.save_kernels(path / "kernels")
    results = _train_all(_Pool(members, first, base, path, dump), _workers(experiment), quiet)
    content = aggregate(members.kind, len(members.experiments), results)
    times = {"compile": first.compiled.compile_seconds, "wall": time.perf_counter() - began}
    content["seconds"] |= {k: round(v, 6) for k, v in times.items()}
    write_json(path / "metrics.json", content)
    _raise_if_stopped(members, content["status"], results, path)
    return open_study(path, members)


def _raise_if_stopped(members: Members, status: str, results: list[Result], path: Path) -> None:
    count = len(members.experiments)
    if status == "diverged":
        message = f"all {count} {members.kind} diverged; the first: {results[0].metrics['message']}"
        raise Diverged(f"{message}\nthe runs so far are in {path}", path)
    if status == "interrupted":
        done = sum(result.is_finished for result in results)
        message = f"interrupted when {done} of {count} {members.kind} were done; they are in {path}"
        raise Interrupted(message, path)


@dataclass(frozen=True)
class _Pool:
    """What all members share: the first one's setup, and where they go."""

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
        with self.lock:  # so that a core is left to those that are trained meanwhile
            return set_up(member, self.base)

    def run_folder(self, index: int) -> Path:
        return self.path / self.members.kind / str(index + 1)


def _workers(experiment: Experiment) -> int:
    wanted = experiment.training.threads
    return usable_cores() if wanted == "auto" else wanted


def _train_all(company: _Pool, workers: int, quiet: bool) -> list[Result]:
    """The results of the members that were begun, in their order."""
    experiments = company.members.experiments
    total = sum(member.training.epochs for member in experiments)
    lock = threading.Lock()
    failed = threading.Event()
    done: dict[int, int] = {}
    with alone(0, total, quiet) as around, ThreadPoolExecutor(workers, "nnjit-member") as pool:

        def is_stopped() -> bool:
            return around.is_stopped() or failed.is_set()

        def work(index: int) -> Result | None:
            def show(epochs: int, figures: dict[str, float]) -> None:
                with lock:
                    done[index] = epochs
                    around.show(sum(done.values()), figures)

            try:
                return _train_one(company, index, Surroundings(is_stopped, show))
            except BaseException:
                failed.set()
                raise

        results = list(pool.map(work, range(len(experiments))))
    return [result for result in results if result is not None]


def _train_one(company: _Pool, index: int, surroundings: Surroundings) -> Result | None:
    """Train a member, or the rest of it; None where all were stopped before it began."""
    if surroundings.is_stopped():
        return None
    began = time.perf_counter()
    setup = company.setup(index)
    path, search = company.run_folder(index), None
    if (path / CHECKPOINT).exists():
        setup, state = saved(setup, path, company.base)
    else:
        state = setup.initial_state(company.base)
        setup, search = find_rate(setup, state)
        path.mkdir(parents=True, exist_ok=True)
    describe(setup, company.dump(setup.experiment), path)
    if search is not None:
        search.write(path)
    complete(setup, path, state, surroundings, began)
    return Result.read(path, index + 1, setup.experiment.seed)
