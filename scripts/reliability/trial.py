"""One try: break a training run, then check that it can be finished with the bits of an unbroken one."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from scripts.reliability.child import NNJIT, Child, Ended
from scripts.reliability.comparison import differences
from scripts.reliability.hook import Fault


class Verdict(StrEnum):
    """The result of a try; all but the first two are failures."""

    RIGHT = "right"
    CLEAN = "clean message"
    LOST = "lost"
    UNCLEAR = "unclear message"
    TRACEBACK = "traceback"
    CRASH = "crash"
    HANG = "hang"

    @property
    def is_failure(self) -> bool:
        return self not in (Verdict.RIGHT, Verdict.CLEAN)


class Failure(Exception):
    """A try failed."""

    def __init__(self, verdict: Verdict, detail: str) -> None:
        super().__init__(detail)
        self.verdict = verdict


@dataclass(frozen=True)
class Reference:
    """An unbroken run.

    Args:
        config: its config file.
        cache: its kernel cache.
        path: its run folder.
        operations: number of its file operations there; `compiling`, of those in an empty cache.
        seconds: from the first operation to the end.
        predicted: the output of the program `loading` for it.
    """

    config: Path
    cache: Path
    path: Path
    operations: int
    compiling: int
    seconds: float
    predicted: str


@dataclass(frozen=True)
class Trial:
    """A try of one fault with one training.

    Args:
        number: which of `count` tries of this fault with this training.
        folder: an empty folder.
        cache: its kernel cache.
        notes: further details for the message of a failure.
    """

    fault: str
    training: str
    number: int
    count: int
    seed: int
    folder: Path
    reference: Reference
    cache: Path
    notes: list[str] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)

    @cached_property
    def rng(self) -> random.Random:
        return random.Random(f"{self.seed} {self.fault} {self.training} {self.number}")

    @property
    def runs(self) -> Path:
        """Parent of the run folder, so creating the run folder counts as an operation."""
        return self.folder / "runs"

    @property
    def output(self) -> Path:
        """The run folder."""
        return self.runs / "run"

    def spread(self, total: int) -> int:
        """An index below `total`: over all tries, every one; with fewer tries, evenly spread ones."""
        if self.count >= total:
            return self.number % total
        return min(int((self.number + self.rng.random()) * total / self.count), total - 1)

    def moment(self) -> float:
        """A random time in seconds after the first file operation."""
        return self.rng.uniform(0, self.reference.seconds)

    def start(self, fault: Fault | None = None) -> Child:
        """Start the training, or resume it."""
        given = ["--config", str(self.reference.config), "--output", str(self.output)]
        return self.run_command("train", *given, "--resume-or-start", fault=fault)

    def run_command(self, *words: str, fault: Fault | None = None, python: Sequence[str] = NNJIT) -> Child:
        """Start an nnjit command, or another Python program."""
        log = self.folder / f"{len(self.children)}.log"
        child = Child(words, cache=self.cache, log=log, fault=fault, python=python)
        self.children.append(child)
        return child

    def break_at(self, operation: int, *, signal: int) -> Ended:
        """Train or resume, and send the process a signal at an operation."""
        self.notes.append(f"signal {signal} at operation {operation}")
        fault = Fault((str(self.runs),), operation=operation, signal=signal)
        return check(self.start(fault).wait(), signal)

    def break_after(self, seconds: float, *, signal: int) -> Ended:
        """Train or resume, and send the process a signal some time after its first operation."""
        self.notes.append(f"signal {signal} after {seconds:.3f} s")
        fault = Fault((str(self.runs),), seconds=seconds, signal=signal)
        return check(self.start(fault).wait(), signal)

    def finish(self) -> None:
        """Finish the training; its bits must equal the reference's.

        Raises:
            Failure: they differ, or it does not finish.
        """
        ended = check(self.start().wait())
        if ended.status != 0:
            raise Failure(Verdict.LOST, f"it cannot be finished: exit {ended.status}: {ended.last_line}")
        self.compare()

    def compare(self, *, ignored: str = "") -> None:
        """Compare the run with the reference, apart from an ignored file; raise Failure if it differs."""
        if found := differences(self.reference.path, self.output, ignored=ignored):
            raise Failure(Verdict.LOST, "; ".join(found))


def check(ended: Ended, signal: int = 0) -> Ended:
    """Raise Failure if a command hung, crashed, or printed a traceback.

    Args:
        signal: the signal that ended it on purpose.
    """
    if ended.status is None:
        raise Failure(Verdict.HANG, "it does not end")
    if "Traceback (most recent call last)" in ended.text:
        raise Failure(Verdict.TRACEBACK, ended.last_line)
    if ended.status < 0 and -ended.status != signal:
        raise Failure(Verdict.CRASH, f"signal {-ended.status}: {ended.last_line}")
    return ended


def check_message(ended: Ended, *names: str) -> Verdict:
    """Check that a command refused with exit status 2 and a message that names one of these."""
    if ended.status != 2:
        raise Failure(Verdict.LOST, f"exit {ended.status}: {ended.last_line}")
    if not any(name in ended.text for name in names):
        raise Failure(Verdict.UNCLEAR, f"the message does not name {names[0]}: {ended.last_line}")
    return Verdict.CLEAN


def read_tally(path: Path) -> tuple[int, float]:
    """Read the number of operations and the seconds that a hook counted."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["operations"], found["seconds"]
