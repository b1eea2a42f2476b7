"""Time a search of 500 trials on digits, and the cost of a trial besides its training."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict

TRIALS, EPOCHS, GOAL = 500, 30, 60.0  # seconds on two cores
CONFIG: dict[str, Any] = {
    "name": "digits",
    "data": {"type": "sklearn", "dataset": "digits", "split": {"validation": 0.2, "test": 0.2}},
    "model": [
        {"type": "dense", "units": 64, "activation": "relu"},
        {"type": "dropout", "rate": 0.1},
        {"type": "dense", "units": 10},
    ],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam"},
    "training": {"epochs": EPOCHS},
}
SPACE = {
    "optimizer.learning_rate": {"log": [1e-4, 1e-1]},
    "optimizer.beta1": {"uniform": [0.8, 0.99]},
    "model[1].rate": {"uniform": [0.05, 0.5]},
}


def run(settings: Settings) -> dict[str, Any]:
    """Search with a few trials, which compiles, then with all."""
    import nnjit

    trials = TRIALS // 10 if settings.quick else TRIALS
    with TemporaryDirectory() as folder:
        for name, count in (("first", 4), ("all", trials)):
            config = CONFIG | {"search": {"trials": count, "space": SPACE}}
            wall, cpu = time.perf_counter(), time.process_time()
            found = nnjit.search(config, output=Path(folder) / name)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        history = found.run.history["train_seconds"]
    row = {
        "trials": trials, "wall": wall, "cpu": cpu, "ms_per_trial": 1000 * cpu / trials,
        "training_ms": 1000 * float(history.min()) * EPOCHS, "goal": GOAL * trials / TRIALS,
    }  # fmt: skip
    print("\nA search with TPE on digits, 64 units, 30 epochs, as many trials at a time as there are cores")
    print(aligned(
        ("trials", "seconds", "CPU seconds", "CPU ms a trial", "ms in epochs"),
        [[str(trials), *map(number, (wall, cpu, row["ms_per_trial"], row["training_ms"]))]],
    ))  # fmt: skip
    print(f"  at most {row['goal']:.0f} s: {verdict(wall <= row['goal'])}", flush=True)
    return row
