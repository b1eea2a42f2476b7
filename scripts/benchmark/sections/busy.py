"""Check that on a machine in use, two threads take at most about as long as one."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.benchmark.children import Child, ChildError, Spec, python, started
from scripts.benchmark.race import race
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import LARGE_BATCH, MEDIUM, WORKLOADS, Workload

MOST, MOST_ALONE = 1.15, {LARGE_BATCH.name: 0.54}
"""Limits of the time of two threads relative to one: next to a busy process, and alone."""
HEADER = ("threads", "1: µs", "2: µs", "2 / 1", "goal", "")


def run(settings: Settings) -> list[dict[str, Any]]:
    """Time one and two threads, alone and next to a busy process."""
    print(f"\nBusy: two threads against one, next to a busy process, at most {MOST:.2f}", flush=True)
    chosen = (LARGE_BATCH, MEDIUM, WORKLOADS["tabular"], WORKLOADS["mlp128"])
    rows = [row for workload in chosen for row in _measure(workload, settings)]
    print(aligned(HEADER, [_cells(row) for row in rows]))
    return rows


def _measure(workload: Workload, settings: Settings) -> Iterator[dict[str, Any]]:
    specs = {f"busy-{n}": Spec("nnjit", workload.name, options={"threads": n}) for n in (1, 2)}
    with started(specs, settings.logs) as (children, missing):
        if missing:
            raise ChildError("; ".join(missing.values()))
        yield _row(workload, "alone", children, settings, MOST_ALONE.get(workload.name, 1.0))
        with _busy_process():
            yield _row(workload, "busy", children, settings, MOST)


def _row(
    workload: Workload, beside: str, children: dict[str, Child], settings: Settings, most: float
) -> dict[str, Any]:
    rounds = race(children, settings).seconds
    one, two = map(statistics.median, rounds.values())
    row = {"workload": workload.name, "beside": beside, "rounds": rounds, "ratio": two / one, "most": most}
    return row | {"reached": row["ratio"] <= most}


@contextmanager
def _busy_process() -> Iterator[None]:
    """Keep a core busy while the context is open."""
    process = subprocess.Popen(python("-c", "while True: pass"))
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _cells(row: dict[str, Any]) -> list[str]:
    steps = [number(statistics.median(rounds) * 1e6) for rounds in row["rounds"].values()]
    name = f"{row['workload']}, {row['beside']}"
    return [name, *steps, f"{row['ratio']:.2f}", f"{row['most']:.2f}", verdict(row["reached"])]
