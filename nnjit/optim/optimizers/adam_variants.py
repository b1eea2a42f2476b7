"""Variants of Adam: with the infinity norm, with Nesterov momentum, and with a rectified start."""

from __future__ import annotations

import math
from typing import ClassVar, Literal, NamedTuple

import numpy
from pydantic import Field

import nnjit.numpy as np
from nnjit.numpy.numbers import log_of
from nnjit.optim.array import Array, SlotType, Update
from nnjit.optim.optimizer import LearningRate, bias_correction, optimizers
from nnjit.optim.optimizers.adam import MomentOptimizer, Moments
from nnjit.registry import Number

# Terms of the series in Nadam: the rest is below 2⁻⁴⁸ of the sum.
TERMS = numpy.arange(1, 49)


class AdamaxSlots(NamedTuple):
    """The mean m of the gradient, and the largest recent gradient u."""

    mean: Array
    largest: Array


@optimizers.register
class Adamax(MomentOptimizer):
    """Adam with the largest recent gradient instead of the root of the mean square. The paper has no ε; Keras
    adds it to u. Reference: Kingma & Ba 2015, arXiv:1412.6980, section 7.1.
    """

    equations = (
        "m ← β₁ m + (1 - β₁) g",
        "u ← max(β₂ u, |g| + ε)",
        "θ ← θ - lr m̂ / u, with m̂ = m / (1 - β₁ᵗ)",
    )

    slot_type: ClassVar[SlotType] = AdamaxSlots
    type: Literal["adamax"] = "adamax"
    learning_rate: LearningRate = 2e-3
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""

    def _update(self, theta: Array, grad: Array, slots: AdamaxSlots, *, lr: Array, step: Array) -> Update:
        mean = self.beta1 * slots.mean + (1 - self.beta1) * grad
        largest = np.maximum(self.beta2 * slots.largest, np.abs(grad) + self.epsilon)
        theta = theta - lr / bias_correction(self.beta1, step) * mean / largest
        return theta, AdamaxSlots(mean, largest)


@optimizers.register
class Nadam(MomentOptimizer):
    """The momentum rises to β₁ as μₜ = β₁ (1 - 0.96^(ψt) / 2), and Πₜ = μ₁ μ₂ … μₜ. As in PyTorch, and so
    Dozat's; Keras has ψ = 1 and ε = 1e-7. Πₜ is not stored: with q = 0.96^ψ, its logarithm is t log β₁
    - Σₖ (q/2)ᵏ (1 - qᵏᵗ) / (k (1 - qᵏ)), in which nothing cancels. Reference: Dozat 2016, ICLR workshop,
    "Incorporating Nesterov momentum into Adam".
    """

    equations = (
        "m ← β₁ m + (1 - β₁) g",
        "v ← β₂ v + (1 - β₂) g²",
        "θ ← θ - lr ((1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁)) / (√v̂ + ε), with v̂ = v / (1 - β₂ᵗ)",
    )

    type: Literal["nadam"] = "nadam"
    learning_rate: LearningRate = 2e-3
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""
    beta1: Number = Field(0.9, gt=0, lt=1)
    """β₁, the momentum after many steps, the fraction of the mean gradient that a step keeps, 0 < β₁ < 1."""
    momentum_decay: Number = Field(4e-3, gt=0)
    """ψ, how quickly the momentum rises to β₁, > 0."""

    def _update(self, theta: Array, grad: Array, slots: Moments, *, lr: Array, step: Array) -> Update:
        new = self.moments(grad, slots)
        here, ahead = (np.astype(factor, theta.dtype) for factor in self._factors(np.astype(step, "f64")))
        move = (here * grad + ahead * new.mean) / self.root(new.mean_square, step)
        return theta - lr * move, new

    def _factors(self, step: Array) -> tuple[Array, Array]:
        """The factors (1 - μₜ) / (1 - Πₜ) of g, and μₜ₊₁ / (1 - Πₜ₊₁) of m."""
        momentum, following = self._momentum(step), self._momentum(step + 1)
        log_product = self._log_product(step)
        return (
            (1 - momentum) / -np.expm1(log_product),
            following / -np.expm1(log_product + np.log(following)),
        )

    def _momentum(self, step: Array) -> Array:
        return self.beta1 * (1 - 0.5 * np.exp(step * (self.momentum_decay * math.log(0.96))))

    def _log_product(self, step: Array) -> Array:
        log_powers = TERMS * (self.momentum_decay * math.log(0.96))  # log qᵏ
        weights = numpy.exp(log_powers) * 0.5**TERMS / (TERMS * -numpy.expm1(log_powers))
        return step * log_of(self.beta1) + np.sum(weights * np.expm1(step * log_powers))


@optimizers.register
class RAdam(MomentOptimizer):
    """Adam that begins with momentum's steps, until v is accurate enough to divide by: it averages ρ = ρ∞ -
    2t β₂ᵗ / (1 - β₂ᵗ) gradients, with ρ∞ = 2 / (1 - β₂) - 1. m̂ and v̂ are adam's, and r² = (ρ - 4) (ρ - 2)
    ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ). The paper's bound is 4; PyTorch has 5, and adds ε to √v, as here. Reference:
    Liu et al. 2020, arXiv:1908.03265.
    """

    equations = (
        "m ← β₁ m + (1 - β₁) g",
        "v ← β₂ v + (1 - β₂) g²",
        "θ ← θ - lr r m̂ / √v̂, but θ ← θ - lr m̂ if ρ ≤ 5",
    )

    type: Literal["radam"] = "radam"

    def _update(self, theta: Array, grad: Array, slots: Moments, *, lr: Array, step: Array) -> Update:
        new = self.moments(grad, slots)
        lr = lr / bias_correction(self.beta1, step)
        is_rectified, factor = self._rectification(np.astype(step, "f64"))
        adapted = np.astype(factor, theta.dtype) / (np.sqrt(new.mean_square) + self.epsilon)
        return theta - lr * new.mean * np.where(is_rectified, adapted, 1.0), new

    def _rectification(self, step: Array) -> tuple[Array, Array]:
        """Whether v is used, and r √(1 - β₂ᵗ); in f64, since ρ is the difference of two large numbers."""
        limit = 2 / (1 - self.beta2) - 1  # ρ∞
        correction = bias_correction(self.beta2, step)
        rho = limit - 2 * step * (1 - correction) / correction
        # At least 5 below, so that the root exists even where it is not used.
        most, bounded = np.maximum(limit, 5.0), np.maximum(rho, 5.0)
        square = (bounded - 4) * (bounded - 2) * most / ((most - 4) * (most - 2) * bounded)
        return rho > 5.0, np.sqrt(square * correction)
