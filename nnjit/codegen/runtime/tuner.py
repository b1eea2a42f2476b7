"""Choose for each call how many threads run a program, by how long the last calls took.

A program's shares are fixed, so any number of threads computes the same bits. Two threads on two cores are
faster than one unless another process is busy: they then wait for each other at every barrier, for as long as
the system gives one core to that process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

TRIAL = 0.005  # seconds: a few time slices of an operating system, and soon over if a choice is bad
LONGEST = 0.05  # seconds of a call at most, since it notices too late that the machine has become busy
SOON, LATE = 0.1, 0.8  # seconds between trials, so that a free machine is noticed within a second
COST = 20  # after a bad trial, no more threads are tried for this many times the time it lost
FADE = 0.9  # factor of the highest rate whenever a lower one is measured
GAIN = 1.03  # how many times faster another number of threads must be, as rates vary by a few per cent


class Choice(NamedTuple):
    """How to run the next call.

    Args:
        threads: of the call.
        seconds: after which the call stops.
    """

    threads: int
    seconds: float


class ThreadTuner:
    """Chooses among 1, 2, 4, … threads; now and then it tries more or fewer than the best number so far.

    On a busy machine, rates vary by a multiple. Fewer threads then count with their highest recent rate, more
    threads with their last one: they must be worth it all the time.

    Args:
        most: the number of shares.
        now: returns the time in seconds.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.perf_counter) -> None:
        self._numbers = sorted({most, *(1 << k for k in range(most.bit_length()) if 1 << k < most)})
        self._now, self._next_trial = now, now()
        self._best = self._timed = 0  # indices: of the best number so far, and of the one timed now
        self._rates: dict[int, float] = {}  # index -> steps a second, when last timed
        self._peaks: dict[int, float] = {}  # index -> the highest recent rate
        self._steps, self._seconds, self._length = 0, 0.0, TRIAL
        self._direction, self._pause = 1, SOON  # of the next trial, and before more threads are tried again

    def next(self) -> Choice:
        """How to run the next call."""
        return Choice(self._numbers[self._timed], max(self._until() - self._seconds, TRIAL / 10))

    def note(self, steps: int, seconds: float) -> None:
        """Record how many steps the call of the last choice ran, and how long it took."""
        self._steps, self._seconds = self._steps + steps, self._seconds + seconds
        if self._seconds < self._until() or not self._steps:
            return
        rate = self._rates[self._timed] = self._steps / self._seconds
        self._peaks[self._timed] = max(rate, FADE * self._peaks.get(self._timed, 0.0))
        if self._timed == self._best:
            self._go_on()
        else:
            self._judge(lost=self._seconds * (1 - rate / max(rate, self._rates[self._best])))
        self._steps, self._seconds = 0, 0.0

    def _until(self) -> float:
        """How many seconds a number of threads is timed for."""
        return self._length if self._timed == self._best else TRIAL

    def _go_on(self) -> None:
        """Continue with the best number of threads, or try another."""
        if self._length == LONGEST and self._best > 0:
            self._pause = SOON  # several threads have been worth it for a while
        self._length = min(2 * self._length, LONGEST)
        if self._rates[self._best] < self._peaks.get(self._best - 1, 0.0):
            self._timed, self._direction = self._best - 1, -1
        elif self._now() >= self._next_trial and len(self._numbers) > 1:
            if not 0 <= self._best + self._direction < len(self._numbers):
                self._direction *= -1
            self._timed = self._best + self._direction

    def _judge(self, lost: float) -> None:
        """End a trial, which lost some seconds; keep its number of threads if that is faster."""
        tried, is_upward = self._timed, self._direction > 0
        if is_upward:
            is_faster = self._rates[tried] > GAIN * self._peaks[self._best]
        else:
            is_faster = self._peaks[tried] > self._rates[self._best]
        if is_faster:
            self._best, self._length = tried, TRIAL
        if is_faster != is_upward:  # fewer threads are faster
            self._pause = min(max(2 * self._pause, COST * lost), LATE)
        goes_on = is_faster and 0 <= self._best + self._direction < len(self._numbers)
        if not is_faster:
            self._direction *= -1
        pause = self._pause if self._best == 0 or is_faster != is_upward else LATE
        self._next_trial = self._now() + (0.0 if goes_on else pause)
        self._timed = self._best
