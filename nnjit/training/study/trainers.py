"""Train the members of a study from any thread, and write a folder for each or one table for all."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from nnjit.errors import DataError, RunError, reason
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.runs.aggregate import Result
from nnjit.runs.fingerprint import Fingerprint
from nnjit.runs.folder import mark_unfinished
from nnjit.runs.lock import lock_run
from nnjit.runs.members import MemberEntry, MemberRecord
from nnjit.training.loop.callbacks import Callbacks
from nnjit.training.loop.recorders import FileRecorder, MemoryRecorder
from nnjit.training.loop.records import Results, data_entry, describe, model_entry, saved_words, times
from nnjit.training.loop.resuming import (
    check_data,
    check_monitor,
    check_options,
    fingerprint_of,
    options_of,
    read_checkpoint,
    read_fingerprint,
    resumed,
)
from nnjit.training.loop.trainer import begin_or_restore, run_epochs, train_and_record
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.setup.state import State, restored
from nnjit.training.study.members import Members
from nnjit.training.study.table import MembersTable

Dump = Callable[[Experiment], str]
"""Turns an experiment into the text of its `config.yaml`."""


@dataclass(frozen=True)
class MemberTrainer(ABC):
    """Trains members one by one, from any thread.

    Args:
        first: the setup of the first member; replicas share its data and compiled programs.
        base: where relative paths in the experiments start.
        path: the folder of the study; None to write nothing.
    """

    members: Members
    first: Setup
    base: Path
    path: Path | None
    lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def folder(self) -> Path:
        """The folder of the study."""
        assert self.path is not None  # only used for writing
        return self.path

    def check(self, experiment: Experiment) -> Fingerprint:
        """Check that all members can be resumed, and return the fingerprint; nothing is written.

        A fold has the data of the first member; its rows are compared when its turn comes.

        Raises:
            RunError: a member cannot be resumed.
        """
        now = replace(fingerprint_of(self.first, self.base), options=options_of(experiment))
        is_begun = self.is_begun
        then = read_fingerprint(self.folder) if is_begun else Fingerprint.read_if_there(self.folder)
        if then is None:
            return now
        check_options(self.folder, then, experiment)
        check_data(self.folder, then, now)
        return resumed(then, now, experiment, min(self.epochs(), default=0))

    @property
    @abstractmethod
    def is_begun(self) -> bool:
        """Whether a member has saved an epoch."""

    @abstractmethod
    def epochs(self) -> Sequence[int]:
        """The epochs of all members that have saved one; a RunError if one cannot be resumed."""

    @abstractmethod
    def results_so_far(self) -> list[Result]:
        """The results of members that ended earlier."""

    def begin(self) -> None:
        """Write the shared files."""
        return

    @abstractmethod
    def train(self, index: int, callbacks: Callbacks) -> Result | None:
        """Train or resume a member; None if all were stopped before it began."""

    def setup(self, index: int) -> Setup:
        """The setup of a member, with its own memory for everything that it changes."""
        member = self.members.experiments[index]
        if index == 0:
            return self.first
        if self.members.kind == "replicas":
            return replace(self.first, experiment=member, compiled=self.first.compiled.twin())
        with self.lock:  # one at a time, so other cores keep training
            return set_up(member, self.base)


@dataclass(frozen=True)
class FolderTrainer(MemberTrainer):
    """Writes a run folder for each member.

    Args:
        dump: writes the configs for the folders.
    """

    dump: Dump

    def run_folder(self, index: int) -> Path:
        """The run folder of a member."""
        return self.folder / self.members.kind / file_names.member(index + 1)

    @property
    def _begun(self) -> list[int]:
        places = range(self.members.count)
        return [k for k in places if (self.run_folder(k) / file_names.CHECKPOINT).exists()]

    @property
    def is_begun(self) -> bool:
        return bool(self._begun)

    def epochs(self) -> Sequence[int]:
        epochs = []
        for index in self._begun:
            member = replace(self.first, experiment=self.members.experiments[index])
            setup, state = read_checkpoint(member, self.run_folder(index))
            FileRecorder.at(setup, self.run_folder(index), state)  # checks the rows so far
            epochs.append(state.epoch)
        return epochs

    def results_so_far(self) -> list[Result]:
        results = []
        for index, member in enumerate(self.members.experiments):
            with suppress(RunError):  # metrics that are missing or damaged are written again
                results.append(Result.read(self.run_folder(index), index + 1, member.seed))
        return results

    def begin(self) -> None:
        (self.folder / self.members.kind).mkdir(exist_ok=True)

    def train(self, index: int, callbacks: Callbacks) -> Result | None:
        if callbacks.is_stopped():
            return None
        began = time.perf_counter()
        setup, path = self.setup(index), self.run_folder(index)
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


@dataclass(frozen=True)
class TableTrainer(MemberTrainer):
    """Writes the results of all members to one table.

    Args:
        baselines: the metrics of the shared baseline, once they are known.
    """

    table: MembersTable
    baselines: list[Mapping[str, float]] = field(default_factory=list, init=False)

    @property
    def is_begun(self) -> bool:
        return bool(self.table.entries)

    def epochs(self) -> Sequence[int]:
        like = self.first.blank_state()
        return [self._restored(like, entry).epoch for entry in self.table.entries.values()]

    def _restored(self, like: State, entry: MemberEntry) -> State:
        """The state that a member continues from."""
        with self.table.reading():
            state = restored(like, entry.state, entry.record.facts)
            if any(len(column) != state.epoch for column in entry.history.values()):
                raise ValueError(f"the history of member {entry.record.number} is not that of its state")
        if self.path is not None:
            check_monitor(self.path, state.monitor, like.monitor)
        return state

    def results_so_far(self) -> list[Result]:
        records = (entry.record for entry in self.table.sorted)
        return [Result(r.number, r.seed, r.metrics) for r in records if r.metrics is not None]

    def begin(self) -> None:
        model_entry(self.first).write(self.folder)
        data_entry(self.first).write(self.folder)
        loaded = self.first.begin(self.base)[1]
        if loaded is not None:
            loaded.write(self.folder)

    def train(self, index: int, callbacks: Callbacks) -> Result | None:
        if callbacks.is_stopped():
            return None
        began, setup, entry = time.perf_counter(), self.setup(index), self.table.entries.get(index + 1)
        state = (
            setup.initial_state(self.base) if entry is None else self._restored(setup.blank_state(), entry)
        )
        seed = setup.experiment.seed

        def save(now: State, history: Mapping[str, np.ndarray]) -> None:
            record = MemberRecord(index + 1, seed, now.facts())
            self.table.put(self._entry(setup, record, history, now.theta, now), is_last=False)

        recorder = MemoryRecorder(setup, None if entry is None else entry.history, save)
        callbacks.begin(setup.experiment, self.place(index), recorder.so_far)
        try:
            outcome = run_epochs(setup, recorder, state, callbacks, began)
            results = Results.of(setup, outcome)
            history, earlier = recorder.history, {"compile": 0.0, "wall": 0.0}
            if entry is not None and entry.record.metrics is not None:
                earlier |= entry.record.metrics.seconds
            seconds = times(setup, history["train_seconds"], began, earlier)
            metrics = results.metrics(results.splits(), seconds, self._baseline(results))
            data = None if self._shares_data else data_entry(results.setup)
            record = MemberRecord(index + 1, seed, outcome.state.facts(), metrics, data)
            self.table.put(self._entry(setup, record, history, results.theta, outcome.state), is_last=True)
        except DataError as error:
            raise RunError(f"the training stopped: {error.message}") from error
        except OSError as error:
            raise RunError(
                f"the training stopped: {self.path} cannot be written ({reason(error)})"
            ) from error
        return Result(index + 1, seed, metrics)

    def place(self, index: int) -> Path | None:
        """The path that identifies a member to followers: its folder, if it had one."""
        return None if self.path is None else self.path / self.members.kind / file_names.member(index + 1)

    @property
    def _shares_data(self) -> bool:
        """Whether all members share the description of the data."""
        return self.members.kind == "replicas" and self.first.experiment.threshold is None

    def _baseline(self, results: Results) -> Mapping[str, float]:
        """The metrics of a member's baseline."""
        if not self._shares_data:
            return results.of_baseline()
        if not self.baselines:
            self.baselines.append(results.of_baseline())
        return self.baselines[0]

    @staticmethod
    def _entry(
        setup: Setup,
        record: MemberRecord,
        history: Mapping[str, np.ndarray],
        theta: np.ndarray,
        state: State,
    ) -> MemberEntry:
        weights = {name: array.copy() for name, array in setup.model.arrays.unflatten(theta).items()}
        state = state.copy()
        return MemberEntry(record, history, weights, state.arrays())
