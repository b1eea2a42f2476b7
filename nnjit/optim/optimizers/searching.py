"""Line search methods: full-batch optimizers that choose a direction of descent and search along it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import numpy
from pydantic import Field

from nnjit.optim.convergence import NO_LOWER, STATIONARY, is_negligible, largest_element
from nnjit.optim.full_batch import FullBatchOptimizer, Iteration, Need, Problem, Vector, check_finite
from nnjit.optim.line_search import SEARCHES, Line, LineSearch, Point, first_step, norm
from nnjit.optim.optimizer import optimizers
from nnjit.registry import Count


class Progress(NamedTuple):
    """The numbers that a line search method carries.

    Args:
        scale: the largest element of the first gradient; 0 until it is known.
        cost: the cost of the params.
        decrease: the decrease of the cost in the last iteration; 0 before the first.
    """

    scale: float
    cost: float
    decrease: float


class SearchSlots(NamedTuple):
    """A `Progress` as an array (3,), and the gradient at the params: the first slots of every method."""

    progress: Vector
    gradient: Vector


class ConjugateSlots(NamedTuple):
    """Also the next direction; zeros before the first iteration."""

    progress: Vector
    gradient: Vector
    direction: Vector


class LbfgsSlots(NamedTuple):
    """Also the last steps and changes of the gradient, (memory, P), the latest last; zeros until taken."""

    progress: Vector
    gradient: Vector
    steps: Vector
    changes: Vector


AnySlots: TypeAlias = SearchSlots | ConjugateSlots | LbfgsSlots
SlotType: TypeAlias = type[SearchSlots] | type[ConjugateSlots] | type[LbfgsSlots]


@dataclass(frozen=True)
class Start:
    """The start of an iteration."""

    theta: Vector
    gradient: Vector
    progress: Progress

    @property
    def downhill(self) -> Vector:
        """The direction of steepest descent."""
        return -self.gradient


class LineSearchOptimizer(FullBatchOptimizer):
    """θ ← θ + α d, with a direction d chosen by each subclass and α by a line search.

    If no lower cost is found along d, the method restarts from steepest descent.
    """

    slot_type: ClassVar[SlotType] = SearchSlots
    """The NamedTuple of its slots."""

    curvature: ClassVar[float] = 0.9
    """c₂ of the strong Wolfe condition."""

    def initial_slots(self, theta: Vector) -> tuple[Vector, ...]:
        return self._fresh(theta)

    def iterate(self, problem: Problem, theta: Vector, slots: tuple[Vector, ...]) -> Iteration:
        named = self.slot_type(*slots)
        start = _start(problem, theta, named)
        if is_negligible(start.gradient, start.progress.scale, theta):
            return self._stopped(start, named, STATIONARY)
        afresh = (start.downhill, self._fresh(theta))
        for direction, kept in ((self._direction(problem, start, named), named), afresh):
            if start.gradient @ direction < 0:
                cost = start.progress.cost
                line = Line.of(problem.gradient, theta, cost, start.gradient, direction, self.curvature)
                point = SEARCHES[self._search](line, self._first_step(start, line.start.slope))
                if point is not None:
                    return self._moved(start, direction, point, kept)
        return self._stopped(start, named, NO_LOWER)

    @property
    def _search(self) -> LineSearch:
        return "wolfe"

    def _fresh(self, theta: Vector) -> AnySlots:
        """The slots before the first iteration."""
        return SearchSlots(numpy.zeros(3), numpy.zeros(theta.size))

    @abstractmethod
    def _direction(self, problem: Problem, start: Start, slots: Any) -> Vector:
        """The direction d."""

    def _first_step(self, start: Start, slope: float) -> float:
        """The step to try first; 1 is the full step of Newton-like methods."""
        return 1.0

    def _after(self, start: Start, direction: Vector, point: Point, slots: Any) -> AnySlots:
        """The slots, with the subclass's own updated after a step."""
        unchanged: AnySlots = slots
        return unchanged

    def _moved(self, start: Start, direction: Vector, point: Point, slots: AnySlots) -> Iteration:
        decrease = start.progress.cost - point.cost
        progress = numpy.array(Progress(start.progress.scale, point.cost, decrease))
        slots = self._after(start, direction, point, slots)
        slots = slots._replace(progress=progress, gradient=point.gradient)
        return Iteration(point.theta, slots, {"step_length": point.alpha})

    def _stopped(self, start: Start, slots: AnySlots, stop_reason: str) -> Iteration:
        slots = slots._replace(progress=numpy.array(start.progress), gradient=start.gradient)
        return Iteration(start.theta, slots, {"step_length": 0.0}, stop_reason)


class SteepestDescent(LineSearchOptimizer):
    """The first trial step is the learning rate; in later iterations, the step that the last decrease of the
    cost suggests. With φ(α) = C(θ + α d), `armijo` requires φ(α) <= φ(0) + c₁ α φ′(0), c₁ = 1e-4, and `wolfe`
    also |φ′(α)| <= c₂ |φ′(0)|, c₂ = 0.1.

    Args:
        initial_step: the first trial step of the first iteration.
    """

    equations = ("d ← -∇C", "θ ← θ + α d, α by a line search: full batch, one iteration per epoch")

    curvature: ClassVar[float] = 0.1
    type: Literal["gradient_descent"] = "gradient_descent"
    line_search: LineSearch
    initial_step: float = Field(gt=0)

    def _direction(self, problem: Problem, start: Start, slots: AnySlots) -> Vector:
        return start.downhill

    def _first_step(self, start: Start, slope: float) -> float:
        decrease = start.progress.decrease
        return first_step(decrease, slope, numpy.inf) if decrease else self.initial_step

    @property
    def _search(self) -> LineSearch:
        return self.line_search


@optimizers.register
class ConjugateGradient(LineSearchOptimizer):
    """β is max(0, g·(g - g₀) / g₀·g₀) by Polak and Ribière, or g·g / g₀·g₀ by Fletcher and Reeves, with g₀
    the previous gradient. If d does not descend, it restarts from -∇C. On a quadratic of P params, exact
    searches need at most P iterations. SciPy's `minimize(method="CG")` is Polak–Ribière+ too. Reference:
    Fletcher & Reeves 1964; Polak & Ribière 1969; Nocedal & Wright 2006, section 5.2.
    """

    equations = (
        "d ← -∇C + β d",
        "θ ← θ + α d, α by a strong Wolfe search (c₂ = 0.1): full batch, one iteration per epoch",
    )

    curvature: ClassVar[float] = 0.1
    slot_type: ClassVar[SlotType] = ConjugateSlots
    type: Literal["conjugate_gradient"] = "conjugate_gradient"
    formula: Literal["polak_ribiere", "fletcher_reeves"] = "polak_ribiere"
    """The formula of β; that of `polak_ribiere` is never below 0."""

    def _fresh(self, theta: Vector) -> ConjugateSlots:
        return ConjugateSlots(numpy.zeros(3), numpy.zeros(theta.size), direction=numpy.zeros(theta.size))

    def _direction(self, problem: Problem, start: Start, slots: ConjugateSlots) -> Vector:
        """The direction found by the last iteration, or the steepest."""
        return slots.direction if slots.direction.any() else start.downhill

    def _first_step(self, start: Start, slope: float) -> float:
        if start.progress.decrease:
            return first_step(start.progress.decrease, slope, numpy.inf)
        return first_step(norm(start.gradient) / 2, slope, 1.0)

    def _after(self, start: Start, direction: Vector, point: Point, slots: ConjugateSlots) -> ConjugateSlots:
        old, new = start.gradient, point.gradient
        change = new - old if self.formula == "polak_ribiere" else new
        beta = max(0.0, float(new @ change) / float(old @ old))
        following = beta * direction - new
        return slots._replace(direction=following if following @ new < 0 else -new)


@optimizers.register
class Lbfgs(LineSearchOptimizer):
    """Full batch, one iteration per epoch; the strong Wolfe search (c₂ = 0.9) tries the full step first. The
    first direction is -∇C, scaled to length 1, and each H starts from (s·y / y·y) I with the last step s and
    gradient change y. PyTorch's `LBFGS` searches only on request; SciPy's `L-BFGS-B` also handles bounds.
    Reference: Nocedal 1980; Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4 and 7.5.
    """

    equations = ("θ ← θ - α H ∇C, with H the inverse Hessian from the last `memory` steps and gradients",)

    slot_type: ClassVar[SlotType] = LbfgsSlots
    type: Literal["lbfgs"] = "lbfgs"
    memory: int = Field(10, ge=1, le=1000)
    """How many steps to remember, 1 to 1000; each takes two vectors as long as the params."""

    def _fresh(self, theta: Vector) -> LbfgsSlots:
        steps, changes = (numpy.zeros((self.memory, theta.size)) for _ in range(2))
        return LbfgsSlots(numpy.zeros(3), numpy.zeros(theta.size), steps, changes)

    def _direction(self, problem: Problem, start: Start, slots: LbfgsSlots) -> Vector:
        pairs = [(s, y) for s, y in zip(slots.steps, slots.changes, strict=True) if y.any()]
        return -_two_loops(start.gradient, pairs) if pairs else start.downhill / norm(start.gradient)

    def _after(self, start: Start, direction: Vector, point: Point, slots: LbfgsSlots) -> LbfgsSlots:
        step = point.theta.astype(float) - start.theta
        change = point.gradient - start.gradient
        if step @ change <= numpy.finfo(float).eps * (change @ change):
            return slots
        return slots._replace(
            steps=numpy.vstack([slots.steps[1:], step]),
            changes=numpy.vstack([slots.changes[1:], change]),
        )


@optimizers.register
class NewtonCg(LineSearchOptimizer):
    """Full batch. The solver stops at a residual of min(1/2, √‖∇C‖) ‖∇C‖, smaller nearer the minimum, or at a
    direction of non-positive curvature. The strong Wolfe search (c₂ = 0.9) tries the full step first. SciPy's
    `minimize(method="Newton-CG")` uses another norm.

    Reference: Dembo, Eisenstat & Steihaug 1982; Nocedal & Wright 2006, algorithm 7.1.
    """

    equations = (
        "θ ← θ + α d, with H d = -∇C by conjugate gradients and exact products H v: one iteration per epoch",
    )

    needs: ClassVar[Need] = "product"
    type: Literal["newton_cg"] = "newton_cg"
    inner_iterations: Count = 200
    """The most products with the Hessian per iteration, >= 1; more than the number of params never help."""

    def _direction(self, problem: Problem, start: Start, slots: AnySlots) -> Vector:
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


def _start(problem: Problem, theta: Vector, slots: AnySlots) -> Start:
    """The start of an iteration; only the first is evaluated, since the end of the last one is known."""
    progress = Progress(*slots.progress.tolist())
    if progress.scale:
        return Start(theta, slots.gradient, progress)
    cost, gradient = problem.gradient(theta)
    check_finite(cost, gradient)
    return Start(theta, gradient, Progress(largest_element(gradient), float(cost), progress.decrease))


def _two_loops(gradient: Vector, pairs: list[tuple[Vector, Vector]]) -> Vector:
    """H ∇C by Nocedal & Wright's algorithm 7.4, from pairs (step, change of the gradient), latest last."""
    q, alphas = gradient, []
    for s, y in reversed(pairs):
        alpha = float(s @ q) / float(s @ y)
        alphas.append(alpha)
        q = q - alpha * y
    s, y = pairs[-1]
    r = float(s @ y) / float(y @ y) * q
    for (s, y), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + (alpha - float(y @ r) / float(s @ y)) * s
    return r
