"""JAX with each epoch as one compiled scan over its steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.benchmark.contestants.jax_library import JaxStepper, State, wait
from scripts.benchmark.workloads import Workload


class JaxScan(JaxStepper):
    """One call per pass; params and slots are donated, so they are updated in place."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._pass = jax.jit(self._scan, donate_argnums=0)
        self.time(1)

    def _scan(self, state: State, order: Any, x: Any, y: Any) -> tuple[State, Any]:
        return jax.lax.scan(lambda state, rows: self.step(state, rows, x, y), state, order)

    def to_device(self, order: np.ndarray) -> Any:
        return jnp.asarray(order)

    def train(self, orders: Sequence[Any]) -> list[Any]:
        losses = []
        for order in orders:
            self.state, loss = self._pass(self.state, order, *self.data)
            losses.append(loss)
        wait(self.state)
        return losses
