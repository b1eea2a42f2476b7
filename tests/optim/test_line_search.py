"""Line searches: the results meet the promised conditions, from any start."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from nnjit.optim.line_search import SUFFICIENT_DECREASE, Line, armijo, first_step, strong_wolfe

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def barrier(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Finite only where all x < 1, and flat far below."""
    with np.errstate(all="ignore"):
        return float(np.sum(np.log1p(x * x) - np.log(1 - x))), 2 * x / (1 + x * x) + 1 / (1 - x)


def waves(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Many local minima."""
    return float(np.sum(x * x + 2 * np.sin(3 * x))), 2 * x + 6 * np.cos(3 * x)


# fmt: off
FUNCTIONS: dict[str, Function] = {
    "bowl":       lambda x: (float(x @ x), 2 * x),
    "rosenbrock": lambda x: (float(rosen(x)), rosen_der(x)),
    "quartic":    lambda x: (float(np.sum(x**4)), 4 * x**3),
    "barrier":    barrier,
    "waves":      waves,
}
FIRST = [1e-8, 1e-3, 1.0, 1e4]
# fmt: on


def line(name: str, seed: int, curvature: float) -> Line:
    """A line from a random place, downhill but not steepest."""
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-2, 0.9, 3)
    cost, gradient = FUNCTIONS[name](theta)
    direction = -gradient * rng.uniform(0.1, 1, 3)
    return Line.of(FUNCTIONS[name], theta, cost, gradient, direction, curvature)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_armijos_condition_holds(name: str, first: float) -> None:
    for seed in range(20):
        along = line(name, seed, 0.9)
        point = armijo(along, first)
        assert point is not None
        assert 0 < point.alpha <= first
        cost, gradient = FUNCTIONS[name](point.theta)
        start = along.start
        assert cost <= start.cost + SUFFICIENT_DECREASE * point.alpha * start.slope
        assert (point.cost, point.slope) == (cost, float(gradient @ along.direction))
        np.testing.assert_array_equal(point.theta, start.theta + point.alpha * along.direction)


@pytest.mark.parametrize("curvature", [0.1, 0.9])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_strong_wolfe_conditions_hold(name: str, first: float, curvature: float) -> None:
    for seed in range(20):
        along = line(name, seed, curvature)
        point = strong_wolfe(along, first)
        assert point is not None
        cost, gradient = FUNCTIONS[name](point.theta)
        start = along.start
        assert cost <= start.cost + SUFFICIENT_DECREASE * point.alpha * start.slope
        assert abs(gradient @ along.direction) <= curvature * abs(start.slope)


@pytest.mark.parametrize("search", [armijo, strong_wolfe])
def test_a_step_that_serves_is_taken_at_once(search: Callable) -> None:
    asked = []

    def bowl(x: np.ndarray) -> tuple[float, np.ndarray]:
        asked.append(x)
        return float(x @ x), 2 * x

    theta = np.array([1.0, -2.0])
    along = Line.of(bowl, theta, 5.0, 2 * theta, -2 * theta)
    point = search(along, 0.5)  # the minimum along the line
    assert point is not None
    assert (point.alpha, point.cost, len(asked)) == (0.5, 0.0, 1)


@pytest.mark.parametrize("search", [armijo, strong_wolfe])
def test_at_a_least_cost_there_is_no_step(search: Callable) -> None:
    along = Line.of(FUNCTIONS["bowl"], np.zeros(2), 0.0, np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    assert search(along, 1.0) is None


@pytest.mark.parametrize("search", [armijo, strong_wolfe])
def test_where_no_cost_is_finite_there_is_no_step(search: Callable) -> None:
    def nowhere(x: np.ndarray) -> tuple[float, np.ndarray]:
        return np.nan, np.full(2, np.nan)

    assert search(Line.of(nowhere, np.zeros(2), 1.0, np.ones(2), -np.ones(2)), 1.0) is None


def test_a_cost_without_a_least_ends() -> None:
    falling = Line.of(lambda x: (float(-x[0]), np.array([-1.0])), np.zeros(1), 0.0, -np.ones(1), np.ones(1))
    point = strong_wolfe(falling, 1.0)
    assert point is not None
    assert point.cost < -1e6


def test_the_first_step_is_that_of_the_last_decrease() -> None:
    # on a parabola c α² / 2 - s α, the minimum at α = s / c is lower by s² / 2c
    slope, bend = 3.0, 4.0
    assert first_step(slope**2 / (2 * bend), -slope, np.inf) == pytest.approx(1.01 * slope / bend)
    assert first_step(slope**2 / (2 * bend), -slope, 0.25) == 0.25


def test_steps_keep_the_dtype_of_the_params() -> None:
    theta = np.ones(2, np.float32)
    point = strong_wolfe(Line.of(FUNCTIONS["bowl"], theta, 2.0, np.full(2, 2.0), np.full(2, -2.0)), 0.3)
    assert point is not None
    assert point.theta.dtype == np.float32
