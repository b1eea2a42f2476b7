"""Time short training runs from start to result, repeated in one process or each in a new one."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.benchmark.children import ROOT, environment, python
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict

IRIS: dict[str, Any] = {
    "name": "iris",
    "data": {"type": "sklearn", "dataset": "iris", "split": {"validation": 0.2, "test": 0.2}},
    "model": [{"type": "dense", "units": 16, "activation": "relu"}, {"type": "dense", "units": 3}],
    "loss": "softmax_cross_entropy",
    "training": {"epochs": 50},
}
DIGITS: dict[str, Any] = {
    "name": "digits",
    "data": {"type": "sklearn", "dataset": "digits"},
    "model": [{"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 10}],
    "loss": "softmax_cross_entropy",
    "training": {"epochs": 30, "folds": 5},
}
TIMES = 9  # for a row that takes milliseconds


def run(settings: Settings) -> list[dict[str, Any]]:
    """Measure every row a few times, after a first run that compiles."""
    print("\nRepeated runs: seconds from start to result", flush=True)
    with tempfile.TemporaryDirectory(prefix="nnjit-bench-") as folder:
        results = [*_in_process(Path(folder)), *_processes(Path(folder), settings.rounds)]
    print(aligned(("", "s", "at most", "", "scikit-learn"), [_cells(row) for row in results]), flush=True)
    return results


def _in_process(folder: Path) -> list[dict[str, Any]]:
    """Another `fit` of a structure that this process has trained before, and scikit-learn's MLPClassifier."""
    import nnjit

    count = iter(range(10**6))

    def fit() -> None:
        nnjit.fit(IRIS, output=False)

    def fit_with_folder() -> None:
        nnjit.fit(IRIS, output=folder / f"run-{next(count)}")

    def folds() -> None:
        nnjit.fit(DIGITS, output=False)

    return [
        _row("a further fit of iris, no files", 0.005, _times(fit, TIMES), _sklearn_fit()),
        _row("the same with its run folder, no report", 0.025, _times(fit_with_folder, TIMES)),
        _row("5 folds of digits, a further time", 0.15, _times(folds, 3), _sklearn_folds()),
    ]


def _processes(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Whole commands, whose compiled programs are on disk."""
    cache = folder / "cache"

    def command(config: str, *settings: str, cache: Path = cache, status: int = 0) -> Callable[[], None]:
        def work() -> None:
            output = Path(tempfile.mkdtemp(dir=folder)) / "run"
            flags = [flag for setting in settings for flag in ("--set", setting)]
            arguments = ("--config", f"configs/{config}.yaml", "--output", str(output), "--quiet", *flags)
            given = environment(NNJIT_CACHE_DIR=str(cache))
            done = subprocess.run(
                python("-m", "nnjit.train", *arguments), cwd=ROOT, env=given, capture_output=True
            )
            if done.returncode != status:
                raise RuntimeError(done.stderr.decode())

        return work

    thousand, mistake = ("training.replicas=1000",), ("training.epochs=1",)
    empty = command("digits", *mistake, cache=folder / "empty", status=2)
    return [
        _row("100 replicas of xor, whole process", 1.5, _times(command("xor_replicas"), rounds)),
        _row("1,000 replicas of xor, whole process", 4, _times(command("xor_replicas", *thousand), rounds)),
        _row("configs/xor.yaml, whole process", 0.6, _times(command("xor"), rounds)),
        _row("configs/digits.yaml, whole process", 1.4, _times(command("digits"), rounds)),
        _row("an error in a config, whole process, empty cache", 0.5, _times(empty, rounds)),
    ]


def _times(work: Callable[[], None], count: int) -> list[float]:
    """Seconds of each run after the first."""
    work()
    found = []
    for _ in range(count):
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return found


def _sklearn_fit() -> float:
    from sklearn.datasets import load_iris
    from sklearn.neural_network import MLPClassifier

    x, y = load_iris(return_X_y=True)
    made = MLPClassifier((16,), batch_size=32, max_iter=50, n_iter_no_change=50, random_state=0)
    return _quietly(lambda: made.fit(x, y), TIMES)


def _sklearn_folds() -> float:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import cross_val_score
    from sklearn.neural_network import MLPClassifier

    x, y = load_digits(return_X_y=True)
    made = MLPClassifier((64,), batch_size=32, max_iter=30, n_iter_no_change=30, random_state=0)
    return _quietly(lambda: cross_val_score(made, x / 16, y, cv=5), 1)


def _quietly(work: Callable[[], Any], count: int) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that epochs are over
        return statistics.median(_times(lambda: (work(), None)[1], count))


def _row(what: str, most: float, rounds: list[float], theirs: float | None = None) -> dict[str, Any]:
    median = statistics.median(rounds)
    row = {"what": what, "rounds": rounds, "median": median, "most": most}
    return row | {"reached": median <= most, "theirs": theirs}


def _cells(row: dict[str, Any]) -> list[str]:
    theirs = "" if row["theirs"] is None else f"{row['theirs'] / row['median']:.1f}×"
    return [row["what"], number(row["median"]), f"{row['most']:g}", verdict(row["reached"]), theirs]
