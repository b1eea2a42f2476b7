"""Check that `threads: auto` picks the faster of one thread and two."""

from __future__ import annotations

import statistics
from typing import Any

from scripts.benchmark.children import ChildError, Spec, started
from scripts.benchmark.race import race
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import Workload

CHOICES: dict[str, int | str] = {"1": 1, "2": 2, "auto": "auto"}
MOST = 1.10
HEADER = ("threads", "1: µs", "2: µs", "auto: µs", "auto / better", "goal", "")


def run(settings: Settings) -> list[dict[str, Any]]:
    """Time every workload with `auto`, one thread and two."""
    print(f"\nThreads: `auto` against the better of 1 and 2, at most {MOST:.2f}", flush=True)
    rows = [_measure(workload, settings) for workload in settings.chosen]
    print(aligned(HEADER, [_cells(row) for row in rows]))
    return rows


def _measure(workload: Workload, settings: Settings) -> dict[str, Any]:
    specs = {
        f"threads-{name}": Spec("nnjit", workload.name, options={"threads": n}) for name, n in CHOICES.items()
    }
    with started(specs, settings.logs) as (children, missing):
        if missing:
            raise ChildError("; ".join(missing.values()))
        seconds = race(children, settings).seconds
    one, two, auto = seconds.values()
    ratio = statistics.median(auto) / min(statistics.median(one), statistics.median(two))
    return {"workload": workload.name, "rounds": seconds, "ratio": ratio, "reached": ratio <= MOST}


def _cells(row: dict[str, Any]) -> list[str]:
    steps = [number(statistics.median(rounds) * 1e6) for rounds in row["rounds"].values()]
    return [row["workload"], *steps, f"{row['ratio']:.2f}", f"{MOST:.2f}", verdict(row["reached"])]
