"""The base class of optimizers: a rule from params and their gradient to the next params.

All work on flat vectors (P,). A slot is a vector that an optimizer carries from step to step; it starts at
zero unless `initial_slots` is overridden. `lr` is the learning rate of this step, `step` counts from 1. The
arithmetic and the defaults are PyTorch's, which follow the papers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

import nnjit.numpy as np
from nnjit.numpy.numbers import is_exactly, log_of
from nnjit.optim.array import Array, NoSlots, SlotType, Update, slot_names
from nnjit.optim.full_batch import FullBatchOptimizer
from nnjit.optim.stated import Stated
from nnjit.registry import NUMBER, Registry

LearningRate: TypeAlias = Annotated[Annotated[float, Field(gt=0)] | Literal["find"], NUMBER]


def _check_factors(factors: dict[str, float] | None) -> dict[str, float] | None:
    for name, factor in (factors or {}).items():
        if factor == 0:
            raise ValueError(f'a factor of 0 for "{name}" freezes it; set trainable: false there instead')
        if factor < 0:
            raise ValueError(f'expected a factor > 0 for "{name}", got {factor:g}')
    return factors


LearningRateFactors: TypeAlias = Annotated[
    dict[str, Annotated[float, WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]] | None,
    AfterValidator(_check_factors),
]


class Optimizer(Stated, ABC):
    """A rule for one update."""

    slot_type: ClassVar[SlotType] = NoSlots
    """The NamedTuple of its slots."""

    type: str
    learning_rate: LearningRate = 1e-3
    """The step size, > 0; the peak of the schedule. `find` takes a tenth of the best rate in a range test."""

    learning_rate_factors: LearningRateFactors = None
    """Factors of the learning rate for the params of some layers, each > 0, such as `{stem: 0.1}`; 1 for all
    others. PyTorch's param groups with their own lr."""

    @property
    def full_batch(self) -> FullBatchOptimizer | None:
        """The full-batch method selected by its options; None for a rule for one update."""
        return None

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors it carries."""
        return tuple(name for name in slot_names(self.slot_type) if name not in self.unused_slots)

    @property
    def unused_slots(self) -> frozenset[str]:
        """The slots not needed with its options."""
        return frozenset()

    @property
    def keeps_still(self) -> bool:
        """Whether a param with gradient 0 stays unchanged, and its slots too."""
        return False

    def initial_slots(self, theta: Array) -> tuple[Array, ...]:
        """The slots before the first step, each like `theta`, in the order of `slots`."""
        return tuple(np.zeros_like(theta) for _ in self.slots)

    def update(
        self, theta: Array, grad: Array, slots: tuple[Array, ...], *, lr: Array, step: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        """The next params and slots.

        Args:
            theta: the params, shape (P,).
            grad: the gradient, shape (P,).
            slots: from `initial_slots` or the previous step.
            lr: learning rate of this step, a scalar, or one for each param, (P,).
            step: 1, 2, …, a scalar of the params' dtype.
        """
        named = self.slot_type(**dict(zip(self.slots, slots, strict=True)))
        theta, named = self._update(theta, grad, named, lr=lr, step=step)
        return theta, tuple(getattr(named, name) for name in self.slots)

    @abstractmethod
    def _update(self, theta: Array, grad: Array, slots: Any, *, lr: Array, step: Array) -> Update:
        """`update` with the slots by name, as a `slot_type`."""


optimizers: Registry[Optimizer | FullBatchOptimizer] = Registry("optimizer")


def bias_correction(beta: float, step: Array) -> Array:
    """1 - betaᵗ, by expm1: in f32 the subtraction loses half of the digits for beta near 1."""
    return 1.0 if is_exactly(beta, 0) else -np.expm1(step * log_of(beta))
