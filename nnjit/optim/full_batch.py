"""What every full-batch optimizer is: iterations that ask for the cost of all examples as often as they like.

A step optimizer (`Optimizer`) is part of the compiled step and sees one gradient for each update. Line
searches, quasi-Newton and least-squares methods evaluate the cost several times before they move, so they
are functions of NumPy vectors and of a `Problem`, whose functions may come from anywhere. An epoch is one
outer iteration; what the next one depends on is a tuple of arrays, so that a checkpoint holds it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy

from nnjit.registry import Options

Vector = numpy.ndarray
Memory = tuple[numpy.ndarray, ...]
Need = Literal["gradient", "product", "jacobian"]


def _missing(*_: Vector) -> Vector:
    raise NotImplementedError("this problem has no such function")


@dataclass(frozen=True)
class Problem:
    """A cost C(θ) to be lowered, as functions of the params θ (P,); what they return is float64.

    Args:
        gradient: θ → (C, ∇C).
        product: (θ, v) → H v, with H the Hessian of C.
        residuals: θ → r (M,), with C = Σ rᵢ².
        jacobian: θ → (r, J), with J = ∂r/∂θ of shape (M, P).
    """

    gradient: Callable[[Vector], tuple[float, Vector]] = _missing  # type: ignore[assignment]
    product: Callable[[Vector, Vector], Vector] = _missing
    residuals: Callable[[Vector], Vector] = _missing
    jacobian: Callable[[Vector], tuple[Vector, Vector]] = _missing  # type: ignore[assignment]


@dataclass(frozen=True)
class Iteration:
    """What one iteration gave.

    Args:
        theta: the params, of a cost that is lower or the same.
        memory: what the next iteration starts from.
        figures: what the history tells of it, e.g. the length of the step.
        ending: why a further iteration would change nothing; empty where one may.
    """

    theta: Vector
    memory: Memory
    figures: Mapping[str, float] = field(default_factory=dict)
    ending: str = ""


class FullBatchOptimizer(Options, ABC):
    """A method that takes the whole training part at once, an iteration an epoch."""

    needs: ClassVar[Need] = "gradient"
    """What it asks of a problem: costs and gradients, products with the Hessian too, or the Jacobian."""
    figures: ClassVar[tuple[str, ...]] = ("step_length",)
    """The columns that it adds to the history."""

    type: str

    @property
    def full_batch(self) -> FullBatchOptimizer:
        """Itself; a step optimizer has None here."""
        return self

    @property
    def learning_rate(self) -> float:
        """1: the method finds the length of its steps itself, and a schedule has nothing to scale."""
        return 1.0

    @property
    def slots(self) -> tuple[str, ...]:
        """None: no vectors go through a compiled step."""
        return ()

    @abstractmethod
    def initial_slots(self, theta: Vector) -> Memory:
        """What the first iteration starts from."""

    @abstractmethod
    def iterate(self, problem: Problem, theta: Vector, memory: Memory) -> Iteration:
        """One iteration from `theta`.

        Args:
            theta: the params, (P,), in their own dtype; they are not changed.
            memory: as the previous iteration, or `initial_slots`, returned it.

        Raises:
            FloatingPointError: cost or derivative at `theta` is not finite.
        """


def check_finite(cost: float, derivative: Vector) -> None:
    """Raise a FloatingPointError where an iteration would start from what is not finite."""
    if not (math.isfinite(cost) and numpy.isfinite(derivative).all()):
        raise FloatingPointError("the cost or its derivative is not finite")
