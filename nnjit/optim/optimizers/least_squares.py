"""Full-batch optimizers for sums of squares, C = Σ rᵢ², by linearised residuals, r(θ + d) ≈ r + J d."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy
from pydantic import Field

from nnjit.optim.convergence import NO_LOWER, STATIONARY, is_lower, is_negligible, largest_element
from nnjit.optim.full_batch import FullBatchOptimizer, Iteration, Need, Problem, Vector, check_finite
from nnjit.optim.line_search import Line, armijo, moved
from nnjit.optim.optimizer import optimizers

SMALLEST, LARGEST = 1e-20, 1e16  # damping: below, it vanishes in J'J + λ I; above, the step vanishes


class GaussNewtonSlots(NamedTuple):
    """The largest element of the first gradient, (1,); 0 until it is known."""

    scale: Vector


class Damping(NamedTuple):
    """The numbers that Levenberg–Marquardt carries.

    Args:
        damping: λ of the next iteration.
        scale: the largest element of the first Jᵀr; 0 until it is known.
    """

    damping: float
    scale: float


class LevenbergMarquardtSlots(NamedTuple):
    """A `Damping` as an array, (2,)."""

    numbers: Vector


@optimizers.register
class GaussNewton(FullBatchOptimizer):
    """Only for losses that are sums of squares, for every output. If J lacks full rank, d is the shortest
    solution, from its singular values; α is 1, or smaller if Armijo's condition requires. Use float64.
    Networks' Jacobians seldom have full rank, and then `levenberg_marquardt` is better.

    Reference: Nocedal & Wright 2006, section 10.3.
    """

    equations = (
        "θ ← θ + α d, with d the least-squares solution of J d = -r: full batch, one iteration per epoch",
    )

    needs: ClassVar[Need] = "jacobian"
    type: Literal["gauss_newton"] = "gauss_newton"

    def initial_slots(self, theta: Vector) -> tuple[Vector, ...]:
        return GaussNewtonSlots(scale=numpy.zeros(1))

    def iterate(self, problem: Problem, theta: Vector, slots: tuple[Vector, ...]) -> Iteration:
        residuals, jacobian = problem.jacobian(theta)
        cost, gradient = float(residuals @ residuals), 2 * (jacobian.T @ residuals)
        check_finite(cost, gradient)
        scale = float(GaussNewtonSlots(*slots).scale[0]) or largest_element(gradient)
        slots = GaussNewtonSlots(numpy.array([scale]))
        if is_negligible(gradient, scale, theta):
            return Iteration(theta, slots, {"step_length": 0.0}, STATIONARY)
        direction = -numpy.linalg.lstsq(jacobian, residuals, rcond=None)[0]
        none = numpy.zeros_like(direction)  # the search by Armijo's condition needs no gradients

        def evaluate(at: Vector) -> tuple[float, Vector]:
            return _sum_of_squares(problem.residuals(at)), none

        point = armijo(Line.of(evaluate, theta, cost, gradient, direction), 1.0)
        if point is None:
            return Iteration(theta, slots, {"step_length": 0.0}, NO_LOWER)
        return Iteration(point.theta, slots, {"step_length": point.alpha})


@optimizers.register
class LevenbergMarquardt(FullBatchOptimizer):
    """Only for losses that are sums of squares, for every output. The damping λ interpolates between
    Gauss–Newton's step (0) and short steps of steepest descent (large): it is raised, within an iteration,
    until the step lowers the cost, and lowered after such a step. The squares are those of the mean cost, so
    λ means the same for any number of examples. JᵀJ is formed and solved (Cholesky) in float64; use float64
    for training too, since float32 residuals hide anything below 1e-12 of the squared targets. Hagan & Menhaj
    use factors of 10 and 10: in configs/optimizers they reach a cost of 1e-8 from 8 of 10 seeds, the defaults
    from all. Reference: Levenberg 1944; Marquardt 1963; Hagan & Menhaj 1994.
    """

    equations = ("(JᵀJ + λ I) d = -Jᵀr", "θ ← θ + d: full batch, one iteration per epoch")

    needs: ClassVar[Need] = "jacobian"
    columns: ClassVar[tuple[str, ...]] = ("damping",)
    type: Literal["levenberg_marquardt"] = "levenberg_marquardt"
    damping: float = Field(1e-2, gt=0)
    """λ of the first iteration, > 0."""
    damping_up: float = Field(2.0, gt=1)
    """The factor that raises λ after a step that fails to lower the cost, > 1."""
    damping_down: float = Field(3.0, gt=1)
    """The divisor that lowers λ after a successful step, > 1."""

    def initial_slots(self, theta: Vector) -> tuple[Vector, ...]:
        return _damping_slots(Damping(self.damping, scale=0.0))

    def iterate(self, problem: Problem, theta: Vector, slots: tuple[Vector, ...]) -> Iteration:
        residuals, jacobian = problem.jacobian(theta)
        cost = float(residuals @ residuals)
        damping, scale = Damping(*LevenbergMarquardtSlots(*slots).numbers.tolist())
        square, gradient = jacobian.T @ jacobian, jacobian.T @ residuals
        check_finite(cost, gradient)
        scale = scale or largest_element(gradient)
        if is_negligible(gradient, scale, theta):
            return Iteration(theta, slots, {"damping": damping}, STATIONARY)
        while damping <= LARGEST:
            candidate = moved(theta, -_damped_step(square, damping, gradient))
            if is_lower(_sum_of_squares(problem.residuals(candidate)), cost, theta):
                lower = Damping(max(damping / self.damping_down, SMALLEST), scale)
                return Iteration(candidate, _damping_slots(lower), {"damping": damping})
            damping *= self.damping_up
        return Iteration(theta, slots, {"damping": damping}, NO_LOWER)


def _damping_slots(numbers: Damping) -> tuple[Vector, ...]:
    return LevenbergMarquardtSlots(numpy.array(numbers))


def _damped_step(square: Vector, damping: float, gradient: Vector) -> Vector:
    """(JᵀJ + λ I)⁻¹ Jᵀr; zeros if rounding leaves the matrix without a Cholesky factor."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    damped = square.copy()
    damped[numpy.diag_indices_from(damped)] += damping
    try:
        return numpy.asarray(cho_solve(cho_factor(damped, overwrite_a=True), gradient))
    except LinAlgError:
        return numpy.zeros_like(gradient)


def _sum_of_squares(residuals: Vector) -> float:
    with numpy.errstate(over="ignore"):
        return float(residuals @ residuals)
