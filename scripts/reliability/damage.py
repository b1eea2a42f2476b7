"""Faults that damage a file, which must be refused by a message that names it, or do no harm."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.reliability.loading import LOADING
from scripts.reliability.trial import Failure, Trial, Verdict, check, check_message


def _truncate(file: Path, rng: random.Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: rng.randrange(len(content)) if content else 0])


def _flip(file: Path, rng: random.Random) -> None:
    content = bytearray(file.read_bytes())
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def _empty(file: Path, rng: random.Random) -> None:
    file.write_bytes(b"")


def _foreign(file: Path, rng: random.Random) -> None:
    file.write_bytes(rng.randbytes(file.stat().st_size or 20))


def _remove(file: Path, rng: random.Random) -> None:
    file.unlink()


def _folder(file: Path, rng: random.Random) -> None:
    file.unlink()
    file.mkdir()


DAMAGES: Mapping[str, Callable[[Path, random.Random], None]] = {
    "truncated": _truncate,
    "a bit flipped": _flip,
    "empty": _empty,
    "foreign bytes": _foreign,
    "removed": _remove,
    "a folder instead": _folder,
}


def resumed(trial: Trial) -> Verdict:
    """A killed run with a damaged file is resumed."""
    last = trial.reference.operations
    trial.break_at(trial.rng.randint(last // 3, last - 1), signal=signal.SIGKILL)
    return _trained(trial, _damage(trial, trial.output))


def loaded(trial: Trial) -> Verdict:
    """A finished run with a damaged file predicts (`nnjit.load`)."""
    shutil.copytree(trial.reference.path, trial.output)
    damaged = _damage(trial, trial.output)
    ended = check(trial.run_command(str(trial.output), python=("-c", LOADING)).wait())
    if ended.status != 0:
        return check_message(ended, damaged.name)
    if ended.text.strip() != trial.reference.predicted:
        raise Failure(Verdict.LOST, "it predicts something else, without a word")
    return Verdict.RIGHT


def drawn(trial: Trial) -> Verdict:
    """The report of a finished run with a damaged file is drawn (`nnjit report`)."""
    shutil.copytree(trial.reference.path, trial.output)
    damaged = _damage(trial, trial.output)
    ended = check(trial.run_command("report", str(trial.output)).wait())
    return Verdict.RIGHT if ended.status == 0 else check_message(ended, damaged.name)


def cached(trial: Trial) -> Verdict:
    """A run starts with a damaged file in the kernel cache, which must heal."""
    shutil.copytree(trial.reference.cache, trial.cache)
    return _trained(trial, _damage(trial, trial.cache))


def _trained(trial: Trial, damaged: Path) -> Verdict:
    """Train or resume with a damaged file."""
    ended = check(trial.start().wait())
    if ended.status != 0:
        return check_message(ended, damaged.name)
    # A resumed run does not touch checkpoints kept before the damage.
    is_kept = damaged.parent.name == "checkpoints"
    trial.compare(ignored=str(damaged.relative_to(trial.output)) if is_kept else "")
    return Verdict.RIGHT


def _damage(trial: Trial, folder: Path) -> Path:
    """Damage one of the files in a folder, and return its path."""
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    number = trial.spread(len(files) * len(DAMAGES))
    file, (words, damage) = files[number // len(DAMAGES)], list(DAMAGES.items())[number % len(DAMAGES)]
    trial.notes.append(f"{file.relative_to(folder)} {words}")
    damage(file, trial.rng)
    return file
