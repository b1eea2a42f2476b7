"""Whether two threads beside a busy process, as on a laptop in use, take about as long as one at most."""

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
"""The time of two threads as a multiple of that of one: beside a busy process, and alone."""
HEADER = ("threads", "1: µs", "2: µs", "2 / 1", "goal", "")


def run(settings: Settings) -> list[dict[str, Any]]:
    """Time one thread and two, alone and beside a busy process."""
    print(f"\nBusy: two threads against one beside a busy process, at most {MOST:.2f}", flush=True)
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
    """Keep a core busy meanwhile."""
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
