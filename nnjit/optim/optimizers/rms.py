"""Optimizers that divide each param's gradient by the root of a sum or mean of its squares."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

import nnjit.numpy as np
from nnjit.numpy.numbers import is_exactly
from nnjit.optim.array import Array, SlotType, Update
from nnjit.optim.optimizer import LearningRate, Optimizer, optimizers
from nnjit.registry import Number


class AdagradSlots(NamedTuple):
    """The sum s of the squared gradients."""

    sum_of_squares: Array


class AdadeltaSlots(NamedTuple):
    """The means of the squared gradient, s, and of the squared move, d."""

    mean_square: Array
    mean_square_move: Array


class RmsPropSlots(NamedTuple):
    """The mean s of the squared gradient, or if `centered` its variance and its mean m; the velocity v."""

    mean_square: Array
    mean: Array = None
    velocity: Array = None


@optimizers.register
class Adagrad(Optimizer):
    """Keras begins with s = 0.1 and adds ε = 1e-7 under the root. Reference: Duchi et al. 2011, JMLR 12."""

    equations = ("s ← s + g²", "θ ← θ - lr g / (√s + ε)")

    slot_type: ClassVar[SlotType] = AdagradSlots
    type: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = 1e-2
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""
    initial_accumulator: Number = Field(0.0, ge=0)
    """s before the first step, >= 0."""
    epsilon: Number = Field(1e-10, gt=0)
    """ε, which keeps the division finite, > 0."""

    def initial_slots(self, theta: Array) -> tuple[Array, ...]:
        return AdagradSlots(sum_of_squares=np.zeros_like(theta) + self.initial_accumulator)

    @property
    def keeps_still(self) -> bool:
        return True

    def _update(self, theta: Array, grad: Array, slots: AdagradSlots, *, lr: Array, step: Array) -> Update:
        total = slots.sum_of_squares + np.square(grad)
        return theta - lr * grad / (np.sqrt(total) + self.epsilon), AdagradSlots(total)


@optimizers.register
class Adadelta(Optimizer):
    """The paper has no lr, hence the default of 1, as in PyTorch; Keras has lr = 1e-3, ρ = 0.95 and ε = 1e-7.
    It begins slowly, with steps of √ε. Reference: Zeiler 2012, arXiv:1212.5701.
    """

    equations = ("s ← ρ s + (1 - ρ) g²", "δ = g √(d + ε) / √(s + ε)", "d ← ρ d + (1 - ρ) δ²", "θ ← θ - lr δ")

    slot_type: ClassVar[SlotType] = AdadeltaSlots
    type: Literal["adadelta"] = "adadelta"
    learning_rate: LearningRate = 1.0
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""
    decay: Number = Field(0.9, ge=0, lt=1)
    """ρ, the fraction of both mean squares that a step keeps, 0 <= ρ < 1; PyTorch's `rho`."""
    epsilon: Number = Field(1e-6, gt=0)
    """ε, which sets the size √ε of the first steps, > 0."""

    def _update(self, theta: Array, grad: Array, slots: AdadeltaSlots, *, lr: Array, step: Array) -> Update:
        square = self.decay * slots.mean_square + (1 - self.decay) * np.square(grad)
        move = grad * np.sqrt(slots.mean_square_move + self.epsilon) / np.sqrt(square + self.epsilon)
        square_move = self.decay * slots.mean_square_move + (1 - self.decay) * np.square(move)
        return theta - lr * move, AdadeltaSlots(square, square_move)


@optimizers.register
class RmsProp(Optimizer):
    """Centered, m ← ρ m + (1 - ρ) g is the mean gradient, and √(s - m²) replaces √s. This variance V is
    stored itself, as V ← ρ (V + (1 - ρ) (g - m)²) with the old m: a difference of squares loses every digit
    if the gradient hardly varies, and in PyTorch it can be a NaN. Hinton's lecture has ρ = 0.9, and so does
    Keras, with ε = 1e-7 under the root. Reference: Tieleman & Hinton 2012, lecture 6.5; Graves 2013,
    arXiv:1308.0850.
    """

    equations = ("s ← ρ s + (1 - ρ) g²", "v ← μ v + g / (√s + ε)", "θ ← θ - lr v")

    slot_type: ClassVar[SlotType] = RmsPropSlots
    type: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = 1e-2
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""
    decay: Number = Field(0.99, ge=0, lt=1)
    """ρ, the fraction of the mean square that a step keeps, 0 <= ρ < 1; PyTorch's `alpha`."""
    momentum: Number = Field(0.0, ge=0, lt=1)
    """μ, the fraction of the velocity that a step keeps, 0 <= μ < 1."""
    centered: bool = False
    """Whether to use the gradient's variance instead of its mean square."""
    epsilon: Number = Field(1e-8, gt=0)
    """ε, which keeps the division finite, > 0."""

    @property
    def unused_slots(self) -> frozenset[str]:
        is_used = {"mean": self.centered, "velocity": not is_exactly(self.momentum, 0)}
        return frozenset(name for name, used in is_used.items() if not used)

    def _update(self, theta: Array, grad: Array, slots: RmsPropSlots, *, lr: Array, step: Array) -> Update:
        mean, velocity = slots.mean, slots.velocity
        if self.centered:
            apart = grad - mean
            square = self.decay * (slots.mean_square + (1 - self.decay) * np.square(apart))
            mean = mean + (1 - self.decay) * apart
        else:
            square = self.decay * slots.mean_square + (1 - self.decay) * np.square(grad)
        move = grad / (np.sqrt(square) + self.epsilon)
        if not is_exactly(self.momentum, 0):
            move = velocity = self.momentum * velocity + move
        return theta - lr * move, RmsPropSlots(square, mean, velocity)
