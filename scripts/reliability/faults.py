"""The table of faults, and the tries of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scripts.reliability import damage, disk, kills, writers
from scripts.reliability.trainings import TRAININGS
from scripts.reliability.trial import Trial, Verdict

ALL = tuple(TRAININGS)
PLAIN = ALL[:1]
"""What is compiled anew in each try takes long, so one training must do."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Args:
        run: makes a try; its docstring says what it does.
        share: its part of the tries that are asked for.
        trainings: what is broken.
        is_cold: whether a try starts with a kernel cache of its own, which is empty.
    """

    run: Callable[[Trial], Verdict]
    share: float
    trainings: Sequence[str] = ALL
    is_cold: bool = False

    @property
    def words(self) -> str:
        return (self.run.__doc__ or "").splitlines()[0].rstrip(".")


# fmt: off
FAULTS = {
    "operation":      Fault(kills.at_operation,          1.5),
    "moment":         Fault(kills.at_moment,             1.0),
    "signal":         Fault(kills.stopped,               0.5),
    "cold_kill":      Fault(kills.in_cold_cache,         0.1, PLAIN, is_cold=True),
    "full_disk":      Fault(disk.full_at_operation,      0.5),
    "size_limit":     Fault(disk.size_limit,             0.25),
    "small_disk":     Fault(disk.small_disk,             0.25),
    "cold_limit":     Fault(disk.cold_size_limit,        0.1, PLAIN, is_cold=True),
    "second_writer":  Fault(writers.second_during_first, 0.25),
    "race":           Fault(writers.both_at_once,        0.25),
    "damaged_run":    Fault(damage.resumed,              1.0),
    "damaged_weights": Fault(damage.loaded,              0.5),
    "damaged_report": Fault(damage.drawn,                0.25),
    "damaged_cache":  Fault(damage.cached,               0.5, PLAIN, is_cold=True),
}
# fmt: on


@dataclass(frozen=True)
class Planned:
    """A try that is to be made: the `number`-th of `count` of a fault with a training."""

    fault: str
    training: str
    number: int
    count: int


def plan(tries: int, only: Sequence[str] = ()) -> list[Planned]:
    """The tries, spread evenly over the trainings.

    Args:
        only: names of faults and of trainings; all of a kind if none of it is named.
    """
    faults = [name for name in FAULTS if name in only] or list(FAULTS)
    trainings = {name for name in TRAININGS if name in only} or set(TRAININGS)
    return [
        Planned(name, training, number, count)
        for name in faults
        for count in [math.ceil(tries * FAULTS[name].share / len(FAULTS[name].trainings))]
        for training in FAULTS[name].trainings
        if training in trainings
        for number in range(count)
    ]
