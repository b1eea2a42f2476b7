"""Every loss: values worked out by hand, derivatives, far logits, and shapes that do not fit."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import nnjit.numpy as nnp
from nnjit.autodiff import check_grads, grad
from nnjit.errors import GraphError
from nnjit.nn import Loss, losses

OUT = [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]]
VALUES = [[0.0, -2.0, 2.5], [1.0, 1.0, -1.0]]  # residuals 1, 0, -2 and -1, 2, 0
BITS = [[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]]
LOG2, E30 = math.log(2), math.exp(-30)
S30 = E30 / (1 + E30)


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
]
MISFITS = [  # type, output shape, target shape (None: class indices), what the message says
    ("squared_error",         (2, 3),    (2, 2), r"output \(2, 3\) and target \(2, 2\) do not fit"),
    ("mean_squared_error",    (2, 3),    (2,),   r"output \(2, 3\) and target \(2,\) do not fit"),
    ("absolute_error",        (2,),      (2, 2), r"output \(2,\) and target \(2, 2\) do not fit"),
    ("mean_absolute_error",   (2, 3, 1), (2, 3), r"shape \(B, O\), got \(2, 3, 1\)"),
    ("huber",                 (2, 1),    (2, 3), r"output \(2, 1\) and target \(2, 3\) do not fit"),
    ("binary_cross_entropy",  (2, 3),    (2, 1), r"output \(2, 3\) and target \(2, 1\) do not fit"),
    ("softmax_cross_entropy", (2, 3),    (2, 4), r"logits \(2, 3\) and target \(2, 4\) do not fit"),
    ("softmax_cross_entropy", (2, 3),    (2,),   r"logits \(2, 3\) and target \(2,\) do not fit"),
    ("softmax_cross_entropy", (2, 3, 3), None,   r"shape \(B, O\), got \(2, 3, 3\)"),
]
CHECKS = [  # type, output shape, classes, what the message says (None: it fits)
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
    ("softmax_cross_entropy", (3,),   None, r"needs data with classes"),
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


def test_derivatives_at_a_corner_are_the_middle_ones() -> None:
    zero = np.zeros((1, 1))
    for name, slope in (("absolute_error", 0.0), ("huber", 0.0), ("binary_cross_entropy", 0.5)):
        loss = build({"type": name})
        assert float(grad(lambda x: nnp.sum(loss(x, zero)))(zero)[0, 0]) == slope  # noqa: B023  # called at once


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


def test_predictions_are_probabilities_where_outputs_are_logits(traced: Callable) -> None:
    z = np.array([[-1e4, 0.0, 1e4], [0.0, 0.0, 0.0]])
    expected = {
        "binary_cross_entropy": [[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]],
        "softmax_cross_entropy": [[0.0, 0.0, 1.0], [1 / 3, 1 / 3, 1 / 3]],
    }
    for name in losses:
        loss = build({"type": name})
        np.testing.assert_allclose(loss.predict(z), expected.get(name, z), rtol=1e-15)
        np.testing.assert_array_equal(traced(loss.predict, z), loss.predict(z))


def test_only_the_softmax_is_made_for_classes() -> None:
    assert [name for name in losses if losses[name].targets == "classes"] == ["softmax_cross_entropy"]


@pytest.mark.parametrize("delta", [0.0, -1.0, float("inf")])
def test_a_bad_delta_is_an_error(delta: float) -> None:
    with pytest.raises(ValidationError):
        build({"type": "huber", "delta": delta})
