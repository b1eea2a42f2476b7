"""Model the time of a step on several machines, and check the model with two ranks on this one.

The arithmetic is measured here, on batches of a rank's size. The model adds the time of each call of
`MPI_Allreduce` for n bytes on R machines: with latency a and b seconds per byte, the smaller of
log₂R (a + n b) and 2 log₂R a + 2 (R - 1) / R n b.

Reference: Thakur, Rabenseifner & Gropp 2005, doi:10.1177/1094342005051521.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from scripts.benchmark.children import ChildError, python
from scripts.benchmark.nnjit_config import write_config
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import MLP_4096, WORKLOADS, Workload

MACHINES = (2, 4, 8, 16, 32, 64)
STEPS, EPOCHS = 4, 12
FEWEST_ROWS = 64  # so that there are examples of each class
GOAL = 0.85  # efficiency of two machines with a batch of 4096, on the faster network
CALL = re.compile(r"all_reduce\(ranks, \d+, f(\d+)_at\(.*\), (\d+)\)")
HEADER = ("ranks", *(f"{m}" for m in MACHINES), "goal", "")
HEADER_HERE = ("two ranks here", "1 rank: µs", "2 ranks: µs", "model: µs", "measured / model")

# Times of sums of 1 and 2²⁰ elements of f32: the latency, and what a byte takes.
PROBE = """
import json, sys, time
import numpy as np
from mpi4py import MPI
world, found = MPI.COMM_WORLD, []
for size in (1, 2**20):
    values, best = np.ones(size, np.float32), 1e9
    for _ in range(60):
        world.Barrier()
        begin = time.perf_counter()
        world.Allreduce(MPI.IN_PLACE, values)
        best = min(best, time.perf_counter() - begin)
    found.append(best)
if world.rank == 0:
    print(json.dumps(found))
"""


class Network(NamedTuple):
    """The network between the ranks.

    Args:
        latency: seconds per message.
        byte: seconds per byte.
    """

    name: str
    latency: float
    byte: float

    def sum_seconds(self, size: int, ranks: int) -> float:
        """Seconds to sum so many bytes over the ranks."""
        if ranks == 1:
            return 0.0
        rounds = math.ceil(math.log2(ranks))
        whole = rounds * (self.latency + size * self.byte)
        in_parts = 2 * rounds * self.latency + 2 * (ranks - 1) / ranks * size * self.byte
        return min(whole, in_parts)


# Typical latencies of MPI between two machines: over TCP, and over InfiniBand or RoCE.
NETWORKS = (Network("10 Gbit/s", 20e-6, 8 / 10e9), Network("100 Gbit/s", 2e-6, 8 / 100e9))


def run(settings: Settings) -> list[dict[str, Any]]:
    """Measure the arithmetic and two ranks, and print the model's prediction for more."""
    if shutil.which("mpiexec") is None:
        print("\nRanks: not measured, there is no mpiexec")
        return []
    here = _here()
    print(
        f"\nRanks: a sum of two takes {here.latency * 1e6:.1f} µs here, and {1e-9 / here.byte:.1f} GB/s\n"
        f"Efficiency of more machines by the model, one thread each (goal: two machines, 4096 rows)",
        flush=True,
    )
    rows = [_measure(workload, here, settings) for workload in _chosen()]
    print(aligned(HEADER, [cells for row in rows for cells in _cells(row)]))
    print(aligned(HEADER_HERE, [_cells_here(row) for row in rows]))
    return rows


def _chosen() -> Sequence[Workload]:
    return (WORKLOADS["wide"], WORKLOADS["lenet"], MLP_4096)


def _here() -> Network:
    done = _run(["mpiexec", "-n", "2", *python("-c", PROBE)])
    short, long = json.loads(done)
    return Network("here", short, max(long - short, 1e-9) / 2**22)


def _measure(workload: Workload, here: Network, settings: Settings) -> dict[str, Any]:
    batch = workload.batch or workload.rows
    sizes = [max(1, batch // machines) for machines in (1, *MACHINES)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rounds = 1 if settings.quick else 2
        alone = {size: _step_seconds(workload, size, place, rounds) for size in dict.fromkeys(sizes)}
        together = _step_seconds(workload, batch, place, rounds, ranks=2)
        calls = _calls(place / f"run-{batch}-2-0" / "kernels" / "epoch.py")
    model = {
        network.name: {
            machines: alone[size] + sum(network.sum_seconds(n, machines) for n in calls)
            for machines, size in zip((1, *MACHINES), sizes, strict=True)
        }
        for network in (here, *NETWORKS)
    }
    efficiency = {
        name: {m: alone[batch] / (m * seconds[m]) for m in MACHINES} for name, seconds in model.items()
    }
    return {
        "workload": f"{workload.name}, {batch} rows", "batch": batch, "alone": alone, "bytes": calls,
        "model": model, "efficiency": efficiency, "two": together,
        "reached": batch < 4096 or efficiency[NETWORKS[-1].name][2] >= GOAL,
    }  # fmt: skip


def _step_seconds(workload: Workload, batch: int, folder: Path, rounds: int, ranks: int = 1) -> float:
    """The shortest step time over some runs with batches of so many rows."""
    steps = max(STEPS, -(-FEWEST_ROWS // batch))
    sized = replace(workload, batch=batch, rows=batch * steps)
    config = write_config(sized, folder / f"config-{batch}", rows=sized.rows, epochs=EPOCHS, threads=1)
    config["data"]["split"] = {}
    path = folder / f"config-{batch}.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    best = math.inf
    for k in range(rounds):
        output = folder / f"run-{batch}-{ranks}-{k}"
        command = python("-m", "nnjit.train", "--quiet", "--config", str(path), "--output", str(output))
        _run(["mpiexec", "-n", str(ranks), *command] if ranks > 1 else command)
        with (output / "history.csv").open(encoding="utf-8", newline="") as file:
            best = min(best, *(float(row["train_seconds"]) / steps for row in csv.DictReader(file)))
    return best


def _calls(source: Path) -> list[int]:
    """Bytes of each sum in a step."""
    found = CALL.findall(source.read_text(encoding="utf-8"))
    return [int(bits) // 8 * int(count) for bits, count in found]


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise ChildError(f"{' '.join(command[:4])} …: {done.stderr.strip()}")
    return done.stdout


def _cells(row: dict[str, Any]) -> list[list[str]]:
    lines = []
    for network in NETWORKS:
        values = [f"{row['efficiency'][network.name][m]:.0%}" for m in MACHINES]
        has_goal = row["batch"] >= 4096 and network is NETWORKS[-1]
        goal = [f"{GOAL:.2f}", verdict(row["reached"])] if has_goal else ["", ""]
        lines.append([f"{row['workload']}, {network.name}", *values, *goal])
    return lines


def _cells_here(row: dict[str, Any]) -> list[str]:
    model = row["model"]["here"][2]
    times = [number(seconds * 1e6) for seconds in (row["alone"][row["batch"]], row["two"], model)]
    return [row["workload"], *times, f"{row['two'] / model:.2f}"]
