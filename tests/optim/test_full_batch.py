"""Every full-batch optimizer on well-known functions, and compared with SciPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import optimize

from nnjit.optim import FullBatchOptimizer, Problem, optimizers
from nnjit.optim.convergence import NO_LOWER, STATIONARY
from nnjit.optim.full_batch import Iteration
from nnjit.optim.optimizers.searching import LineSearchOptimizer, Progress

BOWL = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, 0.5, 4.0]])  # of a quadratic ½ xᵀ A x - b·x
AIM = np.array([1.0, -2.0, 0.5])
ROOT = np.linalg.cholesky(BOWL).T / np.sqrt(2)  # ½ (x - x*)ᵀ A (x - x*) = |R (x - x*)|²


def quadratic() -> Problem:
    """½ (x - x*)ᵀ A (x - x*)."""

    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float((x - AIM) @ BOWL @ (x - AIM)) / 2, BOWL @ (x - AIM)

    def residuals(x: np.ndarray) -> np.ndarray:
        return ROOT @ (x - AIM)

    return Problem(gradient, lambda x, v: BOWL @ v, residuals, lambda x: (residuals(x), ROOT))


def rosenbrock() -> Problem:
    """Σ r² with r = (10 (y - x²), 1 - x), the banana valley."""

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def jacobian(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return residuals(x), np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])

    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(optimize.rosen(x)), optimize.rosen_der(x)

    return Problem(gradient, optimize.rosen_hess_prod, residuals, jacobian)


# fmt: off
ROWS = [  # options, most iterations to 1e-12 on the quadratic, and on Rosenbrock's function from (-1.2, 1)
    ({"type": "gradient_descent", "line_search": "armijo", "learning_rate": 0.1},  200, None),
    ({"type": "gradient_descent", "line_search": "wolfe"},                         60,  None),
    ({"type": "conjugate_gradient"},                                               12,  40),
    ({"type": "conjugate_gradient", "formula": "fletcher_reeves"},                 12,  120),
    ({"type": "lbfgs"},                                                            15,  60),
    ({"type": "lbfgs", "memory": 2},                                               20,  80),
    ({"type": "newton_cg"},                                                        8,   100),
    ({"type": "gauss_newton"},                                                     1,   20),
    ({"type": "levenberg_marquardt"},                                              10,  20),
    ({"type": "levenberg_marquardt", "damping": 1e3, "damping_up": 10.0, "damping_down": 10.0}, 12, 30),
]
BAD = [
    ("gradient_descent",    {"line_search": "exact"}),
    ("conjugate_gradient",  {"formula": "hestenes_stiefel"}),
    ("conjugate_gradient",  {"learning_rate": 0.1}),
    ("lbfgs",               {"memory": 0}),
    ("newton_cg",           {"inner_iterations": 0}),
    ("gauss_newton",        {"damping": 1.0}),
    ("levenberg_marquardt", {"damping": 0.0}),
    ("levenberg_marquardt", {"damping_up": 1.0}),
    ("levenberg_marquardt", {"damping_down": 1.0}),
]
# fmt: on
row = pytest.mark.parametrize(("options", "bowl", "valley"), ROWS, ids=[str(r[0]) for r in ROWS])


def build(**options: object) -> FullBatchOptimizer:
    method = optimizers[str(options["type"])].model_validate(options).full_batch
    assert method is not None
    return method


def descend(
    method: FullBatchOptimizer, problem: Problem, theta: np.ndarray, iterations: int
) -> list[np.ndarray]:
    """The params after each iteration."""
    return [made.theta for made in iterations_of(method, problem, theta, iterations)]


def iterations_of(
    method: FullBatchOptimizer, problem: Problem, theta: np.ndarray, most: int
) -> Iterator[Iteration]:
    """The iterations, until one reports that another would change nothing."""
    slots = method.initial_slots(theta)
    for _ in range(most):
        made = method.iterate(problem, theta, slots)
        yield made
        if made.stop_reason:
            return
        theta, slots = made.theta, made.slots


def costs(problem: Problem, thetas: list[np.ndarray]) -> np.ndarray:
    return np.array([float(np.sum(problem.residuals(x) ** 2)) for x in thetas])


def test_every_full_batch_optimizer_has_its_rows() -> None:
    full = {name for name, cls in optimizers.items() if issubclass(cls, FullBatchOptimizer)}
    assert {r[0]["type"] for r in ROWS} == full | {"gradient_descent"}
    assert optimizers["gradient_descent"]().full_batch is None
    assert optimizers["adam"]().full_batch is None


@row
def test_it_finds_the_least_of_a_quadratic(options: dict, bowl: int, valley: int) -> None:
    thetas = descend(build(**options), quadratic(), np.array([4.0, 3.0, -2.0]), bowl)
    assert costs(quadratic(), thetas)[-1] < 1e-12
    np.testing.assert_allclose(thetas[-1], AIM, atol=1e-5)


@row
def test_it_finds_its_way_through_rosenbrocks_valley(options: dict, bowl: int, valley: int | None) -> None:
    thetas = descend(build(**options), rosenbrock(), np.array([-1.2, 1.0]), valley or 2000)
    fallen = costs(rosenbrock(), thetas)
    assert (np.diff(fallen) <= 0).all()
    assert fallen[-1] < (1e-12 if valley else 1e-2)  # steepest descent creeps along the valley


@row
@pytest.mark.parametrize("problem", [quadratic, rosenbrock])
def test_at_the_least_it_says_so_and_stays(options: dict, bowl: int, valley: int, problem: Callable) -> None:
    method = build(**options)
    theta = AIM if problem is quadratic else np.ones(2)
    made = method.iterate(problem(), theta, method.initial_slots(theta))
    assert made.stop_reason == STATIONARY
    np.testing.assert_array_equal(made.theta, theta)


def rough(seed: int) -> Problem:
    """The quadratic plus 1, as sums that cancel, with errors of a unit in the last place: never zero."""
    aim, root = BOWL @ AIM, np.vstack([ROOT, np.zeros(3)])
    shift = np.append(ROOT @ AIM, -1.0)

    def off(x: np.ndarray, terms: np.ndarray) -> np.ndarray:
        """An error for each sum, a function of x."""
        rng = np.random.default_rng([seed, *x.view(np.uint64)])
        return np.spacing(terms) * rng.choice([-1.0, 1.0], np.shape(terms))

    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        cost = float(x @ BOWL @ x / 2 - aim @ x + AIM @ aim / 2 + 1)
        return cost + float(off(x, np.array(cost))), BOWL @ x - aim + off(x, np.abs(aim) + 1)

    def residuals(x: np.ndarray) -> np.ndarray:
        return root @ x - shift + off(x, np.abs(shift) + 1)

    return Problem(gradient, lambda x, v: BOWL @ v, residuals, lambda x: (residuals(x), root))


@row
def test_the_last_bit_does_not_decide_when_it_has_converged(
    options: dict, bowl: int, valley: int | None
) -> None:
    taken = []
    for seed in range(20):
        made = list(iterations_of(build(**options), rough(seed), np.array([4.0, 3.0, -2.0]), 1000))
        np.testing.assert_allclose(made[-1].theta, AIM, atol=1e-6)  # √ of the rounding of the cost, 1
        taken.append(len(made))
    assert max(taken) - min(taken) <= bowl // 4  # 0 if one iteration solves it


@row
def test_float32_converges_to_its_own_precision(options: dict, bowl: int, valley: int | None) -> None:
    start = np.array([4.0, 3.0, -2.0], np.float32)
    *_, last = iterations_of(build(**options), quadratic(), start, bowl + 5)
    assert last.stop_reason in (STATIONARY, NO_LOWER)
    np.testing.assert_allclose(last.theta, AIM, atol=2e-4)  # the gradient is 64 ε of the first one, 20


@pytest.mark.parametrize("name", ["levenberg_marquardt", "gauss_newton"])
def test_a_gradient_that_overflows_is_not_zero(name: str) -> None:
    huge = Problem(residuals=lambda x: x * 1e150, jacobian=lambda x: (x * 1e150, np.eye(2) * 1e200))
    method, start = build(type=name), np.ones(2)
    with pytest.raises(FloatingPointError), np.errstate(over="ignore"):
        method.iterate(huge, start, method.initial_slots(start))


@row
def test_it_ends_where_rounding_hides_lower_costs(options: dict, bowl: int, valley: int | None) -> None:
    *_, last = iterations_of(build(**options), quadratic(), np.array([4.0, 3.0, -2.0]), 1000)
    assert last.stop_reason
    assert costs(quadratic(), [last.theta])[0] < 1e-20


@row
def test_an_iteration_is_a_function_of_params_and_slots(options: dict, bowl: int, valley: int) -> None:
    method, start = build(**options), np.array([-1.2, 1.0])
    slots = method.initial_slots(start)
    once = method.iterate(rosenbrock(), start, slots)
    kept = [m.copy() for m in once.slots]
    twice = [method.iterate(rosenbrock(), once.theta, once.slots) for _ in range(2)]
    np.testing.assert_array_equal(twice[0].theta, twice[1].theta)
    np.testing.assert_array_equal(start, [-1.2, 1.0])
    assert all(np.array_equal(a, b) for a, b in zip(kept, once.slots, strict=True))
    assert [a.shape for a in slots] == [a.shape for a in once.slots]
    assert set(once.values) == set(method.columns)


@pytest.mark.parametrize("name", ["gradient_descent", "conjugate_gradient", "lbfgs", "newton_cg"])
def test_the_slots_of_a_line_search_method_are_the_fields_of_its_class(name: str) -> None:
    method = build(type=name, **({"line_search": "wolfe"} if name == "gradient_descent" else {}))
    assert isinstance(method, LineSearchOptimizer)
    start = np.array([-1.2, 1.0])
    first = method.slot_type(*method.initial_slots(start))
    then = method.slot_type(*method.iterate(rosenbrock(), start, first).slots)
    cost, gradient = rosenbrock().gradient(start)
    assert Progress(*first.progress) == (0, 0, 0)
    progress = Progress(*then.progress)
    assert progress.scale == pytest.approx(np.abs(gradient).max())
    assert progress.cost == pytest.approx(cost - progress.decrease)


@row
def test_what_is_not_finite_at_the_start_is_an_error(options: dict, bowl: int, valley: int) -> None:
    method, start = build(**options), np.ones(2)
    nan = np.full(2, np.nan)
    problem = Problem(lambda x: (np.nan, nan), lambda x, v: nan, lambda x: nan, lambda x: (nan, np.eye(2)))
    with pytest.raises(FloatingPointError):
        method.iterate(problem, start, method.initial_slots(start))


@row
def test_float32_params_stay_float32(options: dict, bowl: int, valley: int) -> None:
    thetas = descend(build(**options), quadratic(), np.array([4.0, 3.0, -2.0], np.float32), bowl)
    assert thetas[-1].dtype == np.float32
    np.testing.assert_allclose(thetas[-1], AIM, atol=1e-4)


@pytest.mark.parametrize(("name", "options"), BAD)
def test_an_option_out_of_range_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        optimizers[name].model_validate(options)


def scipys(
    method: str, problem: Problem, start: np.ndarray, iterations: int, **options: object
) -> np.ndarray:
    """The params after each iteration of SciPy's."""
    thetas: list[np.ndarray] = []
    product = {"hessp": problem.product} if method == "Newton-CG" else {}
    optimize.minimize(
        problem.gradient, start, jac=True, method=method, options={"maxiter": iterations, **options},
        callback=lambda x: thetas.append(x.copy()), **product,
    )  # fmt: skip
    return np.array(thetas)


def test_lbfgs_is_scipys_while_both_take_the_first_step_that_they_try() -> None:
    start = AIM + 0.2
    theirs = scipys("L-BFGS-B", quadratic(), start, 4, maxcor=10)
    # 1e-9: SciPy's matrices are compact, ours two loops
    np.testing.assert_allclose(descend(build(type="lbfgs"), quadratic(), start, 4), theirs, atol=1e-9)


def test_conjugate_gradients_are_scipys_on_a_quadratic() -> None:
    start = np.array([4.0, 3.0, -2.0])
    theirs = scipys("CG", quadratic(), start, 2, c2=0.1)
    np.testing.assert_allclose(
        descend(build(type="conjugate_gradient"), quadratic(), start, 2), theirs, rtol=1e-10
    )


def test_newton_cg_is_scipys_where_one_iteration_solves() -> None:
    start = np.array([4.0, 3.0, -2.0])
    ours = descend(build(type="newton_cg"), quadratic(), start, 8)
    theirs = scipys("Newton-CG", quadratic(), start, 8, xtol=1e-14)
    np.testing.assert_allclose(ours[-1], theirs[-1], atol=1e-10)


def test_newton_cg_is_faster_and_faster() -> None:
    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum(np.cosh(x))), np.sinh(x)

    problem = Problem(gradient, lambda x, v: np.cosh(x) * v)
    thetas = descend(build(type="newton_cg"), problem, np.array([1.0, 0.5]), 6)
    errors = [float(np.linalg.norm(x)) for x in thetas]
    assert all(new < 2 * old**1.5 for old, new in pairwise(errors) if old > 1e-7)
    assert errors[-1] < 1e-7  # below, the cosh is 1 to all digits


def test_a_direction_that_leads_nowhere_gives_way_to_the_steepest_descent() -> None:
    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.sum(x * x)), 2 * x

    problem = Problem(gradient, lambda x, v: 1e-80 * v)  # so flat that no search recovers from Newton's step
    method, start = build(type="newton_cg"), np.array([1.0, -2.0])
    made = method.iterate(problem, start, method.initial_slots(start))
    assert not made.stop_reason
    np.testing.assert_array_equal(made.theta, start - made.values["step_length"] * 2 * start)
    assert 0 < made.values["step_length"] <= 1


def test_newton_cg_leaves_a_saddle() -> None:
    def gradient(x: np.ndarray) -> tuple[float, np.ndarray]:
        return float(x[0] ** 2 - x[1] ** 2 + x[1] ** 4), np.array([2 * x[0], -2 * x[1] + 4 * x[1] ** 3])

    problem = Problem(gradient, lambda x, v: np.array([2.0, 12 * x[1] ** 2 - 2]) * v)
    last = descend(build(type="newton_cg"), problem, np.array([1.0, 1e-3]), 15)[-1]
    np.testing.assert_allclose(np.abs(last), [0, np.sqrt(0.5)], atol=1e-6)


X = np.linspace(0, 3, 30)
Y = 2 * np.exp(-1.3 * X) + 0.5 + 0.02 * np.cos(20 * X)


def decay(p: np.ndarray) -> np.ndarray:
    return (p[0] * np.exp(-p[1] * X) + p[2] - Y) / np.sqrt(len(X))


def decay_jacobian(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e = np.exp(-p[1] * X)
    return decay(p), np.stack([e, -p[0] * X * e, np.ones_like(X)], 1) / np.sqrt(len(X))


@pytest.mark.parametrize("name", ["levenberg_marquardt", "gauss_newton"])
def test_a_fit_is_that_of_scipys_least_squares(name: str) -> None:
    start = np.array([1.0, 0.3, 0.0])
    theirs = optimize.least_squares(decay, start, lambda p: decay_jacobian(p)[1], method="lm", xtol=1e-15)
    problem = Problem(residuals=decay, jacobian=decay_jacobian)
    ours = descend(build(type=name), problem, start, 30)[-1]
    np.testing.assert_allclose(ours, theirs.x, rtol=1e-6)
    assert decay(ours) @ decay(ours) == pytest.approx(2 * theirs.cost, rel=1e-12)


def test_a_damped_step_is_marquardts() -> None:
    method, start = build(type="levenberg_marquardt", damping=0.5), np.array([4.0, 3.0, -2.0])
    made = method.iterate(quadratic(), start, method.initial_slots(start))
    expected = start - np.linalg.solve(ROOT.T @ ROOT + 0.5 * np.eye(3), ROOT.T @ ROOT @ (start - AIM))
    np.testing.assert_allclose(made.theta, expected, rtol=1e-13)
    assert made.values == {"damping": 0.5}
    assert made.slots[0][0] == pytest.approx(0.5 / 3)


def test_damping_rises_until_the_cost_falls() -> None:
    def residuals(x: np.ndarray) -> np.ndarray:
        return np.arctan(x) * 1.0  # the full step overshoots from far away

    def jacobian(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return residuals(x), np.diag(1 / (1 + x * x))

    method, start = build(type="levenberg_marquardt", damping=1e-9), np.array([20.0])
    problem = Problem(residuals=residuals, jacobian=jacobian)
    made = method.iterate(problem, start, method.initial_slots(start))
    assert abs(made.theta[0]) < 20
    assert made.values["damping"] > 1e-9
    last = descend(method, problem, start, 60)[-1]
    np.testing.assert_allclose(last, 0, atol=1e-8)


def test_gauss_newton_takes_the_shortest_step_where_the_rank_is_not_full() -> None:
    matrix, aim = np.array([[1.0, 1.0], [2.0, 2.0]]), np.array([1.0, 2.0])
    problem = Problem(residuals=lambda x: matrix @ x - aim, jacobian=lambda x: (matrix @ x - aim, matrix))
    (made,) = descend(build(type="gauss_newton"), problem, np.zeros(2), 1)
    np.testing.assert_allclose(made, [0.5, 0.5], rtol=1e-12)


def test_a_problem_says_what_it_lacks() -> None:
    method = build(type="lbfgs")
    with pytest.raises(NotImplementedError, match="has no such function"):
        method.iterate(Problem(), np.zeros(2), method.initial_slots(np.zeros(2)))
