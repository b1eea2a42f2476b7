"""Optimizers: from params and their gradient to the next params.

All work on flat vectors (P,). A slot is a vector that an optimizer carries from step to step; it begins at
zero unless `initial_slots` says otherwise. `lr` is the schedule's rate for this step, `step` counts from 1.
The arithmetic and the defaults are PyTorch's, which follow the papers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Literal

from pydantic import Field

import nnjit.numpy as np
from nnjit.optim.array import Array, Slots, Update
from nnjit.registry import Options, Registry


class Optimizer(Options, ABC):
    """A rule for one update."""

    type: str
    learning_rate: float = Field(1e-3, gt=0)
    """The step size, > 0; the peak of the schedule."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that it carries."""
        return ()

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


optimizers: Registry[Optimizer] = Registry("optimizer")


@optimizers.register
class GradientDescent(Optimizer):
    """θ ← θ - lr g, the lecture's descent; PyTorch's `SGD`."""

    type: Literal["gradient_descent"] = "gradient_descent"

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        return theta - lr * grad, ()


@optimizers.register
class Momentum(Optimizer):
    """v ← μ v + g;  θ ← θ - lr v, or with Nesterov θ ← θ - lr (g + μ v).

    PyTorch's `SGD(momentum=μ)`. Sutskever et al. 2013 and Keras have lr inside, v ← μ v - lr g: the same
    for a constant lr, but there a new lr acts on old gradients only by and by. Reference: Polyak 1964;
    Nesterov 1983; Sutskever et al. 2013, ICML.
    """

    type: Literal["momentum"] = "momentum"
    momentum: float = Field(0.9, ge=0, lt=1)
    """μ, the share of the velocity that a step keeps, 0 <= μ < 1."""
    nesterov: bool = False
    """Whether the gradient counts as if taken after the momentum's move."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("velocity",)

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        (velocity,) = slots
        velocity = self.momentum * velocity + grad
        move = grad + self.momentum * velocity if self.nesterov else velocity
        return theta - lr * move, (velocity,)


@optimizers.register
class Nesterov(Momentum):
    """`momentum` with `nesterov: true`."""

    type: Literal["nesterov"] = "nesterov"  # type: ignore[assignment]  # another name of the same options
    nesterov: Literal[True] = True
    """Always true."""


@optimizers.register
class Adagrad(Optimizer):
    """s ← s + g²;  θ ← θ - lr g / (√s + ε).

    Keras begins s at 0.1 and adds ε = 1e-7 under the root. Reference: Duchi et al. 2011, JMLR 12.
    """

    type: Literal["adagrad"] = "adagrad"
    learning_rate: float = Field(1e-2, gt=0)
    """The step size, > 0; the peak of the schedule."""
    initial_accumulator: float = Field(0.0, ge=0)
    """s before the first step, >= 0."""
    epsilon: float = Field(1e-10, gt=0)
    """ε, what keeps the division finite, > 0."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("sum_of_squares",)

    def initial_slots(self, theta: Array) -> Slots:
        return (np.zeros_like(theta) + self.initial_accumulator,)

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        total = slots[0] + np.square(grad)
        return theta - lr * grad / (np.sqrt(total) + self.epsilon), (total,)


@optimizers.register
class RmsProp(Optimizer):
    """s ← ρ s + (1 - ρ) g²;  v ← μ v + g / (√s + ε);  θ ← θ - lr v.

    Centered, m ← ρ m + (1 - ρ) g is the mean gradient, and √(s - m²) takes the place of √s. Rounding can
    make s - m² negative, which counts as 0 here and is a NaN in PyTorch. Hinton's lecture has ρ = 0.9, and
    so has Keras, with ε = 1e-7 under the root. Reference: Tieleman & Hinton 2012, lecture 6.5; Graves 2013,
    arXiv:1308.0850.
    """

    type: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = Field(1e-2, gt=0)
    """The step size, > 0; the peak of the schedule."""
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


@optimizers.register
class Adam(Optimizer):
    """m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;  θ ← θ - lr m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t. Keras adds ε to √v before v is corrected (the
    paper's ε̂), and has ε = 1e-7. Reference: Kingma & Ba 2015, arXiv:1412.6980.

    >>> theta, g = np.array([1.0]), np.array([0.5])
    >>> adam = Adam(learning_rate=0.1)
    >>> float(adam.update(theta, g, adam.initial_slots(theta), lr=0.1, step=1.0)[0][0].round(6))
    0.9
    """

    type: Literal["adam"] = "adam"
    beta1: float = Field(0.9, ge=0, lt=1)
    """β₁, the share of the mean gradient that a step keeps, 0 <= β₁ < 1."""
    beta2: float = Field(0.999, ge=0, lt=1)
    """β₂, the share of the mean square that a step keeps, 0 <= β₂ < 1."""
    epsilon: float = Field(1e-8, gt=0)
    """ε, what keeps the division finite, > 0."""

    @property
    def slots(self) -> tuple[str, ...]:
        return ("mean", "mean_square")

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        mean = self.beta1 * slots[0] + (1 - self.beta1) * grad
        square = self.beta2 * slots[1] + (1 - self.beta2) * np.square(grad)
        rate = lr / _bias_correction(self.beta1, step)
        root = np.sqrt(square) / np.sqrt(_bias_correction(self.beta2, step)) + self.epsilon
        return theta - rate * mean / root, (mean, square)


@optimizers.register
class AdamW(Adam):
    """θ ← (1 - lr λ) θ, and then adam's update: weight decay that the gradient's size does not scale.

    λ multiplies lr, as in PyTorch and Keras; in the paper it multiplies the schedule's factor alone. All
    params decay, biases too, as in PyTorch where all are in one group. Reference: Loshchilov & Hutter 2019,
    arXiv:1711.05101.
    """

    type: Literal["adamw"] = "adamw"  # type: ignore[assignment]  # another name, one more option
    weight_decay: float = Field(1e-2, ge=0)
    """λ, the share of a param that decays in a step of learning rate 1, >= 0."""

    def update(self, theta: Array, grad: Array, slots: Slots, *, lr: Array, step: Array) -> Update:
        return super().update(theta * (1 - lr * self.weight_decay), grad, slots, lr=lr, step=step)


def _bias_correction(beta: float, step: Array) -> Array:
    """1 - betaᵗ; by expm1, because in f32 the subtraction loses half of the digits for beta near 1."""
    return -np.expm1(step * math.log(beta)) if beta > 0 else 1.0
