"""Describe the machine that the benchmark runs on, and measure how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from nnjit.cores import usable_cores
from scripts.benchmark.children import ROOT, environment, python

PACKAGES = ("nnjit", "numba", "numpy", "scipy", "jax", "optax", "torch", "scikit-learn", "autograd")
BUSY, TOO_BUSY = 0.15, 0.3
"""If other processes use more than these fractions of a core, results are doubtful, or not published."""
SIZE, ROUNDS, SECONDS = 1024, 5, 0.2


def describe() -> dict[str, Any]:
    """Processor, cores, load, versions and time."""
    return {
        "cpu": _cpu(),
        "cores": usable_cores(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if _git("status", "--porcelain") else ""),
        "load": os.getloadavg()[0],
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def busy_seconds() -> float:
    """Busy time of all cores together since boot; Linux only."""
    fields = [
        int(field) for field in Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
    ]
    user, nice, system, _, _, irq, softirq, stolen = fields
    return (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")


def gemm_rate(**variables: str) -> float:
    """GFLOP/s of a large float32 product in NumPy, in a separate process with these variables."""
    command = python("-m", "scripts.benchmark.machine")
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(**variables),
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return float(done.stdout)


def measure_gemm() -> float:
    """GFLOP/s in this process, as the median of a few rounds."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), np.float32)
    out = np.empty_like(a)
    np.dot(a, b, out)
    return statistics.median(_rate(a, b, out) for _ in range(ROUNDS))


def _rate(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> float:
    count, begin = 0, time.perf_counter()
    while (took := time.perf_counter() - begin) < SECONDS:
        np.dot(a, b, out)
        count += 1
    return 2 * SIZE**3 * count / took / 1e9


def _cpu() -> str:
    lines = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if Path("/proc/cpuinfo").exists()
        else []
    )
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    return done.stdout.strip()


if __name__ == "__main__":
    print(measure_gemm())
