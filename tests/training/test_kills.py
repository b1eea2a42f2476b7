"""A training killed at any file operation leaves a folder that resumes to the bits of an unbroken run."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nnjit import api, config
from nnjit.experiment import Experiment
from nnjit.runs import file_names
from nnjit.training.loop import epochs, recorders, trainer
from nnjit.training.setup import setup as setups
from nnjit.training.study import parallel, trainers
from tests.training.conftest import LINE, same_bits

CHANGES = ("os.mkdir", "os.remove", "os.rename")
WRITES = os.O_WRONLY | os.O_RDWR


class Killed(BaseException):
    """Simulates kill -9: the process writes nothing after this."""


class Killer:
    """Counts the operations that change something below a folder, and refuses all from the chosen one on."""

    def __init__(self) -> None:
        self.folder, self.left = "", sys.maxsize

    def hook(self, event: str, given: tuple[Any, ...]) -> None:
        """Be told of every operation of the process (PEP 578)."""
        if not self.folder or not self._changes(event, given):
            return
        self.left -= 1
        if self.left < 0:
            raise Killed

    def _changes(self, event: str, given: tuple[Any, ...]) -> bool:
        changes = event in CHANGES or (event == "open" and given[2] & WRITES)
        return changes and os.path.abspath(os.fsdecode(given[0])).startswith(self.folder)


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """The only killer of this process, because a hook cannot be removed."""
    killer = Killer()
    sys.addaudithook(killer.hook)
    yield killer
    killer.folder = ""


@pytest.fixture
def kill_at(killer: Killer, tmp_path: Path) -> Callable[[int], None]:
    """Plan to be killed at the k-th change of the folder `run`; from 0."""

    def plan(k: int) -> None:
        killer.folder, killer.left = str(tmp_path / "run"), k

    return plan


@pytest.fixture(autouse=True)
def _prepare_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share the slow preparations between trainings of the same experiment."""

    def once(function: Callable[..., Any]) -> Callable[..., Any]:
        known: dict[str, Any] = {}

        def call(experiment: Experiment, *given: Any) -> Any:
            key = experiment.model_dump_json()
            if key not in known:
                known[key] = function(experiment, *given)
            return known[key]

        return call

    set_up = once(setups.set_up)
    for module in (trainer, parallel, trainers):
        monkeypatch.setattr(module, "set_up", set_up)
    monkeypatch.setattr(config, "dump", once(config.dump))
    monkeypatch.setattr(epochs, "CALL_SECONDS", 0.0)  # one epoch per span
    monkeypatch.setattr(recorders, "SECONDS", 0.0)
    monkeypatch.setattr("nnjit.training.study.parallel.usable_cores", lambda: 1)  # one member at a time


def run(path: str, given: config.Config) -> Path:
    """Train or resume, without a report."""
    options: dict[str, Any] = {"resume_or_start": True, "quiet": True, "write_report": lambda folder: None}
    return api.run(given, output=Path(path), **options).path


# fmt: off
TRAININGS = {  # the settings, the place of the weights, and the operations: every n-th
    "a run":    (["training.checkpoints={every: 2, keep: 1}"], ["."], 1),
    "a search": (["optimizer.learning_rate=find"], ["."], 4),
    "replicas": (["training.replicas=2", "training.members=folders"], ["replicas/1", "replicas/2"], 5),
}
# fmt: on


@pytest.mark.parametrize("kind", TRAININGS)
def test_a_kill_at_any_file_operation_loses_nothing(
    kind: str, folder: Path, kill_at: Callable[[int], None]
) -> None:
    settings, members, every = TRAININGS[kind]
    given = config.read(LINE, ["training.epochs=3", *settings])
    run("whole", given)
    for k in itertools.count(0, every):
        kill_at(k)
        try:
            run("run", given)
            break
        except Killed:
            kill_at(sys.maxsize)
        path = run("run", given)
        for member in members:
            same_bits(folder / "whole" / member, path / member)
        assert names(path) == names(folder / "whole"), k
        os.rename(path, folder / f"run {k}")
    assert k > 25


@pytest.mark.parametrize(
    ("settings", "every"),
    [([], 2), (["training.replicas=2", "training.members=folders"], 9)],
    ids=["run", "study"],
)
def test_a_kill_of_a_resumed_training_loses_nothing(
    settings: list[str], every: int, folder: Path, kill_at: Callable[[int], None]
) -> None:
    short, long = (config.read(LINE, [f"training.epochs={epochs}", *settings]) for epochs in (2, 4))
    run("whole", long)
    run("short", short)
    weights = sorted(path.relative_to(folder / "whole") for path in Path(folder / "whole").rglob("last.*"))
    for k in itertools.count(0, every):
        shutil.copytree("short", "run")
        kill_at(k)
        try:
            run("run", long)
            break
        except Killed:
            kill_at(sys.maxsize)
        assert api.load("run").history["epoch"].size >= 2  # nothing is lost
        run("run", long)
        for file in weights:
            same_bits((folder / "whole" / file).parent, (folder / "run" / file).parent)
        assert api.load("run").metrics["status"] == "completed"
        os.rename("run", f"run {k}")
    assert k > 15


def names(path: Path) -> set[str]:
    """All files but the lock, which remains if its removal was refused."""
    return {file.relative_to(path).as_posix() for file in path.rglob("*")} - {file_names.LOCK}
