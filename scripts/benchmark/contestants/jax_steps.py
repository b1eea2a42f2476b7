"""JAX with a compiled step, called from Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.benchmark.contestants.jax_library import JaxStepper, wait
from scripts.benchmark.workloads import Workload


class JaxSteps(JaxStepper):
    """One call per step; params and slots are donated, and nothing waits before the end."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._step = jax.jit(self.step, donate_argnums=0)
        self.time(1)

    def to_device(self, order: np.ndarray) -> list[Any]:
        return list(jnp.asarray(order))

    def train(self, orders: Sequence[Any]) -> list[Any]:
        losses = []
        for order in orders:
            for rows in order:
                self.state, loss = self._step(self.state, rows, *self.data)
                losses.append(loss)
        wait(self.state)
        return losses
