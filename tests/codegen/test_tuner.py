"""Choose the threads of the next call, on a simulated machine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nnjit.codegen.runtime.tuner import ThreadTuner

Rate = Callable[[int], float]
"""Steps per second of a number of threads."""


class Machine:
    """Runs calls of a program, and counts their time.

    Args:
        rate: of its steps.
        stall: seconds that a call of several threads overruns.
    """

    def __init__(self, most: int, rate: Rate, stall: float = 0.0) -> None:
        self.now, self.rate, self.stall, self.chosen = 0.0, rate, stall, 1
        self.tuner = ThreadTuner(most, lambda: self.now)

    def run(self, seconds: float, most_of_a_call: float = 0.05) -> float:
        """Return the steps per second over some time, with calls of a limited length."""
        begin, steps = self.now, 0.0
        while self.now < begin + seconds:
            self.chosen, wanted = self.tuner.next()
            took = min(wanted, most_of_a_call) + self.stall * (self.chosen > 1)
            done = self.rate(self.chosen) * took
            self.tuner.note(int(done), took)
            self.now, steps = self.now + took, steps + done
        return steps / (self.now - begin)


def free(threads: int) -> float:
    return 1e5 * threads**0.8


def busy(threads: int) -> float:
    return 1e5 if threads == 1 else 3e4


def useless(threads: int) -> float:
    return 1e5


@pytest.mark.parametrize("most", [2, 3, 4, 8])
@pytest.mark.parametrize("call", [0.05, 1e-3])
def test_a_free_machine_runs_all_threads(most: int, call: float) -> None:
    machine = Machine(most, free)
    machine.run(0.5, call)
    assert machine.run(3, call) > 0.97 * free(most)


@pytest.mark.parametrize("most", [2, 4])
@pytest.mark.parametrize("stall", [0.0, 0.02])
def test_a_busy_machine_costs_little(most: int, stall: float) -> None:
    assert Machine(most, busy, stall).run(1) > busy(1) / 1.10
    assert Machine(most, busy, stall).run(5) > busy(1) / 1.07


def test_the_machine_becomes_busy_and_free_again() -> None:
    machine = Machine(2, free)
    for _ in range(3):
        machine.rate, machine.stall = free, 0.0
        machine.run(1)
        assert machine.run(1) > 0.97 * free(2)
        machine.rate, machine.stall = busy, 0.01
        assert machine.run(1) > busy(1) / 1.15
        assert machine.run(3) > busy(1) / 1.07


def test_threads_that_gain_nothing_are_left_alone() -> None:
    machine = Machine(2, useless)
    machine.run(1)
    chosen = [machine.chosen for _ in range(100) if machine.run(0.01)]
    assert np.mean(chosen) < 1.1


def test_as_many_threads_as_are_worth_it() -> None:
    machine = Machine(8, lambda threads: 1e5 * min(threads, 4) / (1 + (threads > 4)))
    machine.run(1)
    assert machine.run(2) > 0.95 * 4e5


def test_one_share_needs_one_thread() -> None:
    machine = Machine(1, free)
    machine.run(1)
    assert machine.chosen == 1
