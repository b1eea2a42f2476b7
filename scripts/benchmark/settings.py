"""Settings of a benchmark, given on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Settings:
    """Which workloads to measure, and for how long.

    Args:
        rounds: timings of each contestant.
        seconds: approximate length of a timing.
        workloads: names of the workloads.
        peers: the contestants besides nnjit.
        output: folder for the results.
    """

    quick: bool
    rounds: int
    seconds: float
    workloads: tuple[str, ...]
    peers: tuple[str, ...]
    output: Path

    @property
    def logs(self) -> Path:
        return self.output / "logs"

    @property
    def chosen(self) -> tuple[Workload, ...]:
        return tuple(WORKLOADS[name] for name in self.workloads)
