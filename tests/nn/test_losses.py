"""Every loss: values by hand and PyTorch's, derivatives, far logits, and misfits."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import nnjit.numpy as nnp
from nnjit.autodiff import check_grads, grad
from nnjit.errors import DataError, GraphError
from nnjit.nn import Loss, losses
from nnjit.nn.losses.loss import SumOfSquares

REFERENCE = json.loads((Path(__file__).parent / "loss_reference.json").read_text(encoding="utf-8"))
OUT = [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]
VALUES = [[0.0, -2.0, 2.5], [1.0, 1.0, -1.0]]  # residuals 1, 0, -2 and -1, 2, 0
BITS = [[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]]
LOG2, E30 = math.log(2), math.exp(-30)
S30 = E30 / (1 + E30)
COUNTS = [[0.0, 1.0, 2.0], [3.0, 0.0, 1.0]]
COSH = (math.log(math.cosh(1)) + math.log(math.cosh(2))) / 3
HALF = {"label_smoothing": 0.5}


def log_sigmoid(z: float) -> float:
    return -math.log(1 + math.exp(-z))


def entropy(row: int, k: int) -> float:
    return math.log(sum(math.exp(z) for z in OUT[row])) - OUT[row][k]


# fmt: off
ROWS: list[tuple[Any, ...]] = [  # options, output, target, cost of each example by hand
    ({"type": "squared_error"},           OUT,          VALUES,       [5.0, 5.0]),
    ({"type": "squared_error"},           [1.0, 4.0],   [0.0, 1.0],   [1.0, 9.0]),
    ({"type": "squared_error"},           OUT,          [0, 2],       [0 + 4 + 0.25, 0 + 9 + 4]),
    ({"type": "mean_squared_error"},      OUT,          VALUES,       [5 / 3, 5 / 3]),
    ({"type": "absolute_error"},          OUT,          VALUES,       [3.0, 3.0]),
    ({"type": "mean_absolute_error"},     OUT,          VALUES,       [1.0, 1.0]),
    ({"type": "huber"},                   OUT,          VALUES,       [2 / 3, 2 / 3]),
    ({"type": "huber", "delta": 0.5},     OUT,          VALUES,       [1.25 / 3, 1.25 / 3]),
    ({"type": "huber", "delta": 9.0},     OUT,          VALUES,       [2.5 / 3, 2.5 / 3]),
    ({"type": "binary_cross_entropy"},    [[0.0]],      [[1.0]],      [LOG2]),
    ({"type": "binary_cross_entropy"},    [2.0, 2.0],   [1, 0],       [-log_sigmoid(2), -log_sigmoid(-2)]),
    ({"type": "binary_cross_entropy"},    OUT,          BITS,
     [(-log_sigmoid(1) - log_sigmoid(2) - (log_sigmoid(0.5) + log_sigmoid(-0.5)) / 2) / 3,
      (LOG2 - log_sigmoid(3) - log_sigmoid(-1)) / 3]),
    ({"type": "softmax_cross_entropy"},   [[0.0] * 4],  [2],          [2 * LOG2]),
    ({"type": "softmax_cross_entropy"},   OUT,          [0, 2],       [entropy(0, 0), entropy(1, 2)]),
    ({"type": "softmax_cross_entropy"},   OUT,          [[0, 0.5, 0.5], [0, 1, 0]],
     [(entropy(0, 1) + entropy(0, 2)) / 2, entropy(1, 1)]),
    ({"type": "softmax_cross_entropy", "label_smoothing": 0.3}, OUT, [0, 2],
     [0.7 * entropy(row, k) + 0.1 * sum(entropy(row, j) for j in range(3)) for row, k in ((0, 0), (1, 2))]),
    ({"type": "binary_cross_entropy", "label_smoothing": 0.2},  [2.0, 2.0],   [1, 0],
     [-0.9 * log_sigmoid(2) - 0.1 * log_sigmoid(-2), -0.1 * log_sigmoid(2) - 0.9 * log_sigmoid(-2)]),
    ({"type": "kl_divergence"},           OUT,          [0, 2],       [entropy(0, 0), entropy(1, 2)]),
    ({"type": "kl_divergence"},           OUT,          [[0, 0.5, 0.5], [0, 1, 0]],
     [(entropy(0, 1) + entropy(0, 2)) / 2 - LOG2, entropy(1, 1)]),
    ({"type": "focal"},                   [[0.0]],      [[1.0]],      [LOG2 / 4]),
    ({"type": "focal", "gamma": 3.0},     [2.0, 2.0],   [1, 0],
     [-math.exp(3 * log_sigmoid(-2)) * log_sigmoid(2), -math.exp(3 * log_sigmoid(2)) * log_sigmoid(-2)]),
    ({"type": "focal", "gamma": 0.0},     [2.0, 2.0],   [1, 0],       [-log_sigmoid(2), -log_sigmoid(-2)]),
    ({"type": "focal", "gamma": 0.0, "alpha": 0.25}, [2.0, 2.0], [1, 0],
     [-0.25 * log_sigmoid(2), -0.75 * log_sigmoid(-2)]),
    ({"type": "hinge"},                   [0.5, 2.0],   [1, 0],       [0.5, 3.0]),
    ({"type": "hinge"},                   OUT,          [0, 2],       [1.5 / 3, (1 + 4 + 2) / 3]),
    ({"type": "squared_hinge"},           [0.5, 2.0],   [1, 0],       [0.25, 9.0]),
    ({"type": "squared_hinge"},           OUT,          [0, 2],       [1.5**2 / 3, (1 + 16 + 4) / 3]),
    ({"type": "log_cosh"},                OUT,          VALUES,       [COSH, COSH]),
    ({"type": "log_cosh"},                [1e-4],       [0.0],        [1e-8 / 2 - 1e-16 / 12]),
    ({"type": "quantile"},                OUT,          VALUES,       [0.5, 0.5]),
    ({"type": "quantile", "quantile": 0.9}, OUT,        VALUES,       [(0.1 + 1.8) / 3, (0.9 + 0.2) / 3]),
    ({"type": "poisson"},                 OUT,          COUNTS,
     [(math.exp(1) + math.exp(-2) + 2 + math.exp(0.5) - 1) / 3, (1 + math.exp(3) + math.exp(-1) + 1) / 3]),
]
FAR = [  # options, logits or values, target, cost, its derivative
    ({"type": "squared_error"},           [1e4, -1e4],  [0.0, 0.0],   2e8,      [2e4, -2e4]),
    ({"type": "mean_squared_error"},      [1e4, -1e4],  [0.0, 0.0],   1e8,      [1e4, -1e4]),
    ({"type": "absolute_error"},          [1e4, -1e4],  [0.0, 0.0],   2e4,      [1.0, -1.0]),
    ({"type": "mean_absolute_error"},     [1e4, -1e4],  [0.0, 0.0],   1e4,      [0.5, -0.5]),
    ({"type": "huber"},                   [1e4, -1e4],  [0.0, 0.0],   9999.5,   [0.5, -0.5]),
    ({"type": "binary_cross_entropy"},    [1e4, -1e4],  [1.0, 0.0],   0.0,      [0.0, 0.0]),
    ({"type": "binary_cross_entropy"},    [1e4, -1e4],  [0.0, 1.0],   1e4,      [0.5, -0.5]),
    ({"type": "binary_cross_entropy"},    [30.0, -30.], [1.0, 0.0],   math.log1p(E30), [-S30 / 2, S30 / 2]),
    ({"type": "softmax_cross_entropy"},   [1e4, -1e4],  [1.0, 0.0],   0.0,      [0.0, 0.0]),
    ({"type": "softmax_cross_entropy"},   [1e4, -1e4],  [0.0, 1.0],   2e4,      [1.0, -1.0]),
    ({"type": "softmax_cross_entropy"},   [1e4, 1e4],   [0.0, 1.0],   LOG2,     [0.5, -0.5]),
    ({"type": "binary_cross_entropy"} | HALF,  [1e4, -1e4], [1.0, 0.0], 2500,   [0.125, -0.125]),
    ({"type": "softmax_cross_entropy"} | HALF, [1e4, -1e4], [1.0, 0.0], 5000,   [0.25, -0.25]),
    ({"type": "kl_divergence"},           [1e4, -1e4],  [1.0, 0.0],   0.0,      [0.0, 0.0]),
    ({"type": "kl_divergence"},           [1e4, -1e4],  [0.0, 1.0],   2e4,      [1.0, -1.0]),
    ({"type": "focal"},                   [1e4, -1e4],  [1.0, 0.0],   0.0,      [0.0, 0.0]),
    ({"type": "focal"},                   [1e4, -1e4],  [0.0, 1.0],   1e4,      [0.5, -0.5]),
    ({"type": "hinge"},                   [1e4, -1e4],  [1.0, 0.0],   0.0,      [0.0, 0.0]),
    ({"type": "hinge"},                   [1e4, -1e4],  [0.0, 1.0],   10001,    [0.5, -0.5]),
    ({"type": "squared_hinge"},           [1e4, -1e4],  [0.0, 1.0],   10001**2, [10001, -10001]),
    ({"type": "log_cosh"},                [1e4, -1e4],  [0.0, 0.0],   1e4-LOG2, [0.5, -0.5]),
    ({"type": "quantile", "quantile": 0.75}, [1e4, -1e4], [0.0, 0.0], 5e3,      [0.125, -0.375]),
    ({"type": "poisson"},                 [-1e4, 0.0],  [2.0, 1.0],   10000.5,  [-1.0, 0.0]),
]
MISFITS = [  # type, output shape, target shape (None: class indices), message
    ("squared_error",         (2, 3),    (2, 2), r"output \(2, 3\) and target \(2, 2\) do not fit"),
    ("mean_squared_error",    (2, 3),    (2,),   r"output \(2, 3\) and target \(2,\) do not fit"),
    ("absolute_error",        (2,),      (2, 2), r"output \(2,\) and target \(2, 2\) do not fit"),
    ("mean_absolute_error",   (2, 3, 1), (2, 3), r"shape \(B, O\), got \(2, 3, 1\)"),
    ("huber",                 (2, 1),    (2, 3), r"output \(2, 1\) and target \(2, 3\) do not fit"),
    ("binary_cross_entropy",  (2, 3),    (2, 1), r"output \(2, 3\) and target \(2, 1\) do not fit"),
    ("softmax_cross_entropy", (2, 3),    (2, 4), r"logits \(2, 3\) and target \(2, 4\) do not fit"),
    ("softmax_cross_entropy", (2, 3),    (2,),   r"logits \(2, 3\) and target \(2,\) do not fit"),
    ("softmax_cross_entropy", (2, 3, 3), None,   r"shape \(B, O\), got \(2, 3, 3\)"),
    ("kl_divergence",         (2, 3),    (2, 4), r"logits \(2, 3\) and target \(2, 4\) do not fit"),
    ("focal",                 (2, 3),    (2, 1), r"output \(2, 3\) and target \(2, 1\) do not fit"),
    ("hinge",                 (2, 3),    (2, 1), r"output \(2, 3\) and target \(2, 1\) do not fit"),
    ("squared_hinge",         (2, 3, 1), None,   r"shape \(B, O\), got \(2, 3, 1\)"),
    ("log_cosh",              (2,),      (2, 2), r"output \(2,\) and target \(2, 2\) do not fit"),
    ("quantile",              (2, 1),    (2, 3), r"output \(2, 1\) and target \(2, 3\) do not fit"),
    ("poisson",               (2, 3),    (2,),   r"output \(2, 3\) and target \(2,\) do not fit"),
]
CHECKS = [  # type, output shape, classes, message (None: it fits)
    ("squared_error",         (1,),   None, None),
    ("squared_error",         (10,),  10,   None),
    ("squared_error",         (1,),   2,    None),
    ("squared_error",         (3,),   10,   r"3 outputs, the data 10 classes; set units: 10"),
    ("mean_squared_error",    (2, 2), None, r"an output of shape \(O,\), got \(2, 2\)"),
    ("absolute_error",        (),     None, r"an output of shape \(O,\), got \(\)"),
    ("mean_absolute_error",   (1,),   3,    r"1 output, the data 3 classes"),
    ("huber",                 (4,),   None, None),
    ("binary_cross_entropy",  (1,),   2,    None),
    ("binary_cross_entropy",  (2,),   2,    None),
    ("binary_cross_entropy",  (5,),   None, None),
    ("binary_cross_entropy",  (1,),   3,    r"1 output, the data 3 classes"),
    ("softmax_cross_entropy", (3,),   3,    None),
    ("softmax_cross_entropy", (4,),   3,    r"4 outputs, the data 3 classes; set units: 3"),
    ("softmax_cross_entropy", (1,),   2,    r"needs 2 outputs for 2 classes, got 1"),
    ("softmax_cross_entropy", (3,),   None, None),
    ("softmax_cross_entropy", (1,),   None, r"needs 2 outputs or more, got 1"),
    ("kl_divergence",         (3,),   3,    None),
    ("kl_divergence",         (3,),   None, None),
    ("kl_divergence",         (1,),   None, r"needs 2 outputs or more, got 1"),
    ("focal",                 (1,),   2,    None),
    ("focal",                 (5,),   None, None),
    ("focal",                 (4,),   3,    r"4 outputs, the data 3 classes; set units: 3"),
    ("hinge",                 (1,),   2,    None),
    ("hinge",                 (3,),   3,    None),
    ("hinge",                 (1,),   None, r"hinge needs data with classes, but its targets are values"),
    ("squared_hinge",         (2,),   3,    r"2 outputs, the data 3 classes; set units: 3"),
    ("squared_hinge",         (2,),   None, r"needs data with classes"),
    ("log_cosh",              (1,),   None, None),
    ("quantile",              (2, 2), None, r"an output of shape \(O,\), got \(2, 2\)"),
    ("poisson",               (2,),   None, None),
    ("poisson",               (3,),   3,    r"values as targets, but the data has 3 classes; .*task: regr"),
]
OUTSIDE = [  # type, targets (n, O), message (None: they are within the domain)
    ("squared_error",         [[-1e9]],              None),
    ("binary_cross_entropy",  [[0.0], [1.0], [0.5]], None),
    ("binary_cross_entropy",  [[0.5], [1.5]],        r"targets from 0 to 1, but there is 1\.5; scale them"),
    ("focal",                 [[-0.5]],              r"targets from 0 to 1, but there is -0\.5"),
    ("kl_divergence",         [[0.25, 0.754]],       None),
    ("softmax_cross_entropy", [[0.25, 0.754]],       None),
    ("softmax_cross_entropy", [[1.5, -0.5]],         r"probabilities .*, but there is -0\.5; .* of values"),
    ("softmax_cross_entropy", [[2.0, 3.0]],          r"rows sum to 1, but one sums to 5; .* of values"),
    ("kl_divergence",         [[1.5, -0.5]],         r"probabilities as targets, but there is -0\.5"),
    ("kl_divergence",         [[0, 1], [0.5, 0.25]], r"rows sum to 1, but one sums to 0\.75"),
    ("poisson",               [[0.0], [7.5]],        None),
    ("poisson",               [[3.0], [-1.5]],       r"targets >= 0, but there is -1\.5; .*target: none"),
]
BAD = [
    ("huber",    {"delta": 0.0}),                   ("huber",    {"delta": -1.0}),
    ("huber",    {"delta": float("inf")}),          ("quantile", {"quantile": 0.0}),
    ("quantile", {"quantile": 1.0}),                ("focal",    {"gamma": -0.5}),
    ("focal",    {"alpha": 0.0}),                   ("focal",    {"alpha": 1.0}),
    ("hinge",    {"margin": 2.0}),                  ("binary_cross_entropy",  {"label_smoothing": 1.0}),
    ("softmax_cross_entropy", {"label_smoothing": -0.1}),
]
# fmt: on
row = pytest.mark.parametrize(("options", "output", "target", "cost"), ROWS, ids=[str(r[0]) for r in ROWS])


def build(options: dict[str, Any]) -> Loss:
    return losses[options["type"]].model_validate(options)


def as_target(target: list[Any]) -> np.ndarray:
    array = np.array(target)
    return array.astype(np.int32) if array.dtype.kind == "i" else array


def test_every_loss_has_its_rows() -> None:
    for table in (ROWS, FAR):
        assert {r[0]["type"] for r in table} == set(losses)
    for table in (MISFITS, CHECKS):
        assert {r[0] for r in table} == set(losses)


@row
def test_costs_are_those_by_hand(
    options: dict, output: list, target: list, cost: list, traced: Callable
) -> None:
    loss, x, y = build(options), np.array(output), as_target(target)
    np.testing.assert_allclose(loss(x, y), cost, rtol=1e-14)
    np.testing.assert_array_equal(traced(loss, x, y), loss(x, y))
    single = traced(loss, x.astype("f4"), y.astype("f4") if y.dtype == "f8" else y)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, cost, rtol=1e-6)


@row
def test_derivatives_are_those_of_differences(options: dict, output: list, target: list, cost: list) -> None:
    x = np.array(output) + 0.1  # away from the corners of |r|
    check_grads(lambda x: build(options)(x, as_target(target)), [x])


@pytest.mark.parametrize(("options", "output", "target", "cost", "slope"), FAR, ids=[str(r[0]) for r in FAR])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_far_outputs_have_accurate_costs_and_derivatives(
    options: dict, output: list, target: list, cost: float, slope: list, dtype: str
) -> None:
    loss = build(options)
    x, y = np.array([output], dtype), np.array([target], dtype)
    rtol = 1e-6 if dtype == "f4" else 1e-14
    np.testing.assert_allclose(loss(x, y), [cost], rtol=rtol)
    np.testing.assert_allclose(grad(lambda x: nnp.sum(loss(x, y)))(x), [slope], rtol=rtol, atol=1e-30)


def slope_at(name: str, output: float, target: float) -> float:
    loss, y = build({"type": name}), np.full((1, 1), target)
    return float(grad(lambda x: nnp.sum(loss(x, y)))(np.full((1, 1), output))[0, 0])


@pytest.mark.parametrize("name", ["squared_error", "mean_squared_error"])
def test_the_squares_of_the_residuals_are_the_cost(name: str) -> None:
    loss = losses[name]()
    assert isinstance(loss, SumOfSquares)
    output, target = np.array(VALUES), np.zeros((2, 3))
    residuals = loss.residuals(output, target)
    assert residuals.shape == output.shape
    np.testing.assert_allclose(np.sum(residuals**2, axis=1), loss(output, target), rtol=1e-15)


def test_derivatives_at_a_corner_are_the_middle_ones() -> None:
    for name in ("absolute_error", "huber", "quantile", "log_cosh"):
        assert slope_at(name, 0.0, 0.0) == 0
    assert slope_at("binary_cross_entropy", 0.0, 0.0) == 0.5
    assert slope_at("hinge", 1.0, 1.0) == 0
    assert slope_at("hinge", -1.0, 0.0) == 0


def test_log_cosh_bends_at_its_minimum_and_is_whole_where_its_formulas_meet() -> None:
    loss = build({"type": "log_cosh"})
    bend = grad(grad(lambda r: nnp.sum(loss(nnp.reshape(r, (1,)), np.zeros(1)))))
    for r in (0.0, 0.5, -0.999, 1.0, -1.0, 3.0):
        assert float(bend(np.array(r))) == pytest.approx(1 - math.tanh(r) ** 2, rel=1e-12)


@pytest.mark.parametrize("case", REFERENCE["rows"], ids=[str(r["options"]) for r in REFERENCE["rows"]])
def test_costs_and_derivatives_are_pytorchs(case: dict) -> None:
    loss, x = build(case["options"]), np.array(REFERENCE["output"])
    y = as_target(REFERENCE["targets"][case["targets"]])
    np.testing.assert_allclose(loss(x, y), case["costs"], rtol=1e-12)
    # 1e-14: a derivative of two terms that nearly cancel
    slopes = grad(lambda x: nnp.sum(loss(x, y)))(x)
    np.testing.assert_allclose(slopes, case["slopes"], rtol=1e-12, atol=1e-14)


def test_every_loss_that_pytorch_can_say_is_compared_with_it() -> None:
    sums = {"squared_error", "absolute_error"}  # PyTorch has their means
    assert {r["options"]["type"] for r in REFERENCE["rows"]} == set(losses) - sums


def test_the_best_constant_output_is_the_quantile() -> None:
    y = np.random.default_rng(0).normal(size=(1001, 1))
    loss = build({"type": "quantile", "quantile": 0.8})
    costs = [float(loss(np.full((1001, 1), c), y).mean()) for c in np.sort(y[:, 0])]
    assert int(np.argmin(costs)) == 800


def test_hinge_and_quantile_are_scikit_learns() -> None:
    from sklearn.metrics import hinge_loss, mean_pinball_loss

    rng = np.random.default_rng(1)
    z, bits = rng.normal(size=30), rng.integers(0, 2, 30).astype(np.int32)
    assert build({"type": "hinge"})(z, bits).mean() == pytest.approx(hinge_loss(bits, z), rel=1e-14)
    x, y = rng.normal(size=(2, 30, 3))
    cost = build({"type": "quantile", "quantile": 0.3})(x, y).mean()
    assert cost == pytest.approx(mean_pinball_loss(y, x, alpha=0.3), rel=1e-14)


def test_class_indices_cost_what_their_one_hot_rows_cost() -> None:
    classes, rows = np.array([0, 2], np.int32), np.array([[1.0, 0, 0], [0, 0, 1.0]])
    for name in losses:
        loss = build({"type": name})
        np.testing.assert_array_equal(loss(np.array(OUT), classes), loss(np.array(OUT), rows))


@pytest.mark.parametrize(("name", "output", "target", "message"), MISFITS)
def test_shapes_that_do_not_fit_are_errors(
    name: str, output: tuple, target: tuple | None, message: str, traced: Callable
) -> None:
    y = np.zeros(2, np.int32) if target is None else np.zeros(target)
    with pytest.raises(GraphError, match=message):
        build({"type": name})(np.zeros(output), y)
    with pytest.raises(GraphError, match=message.replace(r"\(2", r"\(B")):
        traced(build({"type": name}), np.zeros(output), y)


@pytest.mark.parametrize(("name", "shape", "classes", "message"), CHECKS)
def test_a_model_is_checked_against_the_data(
    name: str, shape: tuple, classes: int | None, message: str | None
) -> None:
    loss = build({"type": name})
    if message is None:
        loss.check(shape, classes)
        return
    with pytest.raises(GraphError, match=message):
        loss.check(shape, classes)


@pytest.mark.parametrize(("name", "target", "message"), OUTSIDE)
def test_targets_outside_the_domain_are_errors(name: str, target: list, message: str | None) -> None:
    loss = build({"type": name})
    if message is None:
        loss.check_targets(np.array(target))
        return
    with pytest.raises(DataError, match=f"{name} needs .*{message}"):
        loss.check_targets(np.array(target))


def test_predictions_are_what_the_loss_takes_the_output_for(traced: Callable) -> None:
    z = np.array([[-1e4, 0.0, 50.0], [0.0, 0.0, 0.0]])
    yes_or_no, one_of_many = [[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]], [[0.0, 0.0, 1.0], [1 / 3, 1 / 3, 1 / 3]]
    expected = {
        **dict.fromkeys(("binary_cross_entropy", "focal", "hinge", "squared_hinge"), yes_or_no),
        **dict.fromkeys(("softmax_cross_entropy", "kl_divergence"), one_of_many),
        "poisson": [[0.0, 1.0, math.exp(50)], [1.0, 1.0, 1.0]],
    }
    for name in losses:
        loss = build({"type": name})
        # 1e-20: the remainder of a probability after exp(-50)
        np.testing.assert_allclose(loss.predict(z), expected.get(name, z), rtol=1e-15, atol=1e-20)
        np.testing.assert_array_equal(traced(loss.predict, z), loss.predict(z))


def test_two_classes_need_one_output_where_each_output_is_a_yes_or_no() -> None:
    single = [name for name in losses if build({"type": name}).output_size(2, 2) == 1]
    assert set(single) == {"binary_cross_entropy", "focal", "hinge", "squared_hinge"}
    assert all(build({"type": name}).output_size(7, classes) == 7 for name in losses for classes in (7, None))


@pytest.mark.parametrize("name", losses)
def test_a_loss_says_whether_its_gradient_is_linear_in_the_target(name: str) -> None:
    """Then the gradient is linear between two targets."""
    loss, z = losses[name](), np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.5]])
    first, second = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]])

    def slope(t: np.ndarray) -> np.ndarray:
        return np.asarray(grad(lambda output: nnp.sum(loss(output, t)))(z))

    gap = np.abs(slope(0.7 * first + 0.3 * second) - 0.7 * slope(first) - 0.3 * slope(second)).max()
    assert (gap < 1e-12) == loss.is_linear  # of slopes of about 1


def test_those_made_for_classes_are_known() -> None:
    made = {name for name in losses if losses[name].targets == "classes"}
    assert made == {"softmax_cross_entropy", "hinge", "squared_hinge"}


@pytest.mark.parametrize(("name", "options"), BAD)
def test_a_bad_option_is_an_error(name: str, options: dict) -> None:
    with pytest.raises(ValidationError):
        build({"type": name, **options})


OF_LOGITS = {
    "binary_cross_entropy", "focal", "hinge", "kl_divergence", "softmax_cross_entropy", "squared_hinge"
}  # fmt: skip


@pytest.mark.parametrize("name", losses)
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_losses_of_logits_refuse_what_they_apply_themselves(name: str, activation: str) -> None:
    loss = losses[name].model_validate({"type": name} | ({"quantile": 0.5} if name == "quantile" else {}))
    loss.check_activation("tanh", "last")
    if name not in OF_LOGITS:
        loss.check_activation(activation, "last")
        return
    message = (
        f'{name} takes the output before any sigmoid or softmax, but "last" ends with {activation}; remove'
    )
    with pytest.raises(GraphError, match=message):
        loss.check_activation(activation, "last")


@pytest.mark.parametrize("name", losses)
def test_the_formula_of_a_loss_is_that_of_its_docstring(name: str) -> None:
    loss = losses[name]
    first = " ".join((loss.__doc__ or "").replace("`", "").split("\n\n")[0].split())
    assert loss.formula
    assert first.startswith(loss.formula)
    assert loss.formula_note in first
