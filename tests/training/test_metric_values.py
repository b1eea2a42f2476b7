"""Metrics of training on hard numbers: targets far from 0, constant targets, and saturated outputs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from scipy.special import log_expit, log_softmax

from nnjit import config
from nnjit.cli.summary import summary
from nnjit.ir import interpret
from nnjit.runs.aggregate import Result, aggregate
from nnjit.runs.metrics import RunMetrics, SplitValues
from nnjit.runs.status import Status
from nnjit.runs.study import StudyMetrics
from nnjit.training.graphs.step import evaluation_graph, logits_graph, step_graph
from nnjit.training.setup.setup import Setup, set_up

from .conftest import train_epochs

RNG = np.random.default_rng(0)
ROWS = 120
SPREAD = RNG.normal(size=ROWS)  # of targets about their center
NOISE = 0.5 * RNG.normal(size=ROWS)  # of predictions
VARIANCES = {"r2": sklearn.metrics.r2_score, "explained_variance": sklearn.metrics.explained_variance_score}
ERRORS = {"mae": sklearn.metrics.mean_absolute_error, "mse": sklearn.metrics.mean_squared_error}


def values_setup(y: np.ndarray, x: np.ndarray, *settings: str) -> Setup:
    return set_up(config.resolve(values_config(y, x), settings), Path())


def values_config(y: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    """A linear model with the predictions weight x + bias."""
    return {
        "data": {"type": "inline", "x": x.tolist(), "y": y.tolist()},
        "model": [{"type": "dense", "units": 1}],
        "loss": "squared_error",
        "optimizer": {"type": "gradient_descent", "learning_rate": 0.1},
        "metrics": [*VARIANCES, *ERRORS],
        "training": {"epochs": 2, "batch_size": 16},
    }


def measured(setup: Setup, theta: np.ndarray) -> dict[str, float]:
    """The metrics of the training part, by the interpreter."""
    task, part = setup.task, setup.data.train
    arrays = [*task.model.split(theta).values(), part.x, part.y, part.w]
    _, weight, *sums = interpret(evaluation_graph(task), arrays)
    named = {m.column: m.finish(s, float(weight)) for m, s in zip(task.sums, sums, strict=True)}
    if task.wholes:
        (logits,) = interpret(logits_graph(task), arrays[:-2])
        scores = task.reading.scores(logits)
        named |= {m.column: m.measure(scores, part.y, part.w.astype(float)) for m in task.wholes}
    return named


@pytest.mark.parametrize("center", [0.0, 2_460_000.0, -1e9])
@pytest.mark.parametrize("scale", ["none", "standard", "min_max"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_variances_and_errors_are_those_of_two_passes(
    center: float, scale: str, dtype: str, weight: float
) -> None:
    """With weight 0 the prediction is constant: its R² is 0, and was 1 by Σt² - (Σt)²/n."""
    setup = values_setup(center + SPREAD, SPREAD + NOISE, f"data.scale_target={scale}", f"dtype={dtype}")
    unit = setup.data.scaling.targets
    shift, size = (0.0, 1.0) if unit is None else (float(unit.shift[0]), float(unit.scale[0]))
    theta = np.array([weight / size, (center - shift) / size], dtype)
    y = setup.data.train.y[:, 0].astype(float)
    # A sum in the type of the training: float32's step at 2,460,000 is 0.25, and at 1e9 64.
    predicted = setup.data.train.x[:, 0] * theta[0] + theta[1]
    assert predicted.dtype == dtype
    found = measured(setup, theta)
    for name, metric in (VARIANCES | ERRORS).items():
        # In the unit of training; the values differ by a factor alone.
        factor = {"mae": size, "mse": size**2}.get(name, 1.0)
        wanted = metric(y, predicted.astype(float)) * factor
        # 1e-6: float32's product and sum in another order; the square of center / deviation is 1e18
        assert found[name] == pytest.approx(wanted, rel=1e-6, abs=1e-6 * factor), name
    if weight == 0 and y.var() > 0:  # in float32, -1e9 + 1 is -1e9
        assert -0.1 < found["r2"] <= 0  # the mean of 120 draws is about 0.1 from that of all


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_explained_variance_does_not_mind_an_offset_of_any_size(dtype: str) -> None:
    setup = values_setup(2_460_000 + SPREAD, SPREAD + NOISE, f"dtype={dtype}")
    y, x = setup.data.train.y[:, 0].astype(float), setup.data.train.x[:, 0].astype(float)
    found = measured(setup, np.array([1, 0], dtype))["explained_variance"]
    assert found == pytest.approx(sklearn.metrics.explained_variance_score(y, x), rel=1e-6)


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (np.where(SPREAD > 0, 0.1 + 0.2, 0.3), "float64"),
        (np.where(SPREAD > 0, 0.1 + 0.2, 0.3), "float32"),
        (np.full(ROWS, 1e9 / 3), "float64"),
        (np.full(ROWS, 1e9 / 3), "float32"),
    ],
)
@pytest.mark.parametrize("scale", ["none", "standard"])
def test_a_target_constant_but_for_rounding_is_explained_exactly_or_not_at_all(
    y: np.ndarray, dtype: str, scale: str
) -> None:
    setup = values_setup(y, SPREAD, f"data.scale_target={scale}", f"dtype={dtype}")
    middle = float(setup.data.train.y[0, 0])
    right, wrong = (measured(setup, np.array([0, middle * f + o], dtype)) for f, o in ((1, 0), (1.01, 1)))
    assert (right["r2"], right["explained_variance"]) == (1, 1)
    assert (wrong["r2"], wrong["explained_variance"]) == (0, 1)
    sloped = measured(setup, np.array([0.5, middle], dtype))
    assert sloped["explained_variance"] == (0 if middle < 1e6 or dtype == "float64" else 1)


def test_native_epochs_measure_what_numpy_does() -> None:
    """For several batches, each with its own mean error, and for an evaluation."""
    rate = "optimizer.learning_rate=1e-300"  # so all batches have the same params
    given, x, y = "data.split={validation: 0.25}", SPREAD + NOISE, 2_460_000 + SPREAD
    setup = values_setup(y, x, "dtype=float64", given)
    state, history = train_epochs(values_config(y, x), ("dtype=float64", given, rate, "training.epochs=1"))
    weight, bias = state.theta
    for split, part in setup.splits.items():
        predicted = part.x[:, 0] * weight + bias
        for name, metric in (VARIANCES | ERRORS).items():
            # 2e-2 of a variance of 1: the mean errors of batches are 2,460,000, and ε of its square is 1e-3
            tolerance = 2e-2 if (name, split) == ("explained_variance", "train") else 1e-9
            value = float(history[f"{split}_{name}"][0])
            assert value == pytest.approx(metric(part.y[:, 0], predicted), rel=tolerance), (split, name)


def classes_setup(z: np.ndarray, labels: np.ndarray, loss: str, activation: str, *before: Any) -> Setup:
    """A float32 network whose logits are its inputs, perhaps after other layers."""
    given: dict[str, Any] = {
        "data": {"type": "inline", "x": z.tolist(), "y": labels.tolist(), "task": "classification"},
        "model": [*before, {"type": "dense", "units": z.shape[1], "activation": activation, "bias": False}],
        "loss": loss,
        "optimizer": "adam",
        "metrics": ["roc_auc", "average_precision", "log_loss", {"type": "top_k", "k": 1}],
        "training": {"epochs": 1},
    }
    return set_up(config.resolve(given), Path())


DROP: Any = {"type": "dropout", "rate": 0.5}
SATURATED = [
    ("binary_cross_entropy", "identity", 1), ("hinge", "identity", 1), ("squared_error", "sigmoid", 1),
    ("softmax_cross_entropy", "identity", 2), ("squared_error", "softmax", 2),
    ("softmax_cross_entropy", "identity", 3), ("squared_error", "softmax", 3),
    ("binary_cross_entropy", "identity", 3), ("squared_error", "sigmoid", 3),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "activation", "width"), SATURATED)
def test_saturated_outputs_are_ranked_by_their_logits(loss: str, activation: str, width: int) -> None:
    """All probabilities are 0 or 1 in float32, so ranking by them would tie all examples of a class."""
    classes = max(width, 2)
    labels = np.arange(ROWS) % classes
    z = 40 * np.eye(classes)[labels][:, -width:] + np.linspace(0, 20, ROWS)[:, None]
    z = z + (300 if "soft" not in loss + activation else 400 * np.eye(width)[0])
    setup = classes_setup(z, labels, loss, activation)
    found = measured(setup, np.eye(width, dtype="f4").ravel())
    assert (found["roc_auc"], found["average_precision"]) == (1, pytest.approx(1))
    z = setup.data.train.x.astype(float)
    if width > 1:
        assert found["top_k_1"] == pytest.approx(np.mean(z.argmax(axis=1) == labels))
    if "soft" in loss + activation:
        log_p = log_softmax(z, axis=1)
    else:
        log_p = np.hstack([log_expit(-z), log_expit(z)]) if width == 1 else np.full((ROWS, 3), -np.log(3))
    wanted = -log_p[np.arange(ROWS), labels].mean()
    assert found["log_loss"] == pytest.approx(wanted, rel=1e-6)


def test_a_step_measures_the_logits_of_its_own_dropout() -> None:
    """They come from a second pass of the model without its softmax, which drops the same units."""
    setup = classes_setup(
        np.stack([SPREAD, NOISE], axis=1), np.arange(ROWS) % 2, "squared_error", "softmax", DROP
    )
    graph, _ = step_graph(setup.task)
    theta, part = np.eye(2, dtype="f4").ravel(), setup.data.train
    vectors = [theta, *(np.zeros_like(theta) for _ in setup.task.slots)]
    likely = []
    for step in range(1, 9):
        numbers = [np.uint32(7), np.uint32(step), np.float32(0)]
        outputs = interpret(graph, [*vectors, *map(np.asarray, numbers), part.x[:1], part.y[:1], part.w[:1]])
        cost, log_loss = (
            float(outputs[-6]),
            float(outputs[-3][0]),
        )  # then weight, penalty; top_k, gradient
        likely.append(np.exp(-log_loss))
        assert cost == pytest.approx(2 * (1 - likely[-1]) ** 2, rel=1e-5)
    assert len(np.unique(np.round(likely, 4))) > 2


ONE = {"type": "dense", "units": 1, "bias": False, "from": "input"}


def test_each_of_several_outputs_is_read_as_a_single_one() -> None:
    """A class whose sigmoid is 1 in float32 throughout, and a value of 1e9."""
    labels = np.arange(ROWS) % 2
    score = 300 + 10 * labels + SPREAD
    given = {
        "data": {
            "type": "inline",
            "x": np.stack([score, NOISE], axis=1).tolist(),
            "y": {"kind": np.where(labels, "yes", "no").tolist(), "size": (1e9 + SPREAD).tolist()},
            "scale_target": "standard",
        },
        "model": [
            {**ONE, "name": "a", "activation": "sigmoid"},
            {**ONE, "name": "b"},
        ],
        "losses": {
            "a": {
                "loss": "squared_error",
                "task": "classification",
                "target": "kind",
                "metrics": ["roc_auc", "log_loss"],
            },
            "b": {"loss": "squared_error", "target": "size", "metrics": ["r2", "explained_variance"]},
        },
        "optimizer": "adam",
        "training": {"epochs": 1},
    }
    setup = set_up(config.resolve(given), Path())
    found = measured(setup, np.array([1, 0, 0, 1], "f4"))
    assert found["a_roc_auc"] == sklearn.metrics.roc_auc_score(labels, score) > 0.99
    logits = setup.data.train.x[:, 0].astype(float)
    wanted = -np.where(labels, log_expit(logits), log_expit(-logits)).mean()
    assert found["a_log_loss"] == pytest.approx(wanted, rel=1e-6)
    y = setup.data.train.y[:, 1].astype(float)
    # 1e-6: of float32's targets
    assert found["b_r2"] == pytest.approx(sklearn.metrics.r2_score(y, setup.data.train.x[:, 1]), abs=1e-6)


COLUMNS_LOSS: dict[str, Any] = {"loss": "mean_squared_error", "metrics": [*VARIANCES, *ERRORS, "mape"]}


def columns_config(y: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    """A network whose outputs are its two inputs, one for each target column."""
    return {
        "dtype": "float64",
        "data": {"type": "inline", "x": x.tolist(), "y": y.tolist()},
        "model": [{"type": "dense", "units": 2, "bias": False}],
        **COLUMNS_LOSS,
        "training": {"epochs": 1},
    }


def columns_of_one_of_several_outputs(y: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    """The same with another output, whose target comes first."""
    up, down = y.T.tolist()
    return {
        "dtype": "float64",
        "data": {"type": "inline", "x": x.tolist(), "y": {"rest": up, "up": up, "down": down}},
        "model": [{**ONE, "name": "rest"}, {**ONE, "name": "both", "units": 2}],
        "losses": {
            "rest": {"target": "rest", "loss": "squared_error"},
            "both": {"target": ["up", "down"], **COLUMNS_LOSS},
        },
        "training": {"epochs": 1},
    }


@pytest.mark.parametrize(
    ("given", "theta", "first", "second", "mean"),
    [
        (columns_config, [1, 0, 0, 1], "y1_", "y2_", ""),
        (columns_of_one_of_several_outputs, [0, 0, 1, 0, 0, 1], "both_up_", "both_down_", "both_"),
    ],
)
def test_each_target_column_is_read_less_its_own_center(
    given: Callable[..., Any], theta: list[int], first: str, second: str, mean: str
) -> None:
    """Columns far from 0; the second is constant, and predicted, up to rounding."""
    y = np.stack([-1e9 + SPREAD, np.where(SPREAD > 0, 0.1 + 0.2, 0.3)], axis=1)
    x = np.stack([-1e9 + SPREAD + NOISE, np.full(ROWS, 0.3)], axis=1)
    found = measured(set_up(config.resolve(given(y, x)), Path()), np.array(theta, "f8"))
    for name, metric in (VARIANCES | ERRORS).items():
        # 1e-6: float64's step at 1e9 is 1e-7
        assert found[f"{first}{name}"] == pytest.approx(metric(y[:, 0], x[:, 0]), rel=1e-6), name
    assert found[f"{first}mape"] == pytest.approx(np.mean(abs(NOISE)) / 1e9, rel=1e-6)
    for name in VARIANCES:
        assert found[f"{second}{name}"] == 1, name
        assert found[f"{mean}{name}"] == pytest.approx((found[f"{first}{name}"] + 1) / 2), name


def run_metrics(**values: float) -> RunMetrics:
    """The metrics of a run with these values on its test part."""
    return RunMetrics(
        status=Status.COMPLETED, epochs=1, best_epoch=None, monitor="", mode="min", weights="last",
        splits={"train": SplitValues(9, 0.5, {"roc_auc": 0.75}), "test": SplitValues(9, 0.5, values)},
        parameters=1, seconds={"train": 1.0},
    )  # fmt: skip


def printed(metrics: RunMetrics | StudyMetrics) -> str:
    """The summary of a run or study, from its file."""
    content = json.loads(metrics.to_bytes())
    return summary(SimpleNamespace(metrics=content, folder=Path("nowhere")))  # type: ignore[arg-type]  # all that it reads


def test_a_ranking_of_one_class_has_no_value_and_the_summary_says_so() -> None:
    setup = classes_setup(SPREAD[:, None], np.arange(ROWS) % 2, "binary_cross_entropy", "identity")
    setup.data.train.y[:] = 1
    found = measured(setup, np.ones(1, "f4"))
    assert np.isnan([found["roc_auc"], found["average_precision"]]).all()
    metrics = run_metrics(**found)
    assert metrics.without_value == ("test_roc_auc", "test_average_precision")
    text = "no value: test_roc_auc, test_average_precision; the part has one target throughout, so there is"
    assert text in printed(metrics)
    assert "no value" not in printed(run_metrics(roc_auc=0.5))


def test_the_summary_of_a_study_says_which_members_a_mean_leaves_out() -> None:
    members = [Result(k, k, run_metrics(roc_auc=v)) for k, v in enumerate((0.5, math.nan, 0.75), 1)]
    study = aggregate("folds", 3, members)
    assert study.splits["test"]["roc_auc"].mean == 0.625
    assert "test_roc_auc is the mean of 2 of 3 folds: in the others the part has one target" in printed(study)
