"""Training with full-batch methods: their requirements, epochs, stopping, resuming, messages."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.errors import ConfigError, Diverged, Interrupted, RunError
from nnjit.ir import interpret
from nnjit.runs import file_names
from nnjit.training import Run, resume, train
from nnjit.training.graphs.full_batch import cost_graph, jacobian_graph, product_graph, residual_graph
from nnjit.training.loop import full_batch, trainer
from nnjit.training.setup.setup import Setup, set_up
from tests.training.conftest import IRIS, LINE, LINE_X, LINE_Y, same_bits
from tests.training.test_equality import interpret_trainings

METHODS = {
    "armijo": "{type: gradient_descent, line_search: armijo, learning_rate: 0.1}",
    "wolfe": "{type: gradient_descent, line_search: wolfe}",
    "conjugate_gradient": "conjugate_gradient",
    "lbfgs": "{type: lbfgs, memory: 3}",
    "newton_cg": "newton_cg",
    "gauss_newton": "gauss_newton",
    "levenberg_marquardt": "levenberg_marquardt",
}
SINC: dict[str, Any] = {
    "name": "sinc",
    "dtype": "float64",
    "data": {
        "type": "function", "function": "sinc", "low": -5.0, "high": 5.0, "points": 40,
        "split": {"validation": 0.2},
    },
    "model": [
        {"type": "dense", "units": 6, "activation": "tanh",
         "bias_initializer": {"type": "uniform", "low": -2.0, "high": 2.0}},
        {"type": "dense", "units": 1},
    ],
    "loss": "mean_squared_error",
    "penalty": {"l2": 1e-4},
    "metrics": ["mae"],
    "training": {"epochs": 6, "batch_size": "full"},
}  # fmt: skip
"""A curve through 32 points; a quarter as many are held out."""

each_method = pytest.mark.parametrize("method", METHODS)


def begin(path: Path, method: str, *settings: str) -> Run:
    given = config.resolve(SINC, [f"optimizer={METHODS[method]}", *settings])
    return train(given, config.dump(given), output=path)


def go_on(path: Path, *settings: str) -> Run:
    given = config.resolve(path / file_names.CONFIG, settings)
    return resume(path, given, config.dump(given))


# What a method computes with the compiled task. The reference is central differences in float64.

BRANCHES: dict[str, Any] = {
    "name": "branches",
    "dtype": "float64",
    "data": {
        "type": "inline",
        "x": [[0.1, -1.0], [0.4, 0.3], [-0.7, 0.2]],
        "y": [[1.0, 0.0], [0.5, 2.0], [0.0, -1.0]],
        "weights": [1.0, 0.5, 3.0],
    },
    "model": [
        {"type": "dense", "units": 3, "activation": "tanh", "name": "a"},
        {"type": "dense", "units": 3, "activation": "sigmoid", "from": "input", "name": "b"},
        {"type": "add", "from": ["a", "b"], "name": "sum"},
        {"type": "concat", "from": ["sum", "a"]},
        {"type": "scale"},
        {"type": "dense", "units": 2},
    ],
    "loss": "mean_squared_error",
    "optimizer": "levenberg_marquardt",
    "penalty": {"l2": 0.03},
    "training": {"batch_size": "full"},
}  # fmt: skip
CLASSES: dict[str, Any] = {
    "name": "classes",
    "dtype": "float64",
    "data": BRANCHES["data"] | {"y": [0, 2, 1], "task": "classification"},
    "model": [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense"}],
    "loss": "squared_error",
    "optimizer": "levenberg_marquardt",
    "training": {"batch_size": "full", "class_weights": {"0": 2.0, "1": 0.5}},
}
SEQUENCES: dict[str, Any] = {
    "name": "sequences",
    "dtype": "float64",
    "data": {"type": "inline", "x": [[[0.1], [-1.0], [0.4]], [[0.3], [0.0], [0.0]]], "y": [[1.0], [0.5]]},
    "model": [
        {"type": "lstm", "units": 2, "mask_value": 0.0, "return_sequences": True},
        {"type": "attention", "causal": True},
        {"type": "conv1d", "filters": 2, "kernel_size": 2, "padding": "same", "activation": "tanh"},
        {"type": "gru", "units": 2, "reverse": True},
        {"type": "dense", "units": 1},
    ],
    "loss": "squared_error",
    "optimizer": "levenberg_marquardt",
    "training": {"batch_size": "full"},
}  # fmt: skip
OUTPUTS: dict[str, Any] = {
    "name": "outputs",
    "dtype": "float64",
    "data": {
        "type": "inline",
        "x": [[0.1, -1.0], [0.4, 0.3], [-0.7, 0.2]],
        "y": {"size": [[1.0, 0.0], [0.5, 2.0], [0.0, -1.0]], "kind": ["u", "v", "v"]},
        "weights": [1.0, 0.5, 3.0],
    },
    "model": [
        {"type": "dense", "units": 3, "activation": "tanh", "name": "trunk"},
        {"type": "dense", "from": "trunk", "name": "kind"},
        {"type": "dense", "from": "trunk", "name": "size"},
    ],
    "losses": {
        "size": {"loss": "mean_squared_error", "target": "size", "weight": 0.5},
        "kind": {"loss": "squared_error", "target": "kind", "weight": 3.0, "class_weights": {"u": 2.0}},
    },
    "optimizer": "levenberg_marquardt",
    "penalty": {"l2": 0.03},
    "training": {"batch_size": "full"},
}  # fmt: skip
"""Two outputs, of values and of classes, whose weights and those of their classes differ."""
EPSILON = 1e-6
TOLERANCE = {"rtol": 1e-6, "atol": 1e-8}  # of differences of numbers near 1 over 2e-6


@pytest.fixture(params=[BRANCHES, CLASSES, SINC, SEQUENCES, OUTPUTS], ids=lambda given: given["name"])
def setup(request: pytest.FixtureRequest) -> Setup:
    return set_up(config.resolve(request.param, ["optimizer=levenberg_marquardt"]), Path())


@pytest.fixture
def theta(setup: Setup) -> np.ndarray:
    return np.random.default_rng(1).normal(size=setup.model.table.size)


def difference(f: Callable[[np.ndarray], np.ndarray], theta: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The derivative of `f` along `v`."""
    return (f(theta + EPSILON * v) - f(theta - EPSILON * v)) / (2 * EPSILON)


def batch(setup: Setup) -> tuple[np.ndarray, ...]:
    train = setup.data.train
    return train.x, train.y, train.w


def test_the_gradient_is_that_of_the_cost_with_its_penalty(setup: Setup, theta: np.ndarray) -> None:
    graph, rows = cost_graph(setup.task), batch(setup)

    def cost(t: np.ndarray) -> np.ndarray:
        value, penalty, _ = interpret(graph, (t, *rows))
        return value + penalty

    gradient = interpret(graph, (theta, *rows))[2]
    units = np.eye(theta.size)
    np.testing.assert_allclose(gradient, [difference(cost, theta, u) for u in units], **TOLERANCE)


def test_the_product_is_that_of_the_hessian(setup: Setup, theta: np.ndarray) -> None:
    graph, rows = product_graph(setup.task), batch(setup)
    v = np.random.default_rng(2).normal(size=theta.size)
    (product,) = interpret(graph, (theta, v, *rows))
    expected = difference(lambda t: interpret(cost_graph(setup.task), (t, *rows))[2], theta, v)
    np.testing.assert_allclose(product, expected, **TOLERANCE)


def test_the_jacobian_is_that_of_the_residuals(setup: Setup, theta: np.ndarray) -> None:
    rows = batch(setup)

    def residuals(t: np.ndarray) -> np.ndarray:
        return interpret(residual_graph(setup.task), (t, *rows))[0]

    own, jacobian = interpret(jacobian_graph(setup.task), (theta, *rows))
    np.testing.assert_allclose(own.ravel(), residuals(theta).ravel(), rtol=1e-13, atol=1e-15)
    columns = [difference(residuals, theta, u) for u in np.eye(theta.size)]
    np.testing.assert_allclose(jacobian, np.stack(columns, axis=-1), **TOLERANCE)


def test_the_squares_of_all_residuals_are_the_cost(
    setup: Setup, theta: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpret_trainings(monkeypatch)
    problem = full_batch.Evaluations(setup, lambda: False).problem
    cost, gradient = problem.gradient(theta)
    residuals, jacobian = problem.jacobian(theta)
    assert residuals @ residuals == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(2 * jacobian.T @ residuals, gradient, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(problem.residuals(theta), residuals, rtol=1e-13, atol=1e-15)


# Epochs.


@each_method
def test_the_cost_falls_in_every_epoch(method: str, folder: Path) -> None:
    run = nnjit.fit(SINC, [f"optimizer={METHODS[method]}"], output="run", report=True)
    history = run.history
    assert (np.diff(history["train_loss"] + history["penalty"]) < 0).all()
    assert (np.diff(history["gradient_evaluations"]) >= 1).all()
    assert run.metrics["splits"]["train"]["mae"] == history["train_mae"][-1]
    assert run.metrics["splits"]["validation"]["loss"] == history["validation_loss"][-1]
    assert np.isnan(history["learning_rate"]).all()
    assert "evaluations to a cost of" in (folder / "run" / file_names.REPORT).read_text(encoding="utf-8")
    assert {"cost.py", "evaluation.py"} <= {
        path.name for path in (folder / "run" / file_names.KERNELS).iterdir()
    }


@each_method
def test_compiled_training_equals_interpreted_training(
    method: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = begin(folder / "compiled", method, "training.epochs=3")
    interpret_trainings(monkeypatch)
    interpreted = begin(folder / "interpreted", method, "training.epochs=3")
    for column in compiled.history.keys() - {"train_seconds"}:
        # 1e-8: differences in the last digits of the first costs grow a little in three iterations
        ours, theirs = compiled.history[column], interpreted.history[column]
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("method", ["newton_cg", "levenberg_marquardt"])
def test_float32_trains_too(method: str, folder: Path) -> None:
    run = begin(folder / "run", method, "dtype=float32")
    assert run.history["train_loss"][-1] < 0.9 * run.history["train_loss"][0]
    assert run.theta.dtype == np.float32


def test_evaluations_are_counted(folder: Path) -> None:
    history = begin(folder / "run", "levenberg_marquardt").history
    assert history["gradient_evaluations"][0] >= 2  # the Jacobian, and each step tried
    single = begin(folder / "other", "lbfgs", "training.epochs=1").history
    assert single["gradient_evaluations"][0] >= 2  # the start, and each step tried
    assert single["step_length"][0] > 0


def test_gauss_newton_solves_linear_regression_in_one_iteration(folder: Path) -> None:
    given = config.resolve(LINE, ["optimizer=gauss_newton", "training.batch_size=full"])
    run = train(given, config.dump(given), output=folder / "run")
    slope, shift = np.polyfit(LINE_X, LINE_Y, 1)
    np.testing.assert_allclose(run.theta, [slope, shift], rtol=1e-12)
    assert run.metrics["status"] == "converged"
    assert len(run.history["epoch"]) == 2  # in the second, the gradient is only rounding


def test_a_training_ends_where_no_lower_cost_is_found(folder: Path) -> None:
    settings = ["optimizer=lbfgs", "training.batch_size=full", "training.epochs=500"]
    run = nnjit.fit(LINE, settings, output="run", report=True)
    assert run.metrics["status"] == "converged"
    assert len(run.history["epoch"]) == run.metrics["epochs"] < 50
    assert "no lower cost" in run.metrics["message"] or "gradient is zero" in run.metrics["message"]
    assert "Converged after" in (folder / "run" / file_names.REPORT).read_text(encoding="utf-8")
    np.testing.assert_allclose(run.theta, np.polyfit(LINE_X, LINE_Y, 1), rtol=1e-6)


def test_early_stopping_brings_the_best_weights_back(folder: Path) -> None:
    settings = ["training.epochs=400", "training.early_stopping={patience: 3, min_delta: 1e-3}"]
    run = begin(folder / "run", "lbfgs", *settings)
    losses, figures = run.history["validation_loss"], run.metrics
    assert (figures["status"], figures["weights"]) == ("early_stopped", "best")
    assert figures["epochs"] == len(losses) == figures["best_epoch"] + 3
    assert figures["splits"]["validation"]["loss"] == losses[figures["best_epoch"] - 1]


# Ctrl-C, resuming, divergence.


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The uninterrupted run of a method."""
    made: dict[str, Path] = {}

    def run(method: str) -> Path:
        if method not in made:
            made[method] = begin(tmp_path_factory.mktemp("whole") / "run", method).path
        return made[method]

    return run


@each_method
def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(
    method: str, whole: Callable, folder: Path, interrupt_after: Callable
) -> None:
    interrupt_after(3)
    with pytest.raises(Interrupted, match="after epoch 3 of 6"):
        begin(folder / "run", method)
    same_bits(whole(method), go_on(folder / "run").path)


def test_ctrl_c_in_the_middle_of_an_iteration_loses_that_one_alone(
    whole: Callable, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native, calls = full_batch.Evaluations._call, [0]

    def press(self: full_batch.Evaluations, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == 30:
            signal.raise_signal(signal.SIGINT)
        return native(self, *arguments)

    monkeypatch.setattr(full_batch.Evaluations, "_call", press)
    with pytest.raises(Interrupted, match=r"after epoch [1-5] of 6"):
        begin(folder / "run", "newton_cg")
    monkeypatch.undo()
    assert calls[0] == 30
    same_bits(whole("newton_cg"), go_on(folder / "run").path)


def test_a_crashed_run_goes_on_from_its_last_checkpoint(
    whole: Callable, folder: Path, after_epoch: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Path, done: int) -> None:
        if done == 4:
            raise KeyError

    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)
    after_epoch(crash)
    with pytest.raises(KeyError):
        begin(folder / "run", "lbfgs")
    monkeypatch.undo()
    same_bits(whole("lbfgs"), go_on(folder / "run").path)


def test_a_checkpoint_of_another_method_is_told(whole: Callable) -> None:
    with pytest.raises(RunError, match=r'optimizer\.type: "levenberg_marquardt", was "newton_cg"'):
        go_on(whole("newton_cg"), "optimizer=levenberg_marquardt", "training.epochs=7")


def test_a_cost_that_is_not_finite_names_the_operation(folder: Path) -> None:
    settings = ["optimizer=lbfgs", "training.batch_size=full", "data.y[0]=1e200"]
    with pytest.raises(Diverged, match=r'diverged in epoch 1: .* inf, from mul \(f64\[B,1\]\) in "loss"'):
        nnjit.fit(LINE, settings, output="run")
    assert nnjit.load("run").metrics["status"] == "diverged"


# fmt: off
MISTAKES = [  # method, settings, what the message says
    ("lbfgs",               ["training.batch_size=16"], r"training.batch_size: .* expected full, got 16"),
    ("armijo",              ["training.batch_size=32"], r"gradient_descent .* \(without line_search it does"),
    ("newton_cg",           ["schedule=cosine"],        r'schedule: newton_cg finds .* got "cosine"; omit'),
    ("wolfe",               ["schedule.warmup=3"],      r"schedule: gradient_descent finds the length"),
    ("conjugate_gradient",  ["clip.norm=1"],            r"clip: conjugate_gradient needs the unchanged"),
    ("lbfgs",               ["averaging=ema"],          r"averaging: lbfgs lowers .* omit averaging"),
    ("armijo",              ["optimizer.learning_rate=find"], r"optimizer: .* give learning_rate a number"),
    ("levenberg_marquardt", ["loss=huber"],             r'loss: .* or mean_squared_error, got "huber"'),
    ("gauss_newton",        ["loss=log_cosh"],          r"loss: gauss_newton needs .* lbfgs takes any loss"),
    ("levenberg_marquardt", ["penalty.l1=0.1"],         r"penalty.l1: .* l1 penalty is not; choose l2"),
    ("levenberg_marquardt", ["data.points=100000", "model[0].units=2000"], r"optimizer: .* of 80,000 resid"),
]
# fmt: on


@pytest.mark.parametrize(("method", "settings", "message"), MISTAKES)
def test_a_config_that_does_not_fit_is_told(
    method: str, settings: list[str], message: str, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        nnjit.fit(SINC, [f"optimizer={METHODS[method]}", *settings], output="run")
    assert not (folder / "run").exists()


def test_a_layer_that_draws_is_told(folder: Path) -> None:
    settings = ["optimizer=lbfgs", "training.batch_size=full", "schedule=constant"]
    message = r'model: lbfgs compares costs, which "dropout_1" changes at random'
    with pytest.raises(ConfigError, match=message):
        nnjit.fit(IRIS, settings, output="run")


def test_a_layer_with_state_is_told(folder: Path) -> None:
    settings = ["optimizer=lbfgs", "model=[{type: dense, units: 2}, {type: batch_norm}, {type: dense}]"]
    message = r'model: lbfgs .* but a layer carries "batch_norm_1\.\w+" from batch to batch'
    with pytest.raises(ConfigError, match=message):
        nnjit.fit(LINE, [*settings, "training.batch_size=full"], output="run")
