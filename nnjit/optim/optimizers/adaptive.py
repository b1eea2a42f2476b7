"""Optimizers that divide each param's gradient by a mean of its sizes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.optim.array import Array, Slots, Update
from nnjit.optim.optimizer import Optimizer, Rate, optimizers


@optimizers.register
class Adagrad(Optimizer):
    """s ← s + g²;  θ ← θ - lr g / (√s + ε).

    Keras begins s at 0.1 and adds ε = 1e-7 under the root. Reference: Duchi et al. 2011, JMLR 12.
    """

    type: Literal["adagrad"] = "adagrad"
    learning_rate: Rate = 1e-2
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate of a range test."""
    initial_accumulator: float = Field(0.0, ge=0)
    """s before the first step, >= 0."""
    epsilon: float = Field(1e-10, gt=0)
    """ε, what keeps the division finite, > 0."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("sum_of_squares",)

    def initial_slots(self, theta: Array) -> Slots:
        return (np.zeros_like(theta) + self.initial_accumulator,)

    @property
    def keeps_still(self) -> bool:
        return True

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        total = slots[0] + np.square(grad)
        return theta - lr * grad / (np.sqrt(total) + self.epsilon), (total,)


@optimizers.register
class Adadelta(Optimizer):
    """s ← ρ s + (1 - ρ) g²;  δ = g √(d + ε) / √(s + ε);  d ← ρ d + (1 - ρ) δ²;  θ ← θ - lr δ.

    The paper has no lr, which is lr = 1 here as in PyTorch; Keras has lr = 1e-3, ρ = 0.95 and ε = 1e-7. It
    begins slowly, with steps of √ε. Reference: Zeiler 2012, arXiv:1212.5701.
    """

    type: Literal["adadelta"] = "adadelta"
    learning_rate: Rate = 1.0
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate of a range test."""
    decay: float = Field(0.9, ge=0, lt=1)
    """ρ, the share of both mean squares that a step keeps, 0 <= ρ < 1; PyTorch's `rho`."""
    epsilon: float = Field(1e-6, gt=0)
    """ε, with which the first steps begin, > 0."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean_square", "mean_square_move")

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        square = self.decay * slots[0] + (1 - self.decay) * np.square(grad)
        move = grad * np.sqrt(slots[1] + self.epsilon) / np.sqrt(square + self.epsilon)
        moves = self.decay * slots[1] + (1 - self.decay) * np.square(move)
        return theta - lr * move, (square, moves)


@optimizers.register
class RmsProp(Optimizer):
    """s ← ρ s + (1 - ρ) g²;  v ← μ v + g / (√s + ε);  θ ← θ - lr v.

    Centered, m ← ρ m + (1 - ρ) g is the mean gradient, and √(s - m²) takes the place of √s. Rounding can
    make s - m² negative, which counts as 0 here and is a NaN in PyTorch. Hinton's lecture has ρ = 0.9, and
    so has Keras, with ε = 1e-7 under the root. Reference: Tieleman & Hinton 2012, lecture 6.5; Graves 2013,
    arXiv:1308.0850.
    """

    type: Literal["rmsprop"] = "rmsprop"
    learning_rate: Rate = 1e-2
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate of a range test."""
    decay: float = Field(0.99, ge=0, lt=1)
    """ρ, the share of the mean square that a step keeps, 0 <= ρ < 1; PyTorch's `alpha`."""
    momentum: float = Field(0.0, ge=0, lt=1)
    """μ, the share of the velocity that a step keeps, 0 <= μ < 1."""
    centered: bool = False
    """Whether the gradient's variance is used instead of its mean square."""
    epsilon: float = Field(1e-8, gt=0)
    """ε, what keeps the division finite, > 0."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean_square", *["mean"] * self.centered, *["velocity"] * (self.momentum > 0))

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        new = dict(zip(self.slots, slots, strict=True))
        variance = new["mean_square"] = self._average(new["mean_square"], np.square(grad))
        if self.centered:
            new["mean"] = self._average(new["mean"], grad)
            variance = np.maximum(variance - np.square(new["mean"]), 0.0)
        move = grad / (np.sqrt(variance) + self.epsilon)
        if self.momentum > 0:
            move = new["velocity"] = self.momentum * new["velocity"] + move
        return theta - lr * move, tuple(new.values())

    def _average(self, old: Array, new: Array) -> Array:
        return self.decay * old + (1 - self.decay) * new
