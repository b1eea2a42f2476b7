"""Training on rows of probabilities matches NumPy; other kinds of targets are refused."""

# ruff: noqa: E501  a row is one experiment and its message

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit import config
from nnjit.errors import UserError
from nnjit.runs import file_names
from nnjit.training import Run
from nnjit.training.setup.setup import set_up

X = np.random.default_rng(0).normal(size=(12, 2))
T = np.random.default_rng(1).dirichlet([1.0, 1.0, 1.0], size=12).round(4)
T[:, 2] = 1 - T[:, 0] - T[:, 1]
RATE, EPOCHS = 0.5, 3
START = {"type": "constant", "value": 0.1}


def experiment(loss: Any, y: Any, units: int | None = None, **options: Any) -> dict[str, Any]:
    dense = {"type": "dense", "weight_initializer": START, **({"units": units} if units else {})}
    return {
        "dtype": "float64",
        "data": {"type": "inline", "x": X.tolist(), "y": y, **options.pop("data", {})},
        "model": [dense],
        "loss": loss,
        "optimizer": {"type": "gradient_descent", "learning_rate": RATE},
        "training": {"epochs": EPOCHS, "batch_size": "full", "diagnosis": False},
        **options,
    }


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_soft_labels_are_learned_as_numpy_learns_them(smoothing: float, tmp_path: Path) -> None:
    loss = {"type": "softmax_cross_entropy", "label_smoothing": smoothing}
    run = nnjit.fit(experiment(loss, T.tolist(), metrics=["accuracy"]), output=tmp_path / "run")
    assert isinstance(run, Run)
    w, b, losses = np.full((2, 3), 0.1), np.zeros(3), []
    t = (1 - smoothing) * T + smoothing / 3
    for _ in range(EPOCHS):
        p = softmax(X @ w + b)
        losses.append(-(t * np.log(p)).sum(axis=1).mean())
        w, b = w - RATE * X.T @ (p - t) / len(X), b - RATE * (p - t).mean(axis=0)
    np.testing.assert_allclose(run.history["train_loss"], losses, rtol=1e-12)
    kept = load_file(run.path / file_names.LAST)
    np.testing.assert_allclose(kept["dense_1.weight"], w, rtol=1e-10, atol=1e-13)  # three steps of rounding
    np.testing.assert_allclose(kept["dense_1.bias"], b, rtol=1e-10, atol=1e-13)
    p = softmax(X @ w + b)
    np.testing.assert_allclose(nnjit.load(run.path).predict(X), p, rtol=1e-10)
    values = run.metrics["splits"]["train"]
    assert values["loss"] == pytest.approx(-(t * np.log(p)).sum(axis=1).mean(), rel=1e-10)
    assert values["accuracy"] == np.mean(p.argmax(axis=1) == T.argmax(axis=1))


def test_hard_rows_are_the_same_as_classes(tmp_path: Path) -> None:
    classes = T.argmax(axis=1)
    soft = set_up(config.resolve(experiment("softmax_cross_entropy", np.eye(3)[classes].tolist())), tmp_path)
    given = experiment("softmax_cross_entropy", classes.tolist(), data={"task": "classification"})
    hard = set_up(config.resolve(given), tmp_path)
    theta = soft.initial_state(tmp_path).theta
    losses = [setup.compiled.evaluate(theta, setup.data.train)["loss"] for setup in (soft, hard)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-14)


def test_several_columns_of_one_of_several_outputs_are_probabilities(tmp_path: Path) -> None:
    named = {
        "low": T[:, 0].tolist(),
        "mid": T[:, 1].tolist(),
        "high": T[:, 2].tolist(),
        "size": X[:, 0].tolist(),
    }
    given = experiment("x", named)
    del given["loss"]
    level = {"type": "dense", "name": "level"}
    given["model"] = [level, {"type": "dense", "name": "size", "from": "input"}]
    given["losses"] = {
        "level": {"loss": "softmax_cross_entropy", "target": ["low", "mid", "high"], "metrics": ["accuracy"]},
        "size": {"loss": "mean_squared_error", "target": "size"},
    }
    setup = set_up(config.resolve(given), tmp_path)
    theta = setup.initial_state(tmp_path).theta
    predicted = setup.decoder.decide(setup.compiled.predict(theta, setup.data.train.x))
    assert isinstance(predicted, dict)
    cost = -(T * np.log(predicted["level"])).sum(axis=1).mean()
    values = setup.compiled.evaluate(theta, setup.data.train)
    assert values["level_loss"] == pytest.approx(cost, rel=1e-12)


# fmt: off
REFUSED: list[tuple[Any, ...]] = [
    # loss                     y                     units  data                            the message
    ("softmax_cross_entropy",  [0, 1, 2] * 4,        3,     {"task": "regression"},         "needs data with classes, but its targets are values; .*task: classification"),
    ("softmax_cross_entropy",  [0.5] * 12,           None,  {"task": "regression"},         "needs data with classes"),
    ("softmax_cross_entropy",  [[2.0, 3.0]] * 12,    None,  {},                             "rows sum to 1, but one sums to 5; .* losses of values, such as mean_squared_error"),
    ("softmax_cross_entropy",  [[-1.0, 2.0]] * 12,   None,  {},                             "needs probabilities as targets, but there is -1; "),
    ("softmax_cross_entropy",  T.tolist(),           None,  {"scale_target": "standard"},   "needs probabilities as targets, but there is -"),
    ("kl_divergence",          [0, 1, 2] * 4,        3,     {},                             "needs data with classes, but its targets are values"),
    ("kl_divergence",          [[2.0, 3.0]] * 12,    None,  {},                             "rows sum to 1, but one sums to 5"),
    ("hinge",                  T.tolist(),           None,  {},                             "hinge needs data with classes, but its targets are values"),
    ("binary_cross_entropy",   [[2.0, 3.0]] * 12,    None,  {},                             "needs targets from 0 to 1, but there is 2"),
    ("focal",                  [[2.0, 3.0]] * 12,    None,  {},                             "needs targets from 0 to 1, but there is 2"),
    ("poisson",                [[-2.0, 3.0]] * 12,   None,  {},                             "poisson needs .*, but there is -2"),
    ("poisson",                ["a", "b"] * 6,       None,  {"task": "classification"},     "poisson needs values as targets, but the data has 2 classes"),
]
# fmt: on


@pytest.mark.parametrize(("loss", "y", "units", "data", "message"), REFUSED)
def test_targets_of_another_kind_are_refused(
    loss: str, y: list, units: int | None, data: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message) as error:
        set_up(config.resolve(experiment(loss, y, units, data=data)), tmp_path)
    assert error.value.path == ("loss",)
