"""Search along a direction of descent for a step that lowers the cost enough.

φ(α) = C(θ + α d) is the cost along the direction d, and φ'(0) = ∇C·d < 0. Armijo's condition,
φ(α) <= φ(0) + c₁ α φ'(0), ensures a sufficient decrease; the strong Wolfe condition, |φ'(α)| <= c₂ |φ'(0)|,
ensures that a step is not too short. Both treat a value that is not finite as too high.

Reference: Nocedal & Wright 2006, Numerical Optimization, chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy

from nnjit.optim.convergence import is_lower
from nnjit.optim.full_batch import Vector

Evaluate = Callable[[Vector], tuple[float, Vector]]

SUFFICIENT_DECREASE = 1e-4
"""c₁, the usual one."""
SMALLEST = 1e-20  # step, relative to the first trial
MOST_TRIALS = 40
LONGER = (1.5, 10.0)  # the smallest and largest growth factor of a step that is too short
INSIDE = 0.1  # a trial's distance from both ends of a bracket, as a fraction of its width


class Point(NamedTuple):
    """A point along the direction.

    Args:
        alpha: the length of the step, in units of the direction.
        theta: its params.
        cost: φ(α).
        gradient: its ∇C.
        slope: φ'(α).
    """

    alpha: float
    theta: Vector
    cost: float
    gradient: Vector
    slope: float

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.cost) and math.isfinite(self.slope)


@dataclass(frozen=True)
class Line:
    """The cost along a direction from a start.

    Args:
        start: the point of step 0.
        curvature: c₂ of the strong Wolfe condition, c₁ < c₂ < 1.
    """

    evaluate: Evaluate
    start: Point
    direction: Vector
    curvature: float = 0.9

    @classmethod
    def of(
        cls, evaluate: Evaluate, theta: Vector, cost: float, gradient: Vector, direction: Vector,
        curvature: float = 0.9,
    ) -> Line:  # fmt: skip
        """The line from `theta`, with known cost and gradient."""
        slope = float(gradient @ direction)
        return cls(evaluate, Point(0.0, theta, cost, gradient, slope), direction, curvature)

    def at(self, alpha: float) -> Point:
        """The point at step `alpha`, by one evaluation."""
        theta = moved(self.start.theta, alpha * self.direction)
        cost, gradient = self.evaluate(theta)
        return Point(alpha, theta, cost, gradient, float(gradient @ self.direction))

    def is_low(self, point: Point) -> bool:
        """Whether Armijo's condition holds, by more than rounding."""
        bound = self.start.cost + SUFFICIENT_DECREASE * point.alpha * self.start.slope
        return point.is_finite and point.cost <= bound and is_lower(point.cost, self.start.cost, point.theta)

    def is_flat(self, point: Point) -> bool:
        """Whether the curvature condition holds in its strong form."""
        return abs(point.slope) <= -self.curvature * self.start.slope


Search = Callable[[Line, float], Point | None]


def armijo(line: Line, first: float) -> Point | None:
    """Shorten the step α until it meets Armijo's condition; None if it never does.

    Each next step is the minimum of the parabola through the known values, between a tenth and half of the
    last one.

    Args:
        first: the step to try first, > 0.
    """
    alpha = first
    while alpha > SMALLEST * first:
        point = line.at(alpha)
        if line.is_low(point):
            return point
        alpha *= _shrink(line, point)
    return None


def strong_wolfe(line: Line, first: float) -> Point | None:
    """Find a step that meets both Wolfe conditions, or at least Armijo's; None if there is none.

    Steps grow until they bracket a minimum, then the bracket shrinks: Nocedal & Wright's algorithms 3.5 and
    3.6, with trials from secants and cubics, kept away from the bracket's ends. Near a minimum only Armijo's
    condition is left, because rounding hides the other.

    Args:
        first: the step to try first, > 0.
    """
    before, point = line.start, line.at(first)
    for _ in range(MOST_TRIALS):
        if not point.is_finite or not line.is_low(point) or (before.alpha and point.cost >= before.cost):
            return _zoom(line, _Bracket(before, point))
        if line.is_flat(point):
            return point
        if point.slope >= 0:
            return _zoom(line, _Bracket(point, before))
        before, point = point, line.at(_longer(before, point))
    return before if line.is_low(before) else None


class _Bracket(NamedTuple):
    """Two points with a good step between them; `low` has the lower cost and meets Armijo's condition."""

    low: Point
    high: Point

    @property
    def trial(self) -> float:
        """A step between them: the minimum of a cubic, kept away from the ends."""
        width = self.high.alpha - self.low.alpha
        fraction = _cubic_minimum(self.low, self.high, width)
        return self.low.alpha + width * min(max(fraction, INSIDE), 1 - INSIDE)


def _zoom(line: Line, bracket: _Bracket) -> Point | None:
    for _ in range(MOST_TRIALS):
        point = line.at(bracket.trial)
        if not line.is_low(point) or point.cost >= bracket.low.cost:
            bracket = bracket._replace(high=point)
        elif line.is_flat(point):
            return point
        elif point.slope * (bracket.high.alpha - bracket.low.alpha) >= 0:
            bracket = _Bracket(point, bracket.low)
        else:
            bracket = bracket._replace(low=point)
    return bracket.low if line.is_low(bracket.low) else None


def _cubic_minimum(low: Point, high: Point, width: float) -> float:
    """The minimum of the cubic through two points, as a fraction of the width from `low`.

    Nocedal & Wright (3.59); 1/2 if there is none, or a value is not finite.
    """
    if not high.is_finite:
        return 0.5
    a, b = low.slope * width, high.slope * width
    theta = 3 * (low.cost - high.cost) + a + b
    square = theta * theta - a * b
    if square < 0 or not math.isfinite(square):
        return 0.5
    root = math.sqrt(square)
    below = b - a + 2 * root
    return 1 - (b + root - theta) / below if below else 0.5


def _longer(before: Point, point: Point) -> float:
    """A longer step: the secant of the last two slopes, extrapolated to 0."""
    bend = point.slope - before.slope
    width = point.alpha - before.alpha
    guess = point.alpha - width * point.slope / bend if bend > 0 else math.inf
    return min(max(guess, LONGER[0] * point.alpha), LONGER[1] * point.alpha)


def _shrink(line: Line, point: Point) -> float:
    """The minimum of the parabola with φ(0), φ'(0) and φ(α), as a fraction of α in [0.1, 0.5]."""
    if not math.isfinite(point.cost):
        return 0.5
    fall = line.start.slope * point.alpha
    rise = point.cost - line.start.cost - fall
    return min(max(-fall / (2 * rise), 0.1), 0.5) if rise > 0 else 0.5


LineSearch = Literal["armijo", "wolfe"]
SEARCHES: dict[LineSearch, Search] = {"armijo": armijo, "wolfe": strong_wolfe}


def first_step(decrease: float, slope: float, longest: float) -> float:
    """The first step to try: the minimum of a parabola with the last iteration's decrease.

    Nocedal & Wright (3.60).

    Args:
        decrease: the decrease of the cost in the last iteration, > 0.
        slope: φ'(0) < 0.
        longest: an upper bound on the step; inf for none.
    """
    return min(longest, 1.01 * 2 * decrease / -slope)


def moved(theta: Vector, step: Vector) -> Vector:
    """θ + step, rounded to the params' dtype; the cost is evaluated there."""
    return numpy.asarray(theta + step, theta.dtype)


def norm(vector: Vector) -> float:
    """The Euclidean norm."""
    return float(numpy.linalg.norm(vector))
