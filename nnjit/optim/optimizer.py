"""What every optimizer is: a rule from params and their gradient to the next params.

All work on flat vectors (P,). A slot is a vector that an optimizer carries from step to step; it begins at
zero unless `initial_slots` says otherwise. `lr` is the schedule's rate for this step, `step` counts from 1.
The arithmetic and the defaults are PyTorch's, which follow the papers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

import nnjit.numpy as np
from nnjit.optim.array import Array, Slots, Update
from nnjit.optim.full_batch import FullBatchOptimizer
from nnjit.registry import Options, Registry

Rate: TypeAlias = Annotated[float, Field(gt=0)] | Literal["find"]


class Optimizer(Options, ABC):
    """A rule for one update."""

    type: str
    learning_rate: Rate = 1e-3
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate of a range test."""

    @property
    def full_batch(self) -> FullBatchOptimizer | None:
        """The method over the full batch that its options ask for; None where it is a rule for one update."""
        return None

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that it carries."""
        return ()

    @property
    def keeps_still(self) -> bool:
        """Whether it leaves a param whose gradient is 0, and the slots of that, as they are."""
        return False

    def initial_slots(self, theta: Array) -> Slots:
        """The slots before the first step, each like `theta`."""
        return tuple(np.zeros_like(theta) for _ in self.slots)

    @abstractmethod
    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        """The next params and slots.

        Args:
            theta: the params, shape (P,).
            grad: the gradient, shape (P,).
            slots: as the previous step returned them.
            lr: learning rate, a scalar.
            step: 1, 2, …, a scalar of the params' dtype.
        """


optimizers: Registry[Optimizer | FullBatchOptimizer] = Registry("optimizer")


def bias_correction(beta: float, step: Array) -> Array:
    """1 - betaᵗ; by expm1, because in f32 the subtraction loses half of the digits for beta near 1."""
    return -np.expm1(step * math.log(beta)) if beta > 0 else 1.0
