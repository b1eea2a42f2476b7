"""The settings of a benchmark, from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.benchmark.workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Settings:
    """How long and what to measure.

    Args:
        rounds: how often each contestant is timed.
        seconds: about how long a timing takes.
        workloads: their names.
        peers: the contestants besides nnjit.
        output: the folder of results.
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
