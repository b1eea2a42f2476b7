"""Time contestants in turn: each runs a round while the others wait."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.benchmark.children import Child
from scripts.benchmark.contestants import OWN
from scripts.benchmark.machine import busy_seconds
from scripts.benchmark.settings import Settings
from scripts.benchmark.workloads import FULL_BATCH_EPOCHS

MOST_EPOCHS = dict.fromkeys(OWN, 50 * FULL_BATCH_EPOCHS)
"""The most epochs of one timing; more would only write more rows of history."""

GLANCE, IDLE = 0.03, 0.02
"""The seconds between two looks at the children, and the fraction of a core that idle ones may use."""
MOST_PATIENCE = 2.0


@dataclass(frozen=True)
class Race:
    """Seconds per step of each contestant, round by round.

    Args:
        noise: fraction of a core used by all other processes during the timings.
    """

    seconds: dict[str, list[float]]
    noise: float

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])

    def ratios(self, name: str, to: str) -> list[float]:
        """The time of `name` relative to `to`, round by round."""
        return [a / b for a, b in zip(self.seconds[name], self.seconds[to], strict=True)]


def race(children: dict[str, Child], settings: Settings) -> Race:
    """Time all children in turn, for as many rounds as the settings say."""
    passes = {name: _passes(child, settings.seconds) for name, child in children.items()}
    seconds: dict[str, list[float]] = {name: [] for name in children}
    elapsed = others = 0.0
    for _ in range(settings.rounds):
        for name, child in children.items():
            _settle(children)
            used, begin = busy_seconds() - child.cpu_seconds(), time.perf_counter()
            seconds[name].append(child.ask("time", passes[name]))
            elapsed += time.perf_counter() - begin
            others += busy_seconds() - child.cpu_seconds() - used
    return Race(seconds, max(0.0, others / elapsed))


def _settle(children: dict[str, Child]) -> None:
    """Wait until no child is busy: OpenBLAS's threads spin for 0.1 s after a product, OpenMP's for 0.01 s."""
    patience = time.perf_counter() + MOST_PATIENCE
    used = -math.inf
    while (now := _used(children.values())) - used > IDLE * GLANCE and time.perf_counter() < patience:
        used = now
        time.sleep(GLANCE)


def _used(children: Iterable[Child]) -> float:
    return sum(child.cpu_seconds() for child in children)


def _passes(child: Child, seconds: float) -> int:
    """The number of passes that take about `seconds`, at most `MOST_EPOCHS` epochs."""
    workload = child.spec.training
    passes = math.ceil(seconds / (child.ask("time", 1) * workload.steps))
    most = MOST_EPOCHS.get(child.spec.contestant, math.inf) / (1 if workload.batch else FULL_BATCH_EPOCHS)
    return int(max(1, min(passes, most)))
