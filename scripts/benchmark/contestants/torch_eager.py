"""PyTorch by default: autograd and a fused optimizer, operation by operation."""

from __future__ import annotations

import torch

from scripts.benchmark.contestants.torch_library import TorchStepper
from scripts.benchmark.workloads import Workload

OPTIMIZERS = {"gradient_descent": torch.optim.SGD, "adam": torch.optim.Adam}


class TorchEager(TorchStepper):
    """The usual training loop, but without `nn.Module`, whose calls cost time."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.time(1)

    def reset(self) -> None:
        super().reset()
        for param in self.params.values():
            param.requires_grad_()
        optimizer = OPTIMIZERS[self.workload.optimizer["type"]]
        lr = self.workload.optimizer["learning_rate"]
        self._optimizer = optimizer(list(self.params.values()), lr=lr, fused=True)

    def step(self, x: torch.Tensor, y: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        self._optimizer.zero_grad()
        loss: torch.Tensor = self.cost(self.params, *self.batch(x, y, rows))
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch has no types for it
        self._optimizer.step()
        return loss.detach()
