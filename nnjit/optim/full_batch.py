"""The base class of full-batch optimizers, whose iterations evaluate the cost of all examples at will.

A step optimizer (`Optimizer`) is part of the compiled step and sees one gradient per update. Line search,
quasi-Newton and least-squares methods evaluate the cost several times before they move, so they are functions
of NumPy vectors and of a `Problem`, whose functions may come from anywhere. An epoch is one outer iteration.
The next one depends on a tuple of arrays, its slots, which a checkpoint can hold.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NoReturn

import numpy
from pydantic import model_validator

from nnjit.optim.stated import Stated

Vector = numpy.ndarray
Need = Literal["gradient", "product", "jacobian"]


def _missing(*_: Vector) -> NoReturn:
    raise NotImplementedError("this problem has no such function")


@dataclass(frozen=True)
class Problem:
    """A cost C(θ) to minimise, as functions of the params θ (P,); they return float64.

    Args:
        gradient: θ → (C, ∇C).
        product: (θ, v) → H v, with H the Hessian of C.
        residuals: θ → r (M,), with C = Σ rᵢ².
        jacobian: θ → (r, J), with J = ∂r/∂θ of shape (M, P).
    """

    gradient: Callable[[Vector], tuple[float, Vector]] = _missing
    product: Callable[[Vector, Vector], Vector] = _missing
    residuals: Callable[[Vector], Vector] = _missing
    jacobian: Callable[[Vector], tuple[Vector, Vector]] = _missing


@dataclass(frozen=True)
class Iteration:
    """The result of one iteration.

    Args:
        theta: the params, with the same cost or a lower one.
        slots: the state for the next iteration.
        values: by column of the history, e.g. the length of the step.
        stop_reason: why another iteration would change nothing; empty if it might.
    """

    theta: Vector
    slots: tuple[Vector, ...]
    values: Mapping[str, float] = field(default_factory=dict)
    stop_reason: str = ""


class FullBatchOptimizer(Stated, ABC):
    """A method for the whole training part at once, with one iteration per epoch."""

    needs: ClassVar[Need] = "gradient"
    """The derivatives that it needs: gradients alone, products with the Hessian too, or the Jacobian."""
    columns: ClassVar[tuple[str, ...]] = ("step_length",)
    """The columns that it adds to the history."""

    type: str

    @model_validator(mode="before")
    @classmethod
    def _has_no_learning_rate(cls, options: Any) -> Any:
        if isinstance(options, Mapping) and "learning_rate_factors" in options:
            raise ValueError(
                f"{cls.model_fields['type'].default} finds the length of its steps itself, so there is no "
                "learning rate to multiply; omit learning_rate_factors"
            )
        return options

    @property
    def full_batch(self) -> FullBatchOptimizer:
        """Itself; a step optimizer returns None."""
        return self

    @property
    def learning_rate(self) -> float:
        """1: the method finds the length of its steps itself, so a schedule has nothing to scale."""
        return 1.0

    @property
    def slots(self) -> tuple[str, ...]:
        """Empty: a compiled step carries no vectors."""
        return ()

    @abstractmethod
    def initial_slots(self, theta: Vector) -> tuple[Vector, ...]:
        """The slots before the first iteration."""

    @abstractmethod
    def iterate(self, problem: Problem, theta: Vector, slots: tuple[Vector, ...]) -> Iteration:
        """One iteration from `theta`.

        Args:
            theta: the params, (P,), in their own dtype; they are not modified.
            slots: from `initial_slots` or the previous iteration.

        Raises:
            FloatingPointError: the cost or derivative at `theta` is not finite.
        """


def check_finite(cost: float, derivative: Vector) -> None:
    """Raise a FloatingPointError if an iteration would start from a value that is not finite."""
    if not (math.isfinite(cost) and numpy.isfinite(derivative).all()):
        raise FloatingPointError("the cost or its derivative is not finite")
