"""What both of PyTorch's contestants share: the network, the data and the loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from scripts.benchmark.contestants.contestant import Stepper
from scripts.benchmark.network import Library, mean_cost
from scripts.benchmark.workloads import Workload

LIBRARY = Library(
    dense=lambda x, w, b: torch.addmm(b, x, w),
    activations={"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu},
    costs={
        "squared_error": lambda o, t: functional.mse_loss(o, t, reduction="sum") / len(t),
        "mean_squared_error": functional.mse_loss,
        "softmax_cross_entropy": functional.cross_entropy,
    },
)

Params = dict[str, torch.Tensor]


class TorchStepper(Stepper):
    """Data as tensors, and a Python loop over steps."""

    params: Params

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self._data = self._tensors(self.x, self.y)
        self._initial = workload.initial_weights()

    @abstractmethod
    def step(self, x: torch.Tensor, y: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Update the params for these rows, and return the loss."""

    def reset(self) -> None:
        self.params = {name: torch.tensor(w) for name, w in self._initial.items()}

    def cost(self, params: Params, x: torch.Tensor, y: torch.Tensor) -> Any:
        return mean_cost(LIBRARY, self.workload, params, x, y)

    def batch(
        self, x: torch.Tensor, y: torch.Tensor, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (x[rows], y[rows]) if self.workload.batch else (x, y)

    def place(self, order: np.ndarray) -> tuple[torch.Tensor, ...]:
        return torch.from_numpy(order).unbind()

    def train(self, placed: Sequence[Any]) -> list[Any]:
        return [self.step(*self._data, rows) for order in placed for rows in order]

    def loss(self, x: np.ndarray, y: np.ndarray) -> float:
        with torch.no_grad():
            return float(self.cost(self.params, *self._tensors(x, y)))

    def _tensors(self, x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(x), torch.from_numpy(y if y.dtype.kind == "f" else y.astype(np.int64))
