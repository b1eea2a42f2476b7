"""Full-batch optimizers that choose a direction of descent, and search along it for a lower cost."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy
from pydantic import Field

from nnjit.optim.convergence import NO_LOWER, STATIONARY, is_zero_beside, largest
from nnjit.optim.full_batch import FullBatchOptimizer, Iteration, Memory, Need, Problem, Vector, check_finite
from nnjit.optim.line_search import SEARCHES, Line, LineSearch, Point, first_step, norm
from nnjit.optim.optimizer import optimizers


@dataclass(frozen=True)
class Start:
    """Where an iteration begins.

    Args:
        decrease: how much the cost fell in the iteration before; 0 in the first one.
        first: the largest element of the first iteration's gradient.
    """

    theta: Vector
    cost: float
    gradient: Vector
    decrease: float
    first: float

    @property
    def downhill(self) -> Vector:
        """The direction of steepest descent."""
        return -self.gradient


class LineSearchOptimizer(FullBatchOptimizer):
    """θ ← θ + α d, with a direction d that each subclass chooses and α by a line search.

    The memory is [largest element of the first gradient, cost, last decrease], the gradient, and what is the
    subclass's own; the first of them is 0 until it is known.
    Where no lower cost is found along d, the method starts afresh from the steepest descent.
    """

    curvature: ClassVar[float] = 0.9
    """c₂ of the strong Wolfe condition."""

    def initial_slots(self, theta: Vector) -> Memory:
        return (numpy.zeros(3), numpy.zeros(theta.size), *self._fresh(theta))

    def iterate(self, problem: Problem, theta: Vector, memory: Memory) -> Iteration:
        start, own = _start(problem, theta, memory), memory[2:]
        if is_zero_beside(start.first, start.gradient, theta):
            return self._still(start, own, STATIONARY)
        afresh = (start.downhill, self._fresh(theta))
        for direction, kept in ((self._direction(problem, start, own), own), afresh):
            if start.gradient @ direction < 0:
                line = Line.of(problem.gradient, theta, start.cost, start.gradient, direction, self.curvature)
                point = SEARCHES[self._search](line, self._first(start, line.start.slope))
                if point is not None:
                    return self._moved(start, direction, point, kept)
        return self._still(start, own, NO_LOWER)

    @property
    def _search(self) -> LineSearch:
        return "wolfe"

    def _fresh(self, theta: Vector) -> Memory:
        """Its own memory before the first iteration."""
        return ()

    @abstractmethod
    def _direction(self, problem: Problem, start: Start, own: Memory) -> Vector:
        """The direction d."""

    def _first(self, start: Start, slope: float) -> float:
        """The step to try first; 1 is the full step of Newton's method and its kin."""
        return 1.0

    def _remembered(self, start: Start, direction: Vector, point: Point, own: Memory) -> Memory:
        """Its own memory after a step."""
        return own

    def _moved(self, start: Start, direction: Vector, point: Point, own: Memory) -> Iteration:
        facts = numpy.array([start.first, point.cost, start.cost - point.cost])
        memory = (facts, point.gradient, *self._remembered(start, direction, point, own))
        return Iteration(point.theta, memory, {"step_length": point.alpha})

    def _still(self, start: Start, own: Memory, ending: str) -> Iteration:
        facts = numpy.array([start.first, start.cost, start.decrease])
        return Iteration(start.theta, (facts, start.gradient, *own), {"step_length": 0.0}, ending)


class SteepestDescent(LineSearchOptimizer):
    """d ← -∇C;  θ ← θ + α d, α by a line search: full batch, an iteration an epoch.

    The step that is tried first is the learning rate, and in later iterations what the last decrease of the
    cost suggests. With φ(α) = C(θ + α d), `armijo` asks for φ(α) <= φ(0) + c₁ α φ′(0), c₁ = 1e-4, and `wolfe`
    for |φ′(α)| <= c₂ |φ′(0)|, c₂ = 0.1, too.

    Args:
        first: the step that the first iteration tries first.
    """

    curvature: ClassVar[float] = 0.1
    type: Literal["gradient_descent"] = "gradient_descent"
    line_search: LineSearch
    first: float = Field(gt=0)

    def _direction(self, problem: Problem, start: Start, own: Memory) -> Vector:
        return start.downhill

    def _first(self, start: Start, slope: float) -> float:
        return first_step(start.decrease, slope, numpy.inf) if start.decrease else self.first

    @property
    def _search(self) -> LineSearch:
        return self.line_search


@optimizers.register
class ConjugateGradient(LineSearchOptimizer):
    """d ← -∇C + β d;  θ ← θ + α d, α by a strong Wolfe search (c₂ = 0.1): full batch, an iteration an epoch.

    β is max(0, g·(g - g₀) / g₀·g₀) by Polak and Ribière, or g·g / g₀·g₀ by Fletcher and Reeves, with g₀ the
    gradient before. Where d would not descend, it starts afresh from -∇C. On a quadratic of P params with
    exact searches it is done after P iterations. SciPy's `minimize(method="CG")` is Polak–Ribière+ too.
    Reference: Fletcher & Reeves 1964; Polak & Ribière 1969; Nocedal & Wright 2006, section 5.2.
    """

    curvature: ClassVar[float] = 0.1
    type: Literal["conjugate_gradient"] = "conjugate_gradient"
    formula: Literal["polak_ribiere", "fletcher_reeves"] = "polak_ribiere"
    """How β is found; `polak_ribiere` is the one that is never below 0."""

    def _fresh(self, theta: Vector) -> Memory:
        return (numpy.zeros(theta.size),)

    def _direction(self, problem: Problem, start: Start, own: Memory) -> Vector:
        """The one that the iteration before found, or the steepest."""
        return own[0] if own[0].any() else start.downhill

    def _first(self, start: Start, slope: float) -> float:
        if start.decrease:
            return first_step(start.decrease, slope, numpy.inf)
        return first_step(norm(start.gradient) / 2, slope, 1.0)

    def _remembered(self, start: Start, direction: Vector, point: Point, own: Memory) -> Memory:
        old, new = start.gradient, point.gradient
        change = new - old if self.formula == "polak_ribiere" else new
        beta = max(0.0, float(new @ change) / float(old @ old))
        following = beta * direction - new
        return (following if following @ new < 0 else -new,)


@optimizers.register
class Lbfgs(LineSearchOptimizer):
    """θ ← θ - α H ∇C, with H the inverse Hessian as the last `memory` steps and gradients tell it.

    Full batch, an iteration an epoch; the strong Wolfe search (c₂ = 0.9) tries the full step first. The first
    direction is -∇C of length 1, and each H begins as (s·y / y·y) I with the last step s and change y.
    PyTorch's `LBFGS` searches only if it is told to; SciPy's `L-BFGS-B` has bounds beside. Reference: Nocedal
    1980; Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5.
    """

    type: Literal["lbfgs"] = "lbfgs"
    memory: int = Field(10, ge=1)
    """How many of the last steps it knows, >= 1; each takes two vectors as long as the params."""

    def _fresh(self, theta: Vector) -> Memory:
        return numpy.zeros((self.memory, theta.size)), numpy.zeros((self.memory, theta.size))

    def _direction(self, problem: Problem, start: Start, own: Memory) -> Vector:
        pairs = [(s, y) for s, y in zip(*own, strict=True) if y.any()]
        return -_two_loops(start.gradient, pairs) if pairs else start.downhill / norm(start.gradient)

    def _remembered(self, start: Start, direction: Vector, point: Point, own: Memory) -> Memory:
        step = point.theta.astype(float) - start.theta
        change = point.gradient - start.gradient
        if step @ change <= numpy.finfo(float).eps * (change @ change):
            return own
        return tuple(numpy.vstack([rows[1:], row]) for rows, row in zip(own, (step, change), strict=True))


@optimizers.register
class NewtonCg(LineSearchOptimizer):
    """θ ← θ + α d, with H d = -∇C by conjugate gradients and exact products H v: an iteration an epoch.

    Full batch. The solution stops at a residual of min(1/2, √‖∇C‖) ‖∇C‖, so that it is the more exact the
    nearer the least cost is, or where the curvature along a direction is not positive. The strong Wolfe
    search (c₂ = 0.9) tries the full step first. SciPy's `minimize(method="Newton-CG")` has another norm.

    Reference: Dembo, Eisenstat & Steihaug 1982; Nocedal & Wright 2006, algorithm 7.1.
    """

    needs: ClassVar[Need] = "product"
    type: Literal["newton_cg"] = "newton_cg"
    inner_iterations: int = Field(200, ge=1)
    """The most products with the Hessian in an iteration, >= 1; more than there are params never help."""

    def _direction(self, problem: Problem, start: Start, own: Memory) -> Vector:
        """The direction, by conjugate gradients from 0."""
        size, d = norm(start.gradient), numpy.zeros(start.theta.size)
        residual, p = start.gradient, start.downhill
        for k in range(min(self.inner_iterations, 2 * start.theta.size)):
            product = problem.product(start.theta, p)
            curvature = float(p @ product)
            if curvature <= 0:
                return d if k else start.downhill
            alpha = float(residual @ residual) / curvature
            d = d + alpha * p
            following = residual + alpha * product
            if norm(following) <= min(0.5, size**0.5) * size:
                return d
            p = float(following @ following) / float(residual @ residual) * p - following
            residual = following
        return d


def _start(problem: Problem, theta: Vector, memory: Memory) -> Start:
    """The start of an iteration; what the one before knows of it is not evaluated again."""
    (first, cost, decrease), gradient = memory[:2]
    if not first:
        cost, gradient = problem.gradient(theta)
        check_finite(cost, gradient)
        first = largest(gradient)
    return Start(theta, float(cost), gradient, float(decrease), float(first))


def _two_loops(gradient: Vector, pairs: list[tuple[Vector, Vector]]) -> Vector:
    """H ∇C by Nocedal & Wright's algorithm 7.4, of pairs (step, change of the gradient), latest last."""
    q, shares = gradient, []
    for s, y in reversed(pairs):
        shares.append(float(s @ q) / float(s @ y))
        q = q - shares[-1] * y
    s, y = pairs[-1]
    r = float(s @ y) / float(y @ y) * q
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        r = r + (share - float(y @ r) / float(s @ y)) * s
    return r
