"""`training.mixup`: steps on mixtures of two examples, compiled and interpreted; and refusals."""

# ruff: noqa: E501  a row is one experiment and its message

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import nnjit
from nnjit import config
from nnjit.errors import Diverged, UserError
from nnjit.runs import file_names
from nnjit.training import Run, resume
from nnjit.training.graphs.mixing import shares
from nnjit.training.loop.feeding import Piece, feed_of
from nnjit.training.setup.setup import set_up
from tests.training.test_equality import close, interpret_trainings

ALPHA = 0.4
DIGITS: dict[str, Any] = {"type": "sklearn", "dataset": "digits", "split": {"validation": 0.8, "test": 0.05}}
IMAGES = [{"type": "reshape", "shape": [8, 8, 1]}, {"type": "conv2d", "filters": 4, "kernel_size": 3}]
DENSE = [{"type": "dense", "units": 8, "activation": "tanh"}, {"type": "dropout", "rate": 0.1}]
BASE: dict[str, Any] = {
    "dtype": "float64",
    "data": {**DIGITS, "scale": "standard"},
    "model": [*DENSE, {"type": "dense", "units": 10}],
    "loss": "softmax_cross_entropy",
    "metrics": ["accuracy"],
    "training": {"epochs": 3, "batch_size": 48},
}
VALUES: dict[str, Any] = {
    "data": {
        "type": "sklearn",
        "dataset": "diabetes",
        "split": {"validation": 0.3},
        "scale": "standard",
        "scale_target": "standard",
    },
    "model": [*DENSE, {"type": "dense", "units": 1}],
    "loss": "mean_squared_error",
    "metrics": ["mae"],
}


def experiment(mixup: Any = (("alpha", ALPHA),), **changes: Any) -> dict[str, Any]:
    training = BASE["training"] | {"mixup": mixup and dict(mixup)} | changes.pop("training", {})
    return BASE | changes | {"training": training}


# fmt: off
TRAINED = {  # the kind of mixing -> changes of the experiment
    "classes":            {},
    "values":             VALUES,
    "images in groups":   {"model": [*IMAGES, {"type": "flatten"}, {"type": "dense", "units": 10}]},
    "a norm of batches":  {"model": [{"type": "dense", "units": 8}, {"type": "batch_norm"}, {"type": "dense", "units": 10}]},
    "weighted classes":   {"training": {"class_weights": {"3": 5.0}}},
    "rows in order":      {"training": {"shuffle": False}},
    "all rows at once":   {"training": {"batch_size": "full"}},
    "two threads":        {"training": {"threads": 2, "batch_size": 200}},
}
# fmt: on


def trained(given: dict[str, Any], output: Path) -> Run:
    run = nnjit.fit(given, output=output)
    assert isinstance(run, Run)
    return run


@pytest.mark.parametrize("name", TRAINED)
def test_compiled_mixing_equals_interpreted_mixing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = experiment(**TRAINED[name])
    compiled, again = (trained(given, tmp_path / f"compiled{k}") for k in range(2))
    np.testing.assert_array_equal(compiled.theta, again.theta)
    plain = trained(given | {"training": given["training"] | {"mixup": None}}, tmp_path / "plain")
    assert np.abs(compiled.theta - plain.theta).max() > 1e-3
    interpret_trainings(monkeypatch)
    interpreted = trained(given, tmp_path / "interpreted")
    close(compiled.theta, interpreted.theta, "weights")
    for column in compiled.history.keys() - {"train_seconds"}:
        close(compiled.history[column], interpreted.history[column], column)


def test_a_step_descends_the_cost_of_mixed_targets(tmp_path: Path) -> None:
    """One step of gradient descent from zeros, with mixtures made by hand."""
    x, y, w = (
        np.random.default_rng(0).normal(size=(6, 2)),
        [0, 1, 2, 1, 0, 2],
        [1.0, 2.0, 0.5, 1.0, 0.25, 3.0],
    )
    given = experiment(
        data={"type": "inline", "x": x.tolist(), "y": y, "weights": w},
        model=[{"type": "dense", "units": 3, "weight_initializer": "zeros"}],
        optimizer={"type": "gradient_descent", "learning_rate": 0.5},
        training={"epochs": 1, "batch_size": "full", "diagnosis": False},
    )
    setup = set_up(config.resolve(given, []), Path())
    (piece,) = feed_of(setup).pieces(0, 1)
    assert piece.partners is not None
    other, targets, weights = piece.partners, np.eye(3)[y], np.array(w)
    own = _shares_of_step(setup, len(x))
    mixed = own[:, None] * x + (1 - own[:, None]) * x[other]
    by_target = (own * weights)[:, None] * targets + ((1 - own) * weights[other])[:, None] * targets[other]
    all_of_row = by_target.sum(axis=1, keepdims=True)
    gradient = mixed.T @ (all_of_row / 3 - by_target) / all_of_row.sum()
    run = trained(given, tmp_path / "run")
    np.testing.assert_allclose(
        run.theta[: x.shape[1] * 3].reshape(-1, 3), -0.5 * gradient, rtol=1e-12, atol=1e-15
    )


def _shares_of_step(setup: Any, rows: int) -> np.ndarray:
    """The share of each row's own example in the first step."""
    key, step = np.uint32(setup.experiment.seed), np.uint32(1)
    u = nnjit.numpy.random_uniform(key, step, (rows, 2), len(setup.model.nodes), dtype="f8")
    return np.asarray(shares(ALPHA, np.asarray(u)))


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0, 4.0, 50.0])
def test_the_larger_share_is_that_of_a_beta_distribution(alpha: float) -> None:
    drawn = np.asarray(shares(alpha, np.random.default_rng(0).random((20_000, 2))))
    assert drawn.min() >= 0.5
    for quantile in np.linspace(0.5, 0.999, 9):
        wanted = stats.beta.cdf(quantile, alpha, alpha) - stats.beta.cdf(1 - quantile, alpha, alpha)
        assert abs((drawn <= quantile).mean() - wanted) < 0.015  # four deviations of 20,000 draws


def test_numbers_at_the_ends_of_their_range_give_shares() -> None:
    u = np.array([[0.0, 0.5], [0.0, 0.0], [1 - 2**-24, 0.5], [1 - 2**-24, 0.0]], np.float32)
    for alpha in (0.01, 1.0, 100.0):
        found = np.asarray(shares(alpha, u))
        assert ((found >= 0.5) & (found <= 1)).all()


def test_evaluations_and_predictions_mix_nothing(tmp_path: Path) -> None:
    still = {"optimizer": {"type": "gradient_descent", "learning_rate": 1e-300}}
    mixed, plain = (
        trained(experiment(mixup, **still), tmp_path / str(bool(mixup))) for mixup in ({"alpha": ALPHA}, None)
    )
    np.testing.assert_allclose(mixed.theta, plain.theta, rtol=0, atol=1e-290)
    np.testing.assert_array_equal(mixed.history["validation_loss"], plain.history["validation_loss"])
    assert mixed.history["train_loss"][0] != plain.history["train_loss"][0]


def test_a_resumed_training_mixes_as_an_unbroken_one(tmp_path: Path) -> None:
    whole = trained(experiment(training={"epochs": 4}), tmp_path / "whole")
    trained(experiment(training={"epochs": 2}), tmp_path / "part")
    given = config.resolve(tmp_path / "part" / file_names.CONFIG, ["training.epochs=4"])
    resumed = resume(tmp_path / "part", given, config.dump(given))
    np.testing.assert_array_equal(resumed.theta, whole.theta)


def test_rows_on_the_disk_are_mixed_with_rows_of_their_buffer(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "rows.npz", x=rng.normal(size=(90, 4)), y=rng.integers(0, 3, 90))
    given = experiment(
        data={"type": "npz", "file": str(tmp_path / "rows.npz"), "in_memory": False, "buffer_size": 40},
        model=[*DENSE, {"type": "dense", "units": 3}],
        training={"batch_size": 16},
    )
    setup = set_up(config.resolve(given, []), tmp_path)
    pieces: list[Piece] = list(feed_of(setup).pieces(0, 1))
    assert len(pieces) > 1
    for piece in pieces:
        assert piece.partners is not None
        assert sorted(piece.partners) == sorted(piece.order)
        assert (piece.partners != piece.order).any()
    runs = [trained(given, tmp_path / str(k)) for k in range(2)]
    np.testing.assert_array_equal(runs[0].theta, runs[1].theta)


def test_a_diverging_training_says_where(tmp_path: Path) -> None:
    given = experiment(**VALUES, optimizer={"type": "gradient_descent", "learning_rate": 1e200})
    with pytest.raises(Diverged, match=r"epoch 1, batch .*: the first value that is not finite is"):
        trained(given, tmp_path / "run")


# fmt: off
REFUSED = [
    ({"loss": "hinge"},                      "hinge cannot take mixed targets; expected one of"),
    ({**VALUES, "loss": "huber"},            "huber cannot take mixed targets"),
    ({"model": [{"type": "embedding", "entries": 300, "size": 2}, {"type": "flatten"}, {"type": "dense"}], "data": DIGITS}, 'layer "embedding_1" takes whole numbers of the data'),
    ({"model": [{"type": "reshape", "shape": [8, 8]}, {"type": "lstm", "units": 4, "mask_value": 0.0}, {"type": "dense"}], "data": DIGITS}, 'layer "lstm_1" masks padding'),
    ({"optimizer": "lbfgs", "training": {"batch_size": "full"}}, "lbfgs compares costs"),
]
# fmt: on


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_cannot_be_mixed_is_an_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        set_up(config.resolve(experiment(**changes), []), Path())
    assert message in caught.value.message
    assert caught.value.path == ("training", "mixup")
