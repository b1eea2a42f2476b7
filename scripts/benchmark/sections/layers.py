"""Measure how the time before the first epoch grows with the number of layers."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from scripts.benchmark.children import ROOT, ChildError, environment, python
from scripts.benchmark.nnjit_config import write_config
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import WORKLOADS, Workload, resnet

BLOCKS = (3, 6, 12, 24)  # each of two convolutions with batch norm
MOST = {12: {"cold": 6.0, "warm": 0.5}}  # seconds
MOST_RATIO = 1.5  # time per further block: between the last two networks, relative to the two before


def run(settings: Settings) -> dict[str, Any]:
    """Prepare residual networks with an empty cache, and with their kernels cached."""
    with tempfile.TemporaryDirectory(prefix="nnjit-bench-") as folder:
        rows = [_measured(blocks, Path(folder), settings.rounds) for blocks in BLOCKS]
    print("\nLayers: seconds from the config to the compiled step of a residual network by its blocks")
    cells = [[str(row["blocks"]), number(row["cold"]), number(row["warm"]), _goals(row)] for row in rows]
    print(aligned(("blocks", "first time", "in the cache", ""), cells))
    ratios = {which: _ratio(rows, which) for which in ("cold", "warm")}
    is_linear = max(ratios.values()) <= MOST_RATIO
    shown = ", ".join(f"{ratio:.2f} {which}" for which, ratio in ratios.items())
    print(f"  a block more, late / early: {shown}; at most {MOST_RATIO}: {verdict(is_linear)}", flush=True)
    return {"rows": rows, "ratios": ratios, "most": MOST_RATIO, "reached": is_linear}


def _measured(blocks: int, folder: Path, rounds: int) -> dict[str, Any]:
    workload = replace(WORKLOADS["resnet"], name=f"resnet-{blocks}", layers=resnet(blocks, 16, 10))
    path, seconds = _written(workload, folder), []
    for k in range(rounds):
        cache = str(folder / f"cache-{blocks}-{k}")
        seconds.append([_prepared(path, cache) for _ in range(2)])
    cold, warm = map(statistics.median, zip(*seconds, strict=True))
    return {"blocks": blocks, "cold": cold, "warm": warm}


def _written(workload: Workload, folder: Path) -> Path:
    config = write_config(workload, folder / workload.name, rows=workload.rows, epochs=1)
    path = folder / f"{workload.name}.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    return path


def _prepared(path: Path, cache: str) -> float:
    done = subprocess.run(
        python("-m", "scripts.benchmark.preparation", str(path)),
        cwd=ROOT, env=environment(NNJIT_CACHE_DIR=cache), capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise ChildError(f"{path.name}: {done.stderr.strip()}")
    return float(done.stdout)


def _ratio(rows: list[dict[str, Any]], which: str) -> float:
    """The time per further block between the last two networks, relative to the two before."""
    each = [(b[which] - a[which]) / (b["blocks"] - a["blocks"]) for a, b in pairwise(rows)]
    return float(each[-1] / each[-2])


def _goals(row: dict[str, Any]) -> str:
    goals = MOST.get(row["blocks"], {})
    return "; ".join(
        f"{which} at most {most:g}: {verdict(row[which] <= most)}" for which, most in goals.items()
    )
