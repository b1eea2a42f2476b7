"""The table of faults, and the plan of their tries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.reliability import damage, disk, kills, writers
from scripts.reliability.trainings import TRAININGS
from scripts.reliability.trial import Trial, Verdict

ALL = tuple(TRAININGS)
PLAIN = ALL[:1]
"""The training of faults that compile in each try, which takes long."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Args:
        run: makes a try; the first line of its docstring is shown in the table.
        share: fraction of the requested tries that it gets.
        trainings: names of the trainings to break.
        is_cold: whether each try starts with its own empty kernel cache.
        strikes_each: whether the plain training is struck at each of its file operations.
    """

    run: Callable[[Trial], Verdict]
    share: float
    trainings: Sequence[str] = ALL
    is_cold: bool = False
    strikes_each: bool = False

    @property
    def words(self) -> str:
        return (self.run.__doc__ or "").splitlines()[0].rstrip(".")


# fmt: off
FAULTS = {
    "operation":       Fault(kills.at_operation,          1.00, strikes_each=True),
    "moment":          Fault(kills.at_moment,             0.50),
    "signal":          Fault(kills.stopped,               0.30),
    "cold_kill":       Fault(kills.in_cold_cache,         0.10, PLAIN, is_cold=True),
    "full_disk":       Fault(disk.full_at_operation,      0.30, strikes_each=True),
    "size_limit":      Fault(disk.size_limit,             0.20),
    "small_disk":      Fault(disk.small_disk,             0.20),
    "cold_limit":      Fault(disk.cold_size_limit,        0.10, PLAIN, is_cold=True),
    "second_writer":   Fault(writers.second_during_first, 0.20),
    "race":            Fault(writers.both_at_once,        0.20),
    "damaged_run":     Fault(damage.resumed,              0.50),
    "damaged_weights": Fault(damage.loaded,               0.30),
    "damaged_report":  Fault(damage.drawn,                0.20),
    "damaged_cache":   Fault(damage.cached,               0.30, PLAIN, is_cold=True),
}
# fmt: on


@dataclass(frozen=True)
class Planned:
    """A planned try, the `number`-th of `count` for this fault and training."""

    fault: str
    training: str
    number: int
    count: int


def plan(tries: int, only: Sequence[str] = (), operations: int = 0) -> list[Planned]:
    """Plan the tries, spread evenly over the trainings.

    Args:
        only: names of faults and trainings; without any faults (or trainings) among them, all of these.
        operations: number of file operations of the plain training.
    """
    faults = [name for name in FAULTS if name in only] or list(FAULTS)
    trainings = {name for name in TRAININGS if name in only} or set(TRAININGS)
    return [
        Planned(name, training, number, count)
        for name in faults
        for training in FAULTS[name].trainings
        if training in trainings
        for count in [_count(FAULTS[name], training, tries, operations)]
        for number in range(count)
    ]


def _count(fault: Fault, training: str, tries: int, operations: int) -> int:
    count = math.ceil(tries * fault.share / len(fault.trainings))
    return max(count, min(tries, operations)) if fault.strikes_each and training in PLAIN else count
