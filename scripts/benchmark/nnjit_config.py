"""Write a workload as an nnjit config, with its data and initial weights in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from scripts.benchmark.workloads import CHECKED_STEPS, SEED, Workload


def write_config(workload: Workload, folder: Path, *, rows: int, **training: Any) -> dict[str, Any]:
    """Write the first rows of the data and the weights to `folder`, and return the config that uses them.

    Args:
        training: further options of `training`, besides the batch size.
    """
    x, y = workload.examples(workload.rows)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "data.npz", x=x[:rows], y=y[:rows])
    save_file(workload.initial_weights() | workload.initial_state(), folder / "weights.safetensors")
    task = "classification" if workload.is_classification else "regression"
    return {
        "name": workload.name,
        "seed": SEED,
        "data": {"type": "npz", "file": str(folder / "data.npz"), "task": task},
        "model": {"layers": workload.layers, "initial_weights": str(folder / "weights.safetensors")},
        "loss": workload.loss,
        "optimizer": workload.optimizer,
        "metrics": [],
        "training": {"batch_size": workload.batch or "full", **training},
    }


def write_check(workload: Workload, folder: Path) -> dict[str, Any]:
    """Write the config of the first few steps, in the order of the data."""
    epochs = 1 if workload.batch else CHECKED_STEPS
    return write_config(workload, folder, rows=workload.checked_rows, epochs=epochs, shuffle=False)
