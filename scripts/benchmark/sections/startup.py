"""Measure the time until the first epoch: with cached kernels, with new ones, and with an empty cache."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark.children import ROOT, environment, python
from scripts.benchmark.nnjit_config import write_config
from scripts.benchmark.settings import Settings
from scripts.benchmark.table import aligned, number, verdict
from scripts.benchmark.workloads import EQUAL16, MLP3, WORKLOADS, Workload

XOR = ROOT / "configs" / "xor.yaml"
IMPORT = "import time; begin = time.perf_counter(); import nnjit; print(time.perf_counter() - begin)"


@dataclass(frozen=True)
class Bench:
    """A folder for runs and for caches of its own."""

    folder: Path

    @property
    def warm(self) -> Path:
        """The kernel cache of a machine that has trained other networks."""
        return self.folder / "warm"

    def warm_up(self) -> None:
        self.train(self.config(WORKLOADS["mlp128"]), self.warm)
        self.train(XOR, self.warm)

    def config(self, workload: Workload) -> Path:
        """Write a config that trains a workload for one epoch."""
        path = self.folder / f"{workload.name}.yaml"
        if not path.exists():
            config = write_config(workload, self.folder / workload.name, rows=workload.rows, epochs=1)
            path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        return path

    def train(self, config: Path, cache: Path) -> Path:
        """Train in a new process, and return the run folder."""
        output = self.new_folder() / "run"
        command = python("-m", "nnjit.train", "--config", str(config), "--output", str(output), "--quiet")
        given = environment(NNJIT_CACHE_DIR=str(cache))
        subprocess.run(command, cwd=ROOT, env=given, check=True, capture_output=True)
        return output

    def new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))


def whole_process(bench: Bench) -> float:
    """Seconds from the start of the command to its end."""
    begin = time.perf_counter()
    bench.train(XOR, bench.warm)
    return time.perf_counter() - begin


def importing(bench: Bench) -> float:
    """Seconds that the import statement takes."""
    command = python("-c", IMPORT)
    return float(subprocess.run(command, cwd=ROOT, env=environment(), check=True, capture_output=True).stdout)


def first_epoch(workload: Workload, *, is_warm: bool) -> Callable[[Bench], float]:
    """Seconds from the start of the command to the end of the only epoch, the last line of the history."""

    def measure(bench: Bench) -> float:
        config, cache = bench.config(workload), bench.new_folder()
        if is_warm:
            shutil.copytree(bench.warm, cache, dirs_exist_ok=True)
        begin = time.time()
        return (bench.train(config, cache) / "history.csv").stat().st_mtime - begin

    return measure


# fmt: off
ROWS: tuple[tuple[str, float, Callable[[Bench], float]], ...] = (
    ("train configs/xor.yaml, all cached: whole process",        1.5,  whole_process),
    ("import nnjit",                                             0.35, importing),
    ("a new 3-layer MLP after others: first epoch's end",        2.0,  first_epoch(MLP3, is_warm=True)),
    ("the very first training, 3-layer MLP: first epoch's end",  6.0,  first_epoch(MLP3, is_warm=False)),
    ("16 equal layers after others: first epoch's end",          3.0,  first_epoch(EQUAL16, is_warm=True)),
)
# fmt: on


def run(settings: Settings) -> list[dict[str, Any]]:
    """Measure every row a few times."""
    print("\nStart-up", flush=True)
    with tempfile.TemporaryDirectory(prefix="nnjit-bench-") as folder:
        bench = Bench(Path(folder))
        bench.warm_up()
        results = [
            _result(what, most, [measure(bench) for _ in range(settings.rounds)])
            for what, most, measure in ROWS
        ]
    print(aligned(("", "s", "at most", ""), [_cells(result) for result in results]), flush=True)
    return results


def _result(what: str, most: float, rounds: list[float]) -> dict[str, Any]:
    median = statistics.median(rounds)
    return {"what": what, "rounds": rounds, "median": median, "most": most, "reached": median <= most}


def _cells(result: dict[str, Any]) -> list[str]:
    return [result["what"], number(result["median"]), f"{result['most']:g}", verdict(result["reached"])]
