"""Measure how many rows per second a trained network predicts, compared with the same products in NumPy."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict

INPUTS, UNITS = 14, 64
ROWS = 1_000_000
LEAST = 1e6  # rows per second in the forward pass


def run(settings: Settings) -> dict[str, Any]:
    """Time the forward pass of a 14-64-64-1 network on float32 rows."""
    import nnjit

    x = np.random.default_rng(0).normal(size=(ROWS, INPUTS)).astype(np.float32)
    dense = {"type": "dense", "units": UNITS, "activation": "relu"}
    config = {
        "data": {"type": "arrays"},
        "model": [dense, dense, {"type": "dense", "units": 1}],
        "loss": "squared_error",
        "training": {"epochs": 1, "diagnosis": False},
    }
    with tempfile.TemporaryDirectory(prefix="nnjit-bench-") as folder:
        trained = nnjit.fit(config, data=(x[:1000], x[:1000, :1]), output=Path(folder) / "run")
        assert isinstance(trained, nnjit.Run)
        weights = trained.compiled.task.model.table.unflatten(trained.theta)
        ours = _seconds(lambda: trained.forward(x), settings.rounds)
        theirs = _seconds(lambda: _with_numpy(x, list(weights.values())), settings.rounds)
    speed, ratio = ROWS / ours, theirs / ours
    is_reached = speed >= LEAST
    print(f"\nPrediction: {ROWS:,} rows of {INPUTS}-{UNITS}-{UNITS}-1, checked to be finite")
    print(aligned(("", "s", "rows/s"), [["nnjit", number(ours), f"{speed:,.0f}"],
                                        ["NumPy", number(theirs), f"{ROWS / theirs:,.0f}"]]))  # fmt: skip
    print(f"  at least {LEAST:,.0f} rows/s: {verdict(is_reached)}", flush=True)
    return {"rows_per_second": speed, "ratio_to_numpy": ratio, "least": LEAST, "reached": is_reached}


def _seconds(act: Callable[[], object], rounds: int) -> float:
    act()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _with_numpy(x: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Evaluate the same network; weights and biases alternate in `weights`."""
    a = x
    for k in range(0, len(weights), 2):
        a = a @ weights[k] + weights[k + 1]
        a = np.maximum(a, 0) if k < len(weights) - 2 else a
    return a
