"""Measure how time grows with the number of examples, and the memory of a large table."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts.benchmark.children import ROOT, ChildError, Spec, environment, python, started
from scripts.benchmark.nnjit_config import write_config
from scripts.benchmark.race import race
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import LARGE_TABLE, Workload

EXAMPLES = (1_024, 10_240, 102_400, 1_024_000)
QUICK_EXAMPLES = EXAMPLES[:3]
MOST_RATIO = 1.5  # longest / shortest time per example
MOST_OVER = 64e6  # bytes beyond data and params; half of a second copy would be 200e6
ROW = 8 + 4  # bytes per row besides its numbers: its index in the order, and its weight


def run(settings: Settings) -> dict[str, Any]:
    """Measure both, but memory only without `--quick`."""
    return {"time": _time(settings)} | ({} if settings.quick else {"memory": _memory()})


def _time(settings: Settings) -> dict[str, Any]:
    examples = QUICK_EXAMPLES if settings.quick else EXAMPLES
    specs = {f"rows-{rows}": Spec("nnjit", "tabular", rows=rows) for rows in examples}
    with started(specs, settings.logs) as (children, missing):
        if missing:
            raise ChildError("; ".join(missing.values()))
        rounds = race(children, settings).seconds
    batch = next(iter(specs.values())).training.batch or 1
    each = {rows: statistics.median(r) / batch for rows, r in zip(examples, rounds.values(), strict=True)}
    ratio = max(each.values()) / min(each.values())
    cells = [[f"{rows:,}", number(seconds * rows), number(seconds * 1e9)] for rows, seconds in each.items()]
    print("\nGrowth: an epoch of tabular by its examples")
    print(aligned(("examples", "s an epoch", "ns an example"), cells))
    is_flat = ratio <= MOST_RATIO
    print(f"  longest / shortest {ratio:.2f}, at most {MOST_RATIO}: {verdict(is_flat)}", flush=True)
    return {"seconds_per_example": each, "ratio": ratio, "most": MOST_RATIO, "reached": is_flat}


def _memory() -> dict[str, Any]:
    workload = LARGE_TABLE
    with tempfile.TemporaryDirectory(prefix="nnjit-bench-") as folder:
        few = replace(workload, rows=10 * (workload.batch or 1))
        paths = [_write(few, Path(folder) / "small"), _write(workload, Path(folder) / "large")]
        taken = int(_output(python("-m", "scripts.benchmark.memory", *map(str, paths))))
    parts = _expected(workload)
    over = taken - sum(parts.values())
    row, is_reached = {"taken": taken, **parts, "over": over}, over <= MOST_OVER
    print(f"\nMemory: training on {workload.rows:,} × {workload.inputs} float32 numbers, {workload.network}")
    names = ("taken", *parts, "over")
    print(aligned(("", "MB"), [[name.replace("_", " "), f"{row[name] / 1e6:.1f}"] for name in names]))
    print(f"  over, at most {MOST_OVER / 1e6:.0f} MB: {verdict(is_reached)}", flush=True)
    return row | {"most": MOST_OVER, "reached": is_reached}


def _write(workload: Workload, folder: Path) -> Path:
    config = write_config(workload, folder, rows=workload.rows, epochs=2)
    path = folder / "config.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    return path


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise ChildError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _expected(workload: Workload) -> dict[str, int]:
    """Bytes of the data, of the params and Adam's slots, and of the buffers of two batches."""
    weights = sum(w.size for w in workload.initial_weights().values())
    units = workload.inputs + sum(o for _, o in workload.dense_layers.values())
    return {
        "data": workload.rows * (4 * (workload.inputs + 1) + ROW),
        "params_and_slots": 3 * 4 * weights,
        "two_batches": 2 * 4 * (workload.batch or workload.rows) * 2 * units,
    }
