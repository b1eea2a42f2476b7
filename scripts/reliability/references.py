"""Train without faults, and keep the results for comparison."""

from __future__ import annotations

from pathlib import Path

from scripts.reliability.child import Child
from scripts.reliability.comparison import differences
from scripts.reliability.hook import Fault
from scripts.reliability.loading import LOADING
from scripts.reliability.trainings import write
from scripts.reliability.trial import Failure, Reference, Verdict, check, read_tally


def make_reference(training: str, folder: Path, cache: Path) -> Reference:
    """Train twice, first with a possibly empty cache, then with a filled one; both results must be equal.

    Args:
        folder: empty folder for the config and both runs.
        cache: the kernel cache.

    Raises:
        Failure: a run does not finish, or they differ.
    """
    config = write(training, folder)
    compiling, _ = _train(config, folder / "first", cache, counted=cache)
    operations, seconds = _train(config, folder / "second", cache, counted=folder / "second")
    path = folder / "second" / "run"
    if found := differences(folder / "first" / "run", path):
        raise Failure(Verdict.LOST, f"{training}: two runs without a fault differ: {'; '.join(found)}")
    predicted = check(
        Child([str(path)], cache=cache, log=folder / "load.log", fault=None, python=("-c", LOADING)).wait()
    )
    if predicted.status != 0:
        raise Failure(Verdict.LOST, f"{training}: it cannot predict: {predicted.last_line}")
    return Reference(config, cache, path, operations, compiling, seconds, predicted.text.strip())


def _train(config: Path, runs: Path, cache: Path, *, counted: Path) -> tuple[int, float]:
    """Train in `runs/run`; return the number of file operations in `counted`, and how long they took."""
    tally = runs.with_suffix(".json")
    fault = Fault((str(counted),), tally=str(tally))
    words = ["train", "--config", str(config), "--output", str(runs / "run"), "--resume-or-start"]
    ended = check(Child(words, cache=cache, log=runs.with_suffix(".log"), fault=fault).wait())
    if ended.status != 0:
        raise Failure(Verdict.LOST, f"{config}: exit {ended.status}: {ended.last_line}")
    return read_tally(tally)
