"""Base classes of contestants."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from scripts.benchmark.workloads import Workload


class Unavailable(Exception):
    """A contestant cannot train a workload here; the message says why."""


class Contestant(ABC):
    """A library that trains a workload; once constructed, it is compiled and ready to be timed.

    Raises:
        Unavailable: it cannot train this workload here.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.x, self.y = workload.examples(workload.rows)

    @abstractmethod
    def losses(self) -> tuple[float, float]:
        """The mean loss over the first steps, and the loss on the same rows after them.

        If the network has state, the second is the mean loss over a repetition of the same steps.
        """

    @abstractmethod
    def time(self, passes: int) -> float:
        """Seconds per step over `passes` passes from the initial weights, after an untimed one."""


class Stepper(Contestant):
    """A contestant whose training loop the benchmark drives."""

    @abstractmethod
    def reset(self) -> None:
        """Restore the initial weights and a fresh optimizer."""

    @abstractmethod
    def to_device(self, order: np.ndarray) -> Any:
        """Convert the rows (steps, batch) of a pass to the form that `train` takes."""

    @abstractmethod
    def train(self, orders: Sequence[Any]) -> list[Any]:
        """Run passes to completion, and return the losses of their steps in arrays of any kind."""

    @abstractmethod
    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        """The mean loss with the current weights."""

    def losses(self) -> tuple[float, float]:
        self.reset()
        first, rows = self._mean_of_first_steps(), self.workload.checked_rows
        if self.workload.has_state:
            return first, self._mean_of_first_steps()
        return first, self.loss(self.x[:rows], self.y[:rows])

    def _mean_of_first_steps(self) -> float:
        steps = self.train([self.to_device(self.workload.first_order())])
        return float(np.mean([np.mean(np.asarray(s)) for s in steps]))

    def time(self, passes: int) -> float:
        warm, *orders = [self.to_device(order) for order in self.workload.orders(passes + 1)]
        self.reset()
        self.train([warm])
        begin = time.perf_counter()
        self.train(orders)
        return (time.perf_counter() - begin) / (passes * self.workload.steps)
