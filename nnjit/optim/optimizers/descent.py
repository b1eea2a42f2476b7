"""Optimizers that follow the gradient, or its mean, with one step size for all params."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import Field, model_validator

import nnjit.numpy as np
from nnjit.optim.array import Array, NoSlots, SlotType, Update
from nnjit.optim.full_batch import FullBatchOptimizer
from nnjit.optim.line_search import LineSearch
from nnjit.optim.optimizer import LearningRate, Optimizer, optimizers
from nnjit.optim.optimizers.searching import SteepestDescent
from nnjit.registry import Number


class VelocitySlots(NamedTuple):
    """The velocity v, a decaying sum of gradients."""

    velocity: Array


class LionSlots(NamedTuple):
    """The mean m of the gradient."""

    mean: Array


@optimizers.register
class GradientDescent(Optimizer):
    """With a line search, lr is the first step that the first epoch tries; later epochs begin with the step
    that the last decrease of the cost suggests. Reference: Nocedal & Wright 2006, chapter 3.
    """

    equations = ("θ ← θ - lr g, the lecture's descent and PyTorch's `SGD`",)

    type: Literal["gradient_descent"] = "gradient_descent"
    also_called: ClassVar[tuple[str, ...]] = ("sgd", "steepest_descent")
    line_search: LineSearch | Literal["none"] = "none"
    """How to choose the step: `none` takes the learning rate; `armijo` shortens a step until the cost falls
    by a fraction of what the slope promises; `wolfe` also demands a much smaller slope at its end (c₂ = 0.1).
    A line search needs full batches."""

    @model_validator(mode="after")
    def _needs_a_number_to_search_from(self) -> Self:
        if self.line_search != "none" and self.learning_rate == "find":
            raise ValueError(
                f"line_search: {self.line_search} finds the step itself, and starts with the learning rate; "
                "give learning_rate a number instead of find"
            )
        return self

    @property
    def full_batch(self) -> FullBatchOptimizer | None:
        if self.line_search == "none" or self.learning_rate == "find":
            return None
        return SteepestDescent(line_search=self.line_search, initial_step=self.learning_rate)

    @property
    def keeps_still(self) -> bool:
        return True

    def _update(self, theta: Array, grad: Array, slots: NoSlots, *, lr: Array, step: Array) -> Update:
        return theta - lr * grad, slots


@optimizers.register
class Momentum(Optimizer):
    """PyTorch's `SGD(momentum=μ)`. Sutskever et al. 2013 and Keras have lr inside, v ← μ v - lr g: the same
    for a constant lr, but there a new lr affects old gradients only gradually. Reference: Polyak 1964;
    Nesterov 1983; Sutskever et al. 2013, ICML.
    """

    equations = ("v ← μ v + g", "θ ← θ - lr v, or with Nesterov θ ← θ - lr (g + μ v)")

    slot_type: ClassVar[SlotType] = VelocitySlots
    type: Literal["momentum"] = "momentum"
    momentum: Number = Field(0.9, ge=0, lt=1)
    """μ, the fraction of the velocity that a step keeps, 0 <= μ < 1."""
    nesterov: bool = False
    """Whether to use the gradient as if taken after the momentum's move."""

    def _update(self, theta: Array, grad: Array, slots: VelocitySlots, *, lr: Array, step: Array) -> Update:
        velocity = self.momentum * slots.velocity + grad
        move = grad + self.momentum * velocity if self.nesterov else velocity
        return theta - lr * move, VelocitySlots(velocity)


@optimizers.register
class Nesterov(Momentum):
    equations = ("v ← μ v + g", "θ ← θ - lr (g + μ v): `momentum` with `nesterov: true`")

    type: Literal["nesterov"] = "nesterov"  # type: ignore[assignment]  # another name of the same options
    also_called: ClassVar[tuple[str, ...]] = ("nag",)
    nesterov: Literal[True] = True
    """Always true."""


@optimizers.register
class Lion(Optimizer):
    """Every param moves by lr, whatever its gradient, so lr should be 3 to 10 times smaller than for adam,
    and λ as much larger. PyTorch has no Lion; optax's `lion` has λ = 1e-3 by default. Reference: Chen et al.
    2023, arXiv:2302.06675, algorithm 2.
    """

    equations = ("θ ← θ - lr (sign(β₁ m + (1 - β₁) g) + λ θ)", "m ← β₂ m + (1 - β₂) g")

    slot_type: ClassVar[SlotType] = LionSlots
    type: Literal["lion"] = "lion"
    learning_rate: LearningRate = 1e-4
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""
    beta1: Number = Field(0.9, ge=0, lt=1)
    """β₁, the fraction of the mean gradient in the direction of a step, 0 <= β₁ < 1."""
    beta2: Number = Field(0.99, ge=0, lt=1)
    """β₂, the fraction of the mean gradient that a step keeps, 0 <= β₂ < 1."""
    weight_decay: Number = Field(0.0, ge=0)
    """λ, the fraction by which a param decays in a step of learning rate 1, >= 0."""

    def _update(self, theta: Array, grad: Array, slots: LionSlots, *, lr: Array, step: Array) -> Update:
        direction = np.sign(self.beta1 * slots.mean + (1 - self.beta1) * grad)
        mean = self.beta2 * slots.mean + (1 - self.beta2) * grad
        return theta * (1 - lr * self.weight_decay) - lr * direction, LionSlots(mean)
