"""Faults of a disk that is full for a while."""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.reliability.hook import Fault
from scripts.reliability.trial import Failure, Trial, Verdict, check

ALLOWED = (0, 1, 2)
LARGEST = 1_000_000
"""The largest size limit in bytes; all files of a run are smaller."""


def full_at_operation(trial: Trial) -> Verdict:
    """From a file operation on, each write fails for want of space."""
    operation = trial.spread(trial.reference.operations) + 1
    trial.notes.append(f"full at operation {operation}")
    return _fill(trial, Fault((str(trial.runs),), operation=operation, full=True))


def size_limit(trial: Trial) -> Verdict:
    """No file may be larger than a limit (`ulimit -f`)."""
    return _fill(trial, Fault(limit=_size(trial)))


def cold_size_limit(trial: Trial) -> Verdict:
    """No file may be larger than a limit while the kernel cache is filled; it must heal."""
    return _fill(trial, Fault(limit=_size(trial)))


def small_disk(trial: Trial) -> Verdict:
    """The run folder is on a small file system in memory, which is made larger later."""
    trial.runs.mkdir()
    with _mounted(trial.runs, _size(trial)):
        return _fill(trial, None)


def can_mount() -> bool:
    """Whether this process may mount a file system in memory."""
    try:
        with tempfile.TemporaryDirectory() as folder, _mounted(Path(folder), LARGEST):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def _fill(trial: Trial, fault: Fault | None) -> Verdict:
    """Train without space, then finish with space."""
    ended = check(trial.start(fault).wait())
    if ended.status not in ALLOWED:
        raise Failure(Verdict.LOST, f"exit {ended.status}: {ended.last_line}")
    if fault is None:
        _mount(trial.runs, "remount,size=64m")
    trial.finish()
    return Verdict.RIGHT


def _size(trial: Trial) -> int:
    """A random number of bytes, log-uniform."""
    size = round(math.exp(trial.rng.uniform(math.log(100), math.log(LARGEST))))
    trial.notes.append(f"{size} bytes")
    return size


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    _mount(folder, f"size={size}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def _mount(folder: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
