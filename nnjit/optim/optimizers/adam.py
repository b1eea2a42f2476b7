"""Adam: steps along the mean gradient, divided by the root of its mean square."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from pydantic import Field

import nnjit.numpy as np
from nnjit.optim.array import Array, SlotType, Update
from nnjit.optim.optimizer import Optimizer, bias_correction, optimizers
from nnjit.registry import Number


class Moments(NamedTuple):
    """The mean m of the gradient, and the mean v of its square."""

    mean: Array
    mean_square: Array


class AdamSlots(NamedTuple):
    """m, v, and with `amsgrad` the largest v so far."""

    mean: Array
    mean_square: Array
    largest_mean_square: Array = None


class MomentOptimizer(Optimizer):
    """An optimizer that carries the mean m of the gradient and the mean v of its square."""

    slot_type: ClassVar[SlotType] = Moments
    beta1: Number = Field(0.9, ge=0, lt=1)
    """β₁, the fraction of the mean gradient that a step keeps, 0 <= β₁ < 1."""
    beta2: Number = Field(0.999, ge=0, lt=1)
    """β₂, the fraction of the mean square that a step keeps, 0 <= β₂ < 1."""
    epsilon: Number = Field(1e-8, gt=0)
    """ε, which keeps the division finite, > 0."""

    def moments(self, grad: Array, slots: Moments | AdamSlots) -> Moments:
        """The next m and v; they start at 0 and so are too small by a factor of 1 - βᵗ."""
        mean = self.beta1 * slots.mean + (1 - self.beta1) * grad
        return Moments(mean, self.beta2 * slots.mean_square + (1 - self.beta2) * np.square(grad))

    def root(self, square: Array, step: Array) -> Array:
        """√v̂ + ε, with v̂ = v / (1 - β₂ᵗ)."""
        return np.sqrt(square) / np.sqrt(bias_correction(self.beta2, step)) + self.epsilon


@optimizers.register
class Adam(MomentOptimizer):
    """m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t. With `amsgrad`, the largest v so far replaces v,
    as in PyTorch; its paper has no bias correction. Keras adds ε to √v before v is corrected (the paper's
    ε̂), and has ε = 1e-7. Reference: Kingma & Ba 2015, arXiv:1412.6980; Reddi et al. 2018, arXiv:1904.09237.

    >>> theta, g = np.array([1.0]), np.array([0.5])
    >>> adam = Adam(learning_rate=0.1)
    >>> float(adam.update(theta, g, adam.initial_slots(theta), lr=0.1, step=1.0)[0][0].round(6))
    0.9
    """

    equations: ClassVar[tuple[str, ...]] = (
        "m ← β₁ m + (1 - β₁) g",
        "v ← β₂ v + (1 - β₂) g²",
        "θ ← θ - lr m̂ / (√v̂ + ε)",
    )

    slot_type: ClassVar[SlotType] = AdamSlots
    type: Literal["adam"] = "adam"
    amsgrad: bool = False
    """Whether to divide by the largest mean square so far instead of the latest, so a step size never grows
    again."""

    @property
    def unused_slots(self) -> frozenset[str]:
        return frozenset() if self.amsgrad else frozenset({"largest_mean_square"})

    def _update(self, theta: Array, grad: Array, slots: AdamSlots, *, lr: Array, step: Array) -> Update:
        new = self.moments(grad, slots)
        square, largest = new.mean_square, None
        if self.amsgrad:
            square = largest = np.maximum(slots.largest_mean_square, square)
        lr = lr / bias_correction(self.beta1, step)
        theta = theta - lr * new.mean / self.root(square, step)
        return theta, AdamSlots(new.mean, new.mean_square, largest)


@optimizers.register
class AdamW(Adam):
    """Adam, with the same m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ) and `amsgrad`, and a weight decay that does
    not scale with the gradient. λ multiplies lr, as in PyTorch and Keras; in the paper it multiplies the
    schedule's factor alone. All params decay, biases too, as in PyTorch if all are in one group.
    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101.
    """

    equations = (
        "θ ← (1 - lr λ) θ",
        "m ← β₁ m + (1 - β₁) g",
        "v ← β₂ v + (1 - β₂) g²",
        "θ ← θ - lr m̂ / (√v̂ + ε)",
    )

    type: Literal["adamw"] = "adamw"  # type: ignore[assignment]  # another name, one more option
    weight_decay: Number = Field(1e-2, ge=0)
    """λ, the fraction by which a param decays in a step of learning rate 1, >= 0."""

    def _update(self, theta: Array, grad: Array, slots: AdamSlots, *, lr: Array, step: Array) -> Update:
        return super()._update(theta * (1 - lr * self.weight_decay), grad, slots, lr=lr, step=step)
