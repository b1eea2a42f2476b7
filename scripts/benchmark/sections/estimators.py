"""Time scikit-learn's cross-validation and search with nnjit's estimators and with MLPClassifier."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict

GRID: Mapping[str, list[Any]] = {
    "hidden": [(16,), (32,), (64,), (32, 32)],
    "learning_rate": [3e-4, 1e-3, 3e-3, 1e-2],
    "penalty": [0.0, 1e-5, 1e-4],
}
AS_THEIRS = {"hidden": "hidden_layer_sizes", "learning_rate": "learning_rate_init", "penalty": "alpha"}
BATCH = 32
EPOCHS, SEARCH_EPOCHS = 30, 50


def run(settings: Settings) -> dict[str, Any]:
    """Time both with equal epochs and batches, after a first round that compiles."""
    rows = {name: _measured(name, *found, settings) for name, found in _tasks().items()}
    print("\nEstimators of scikit-learn, trained on rows in memory; CPU seconds, the least of several times")
    print(aligned(
        ("", "first", "nnjit", "MLPClassifier", "ratio", "score", "theirs"),
        [[name, *map(number, (r["first"], r["ours"], r["theirs"])), f"{r['ratio']:.1f}×",
          f"{r['score']:.3f}", f"{r['their_score']:.3f}"] for name, r in rows.items()],
    ))  # fmt: skip
    for name, row in rows.items():
        if row["goal"]:
            print(
                f"  {name}: at least {row['goal']:.0f}×: {verdict(row['ratio'] >= row['goal'])}", flush=True
            )
    return rows


def _tasks() -> dict[str, tuple[Callable[[], float], Callable[[], float], float]]:
    """The tasks: ours, theirs, and the speed-up that is the goal (0: none)."""
    from sklearn.datasets import load_breast_cancer, load_digits
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.neural_network import MLPClassifier

    from nnjit.sklearn import NetworkClassifier

    x, y = load_digits(return_X_y=True)
    xc, yc = load_breast_cancer(return_X_y=True)
    xc = (xc - xc.mean(axis=0)) / xc.std(axis=0)

    def ours(batch: int, epochs: int) -> NetworkClassifier:
        return NetworkClassifier(
            hidden=(64,), epochs=epochs, batch_size=batch, scale="none", random_state=0
        )  # fmt: skip

    def theirs(batch: int, epochs: int) -> MLPClassifier:
        return MLPClassifier(
            (64,), max_iter=epochs, batch_size=batch, n_iter_no_change=epochs, random_state=0
        )

    def score(made: Any) -> float:
        return float(cross_val_score(made, x / 16, y, cv=5).mean())

    def search(made: Any, grid: Mapping[str, list[Any]]) -> float:
        return float(GridSearchCV(made, grid, cv=5, refit=False).fit(xc, yc).best_score_)

    their_grid = {AS_THEIRS[name]: values for name, values in GRID.items()}
    their_grid["alpha"] = [2 * BATCH * value for value in GRID["penalty"]]
    return {
        f"digits, 5 folds, batches of {BATCH}": (
            lambda: score(ours(BATCH, EPOCHS)), lambda: score(theirs(BATCH, EPOCHS)), 8.0,
        ),
        "digits, 5 folds, batches of 200": (
            lambda: score(ours(200, EPOCHS)), lambda: score(theirs(200, EPOCHS)), 0.0,
        ),
        "breast cancer, 48 networks, 5 folds": (
            lambda: search(ours(BATCH, SEARCH_EPOCHS), GRID),
            lambda: search(theirs(BATCH, SEARCH_EPOCHS), their_grid), 10.0,
        ),
    }  # fmt: skip


def _measured(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], goal: float, settings: Settings
) -> dict[str, Any]:
    is_long = "networks" in name
    first, _ = _timed(ours, 1)
    mine, score = _timed(ours, settings.rounds)
    other, their_score = _timed(theirs, 1 if is_long else settings.rounds)
    return {
        "first": first, "ours": mine, "theirs": other, "ratio": other / mine,
        "score": score, "their_score": their_score, "goal": goal,
    }  # fmt: skip


def _timed(work: Callable[[], float], rounds: int) -> tuple[float, float]:
    """The least CPU time of some rounds, and the result of the work."""
    least, found = float("inf"), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that epochs are over
        for _ in range(rounds):
            begin = time.process_time()
            found = work()
            least = min(least, time.process_time() - begin)
    return least, found
