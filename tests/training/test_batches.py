"""Batches against gradient descent by hand, on a line through ten points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnjit
from nnjit.errors import ConfigError, DataError
from nnjit.runs import file_names
from tests.training.conftest import IRIS, LINE, LINE_X, LINE_Y

START = {"only.weight": np.array([[0.25]]), "only.bias": np.array([-0.5])}
WHOLE, FOURS = [range(10)], [range(4), range(4, 8), range(8, 10)]

# fmt: off
BATCHES = [
    ({"batch_size": 4},                     FOURS),
    ({"batch_size": 4, "drop_last": True},  FOURS[:2]),
    ({"batch_size": 5, "drop_last": True},  [range(5), range(5, 10)]),
    ({"batch_size": 1},                     [[k] for k in range(10)]),
    ({"batch_size": 10},                    WHOLE),
    ({"batch_size": 99},                    WHOLE),
    ({"batch_size": "full"},                WHOLE),
    ({"batch_size": "full", "shuffle": True}, WHOLE),
    ({"batch_size": 2, "accumulate": 2},    FOURS),
    ({"batch_size": 1, "accumulate": 4, "drop_last": True}, FOURS[:2]),
    ({"batch_size": 3, "accumulate": 9},    WHOLE),
]
# fmt: on


def by_hand(batches: list[Any], epochs: int, rate: float) -> tuple[float, float, list[float]]:
    w, b, losses = 0.25, -0.5, []
    for _ in range(epochs):
        costs: list[float] = []
        for rows in batches:
            x, y = LINE_X[list(rows)], LINE_Y[list(rows)]
            error = w * x + b - y
            costs.extend(error**2)
            w, b = w - rate * np.mean(2 * error * x), b - rate * np.mean(2 * error)
        losses.append(float(np.mean(costs)))
    return w, b, losses


@pytest.mark.kernels
@pytest.mark.parametrize(("options", "batches"), BATCHES, ids=lambda value: str(value).replace(" ", ""))
def test_batches_are_those_of_gradient_descent_by_hand(
    options: dict[str, Any], batches: list[Any], folder: Path
) -> None:
    save_file(START, "start.safetensors")
    given = LINE | {
        "model": {"layers": LINE["model"], "initial_weights": "start.safetensors"},
        "training": {"epochs": 5, "shuffle": False, **options},
    }
    run = nnjit.fit(given, output="run")
    w, b, losses = by_hand(batches, epochs=5, rate=0.05)
    last = load_file(run.path / file_names.LAST)
    np.testing.assert_allclose(last["only.weight"], [[w]], rtol=1e-12)
    np.testing.assert_allclose(last["only.bias"], [b], rtol=1e-12)
    np.testing.assert_allclose(run.history["train_loss"], losses, rtol=1e-12)


def test_accumulated_batches_make_the_update_of_one_large_batch(folder: Path) -> None:
    several = nnjit.fit(IRIS, ["training.batch_size=4", "training.accumulate=4"], output="several")
    one = nnjit.fit(IRIS, ["training.batch_size=16"], output="one")
    # Rows are summed in groups of four instead of at once.
    np.testing.assert_allclose(several.theta, one.theta, rtol=1e-12)
    for column in one.history.keys() - {"train_seconds"}:
        np.testing.assert_allclose(several.history[column], one.history[column], rtol=1e-12, err_msg=column)
    assert "block of at most 4 rows" in (several.path / file_names.KERNELS / "epoch.py").read_text()


def test_a_full_batch_has_nothing_to_accumulate(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"training: batch_size: full .* accumulate: 2 has nothing to add"):
        nnjit.fit(LINE, ["training.batch_size=full", "training.accumulate=2"], output="run")


def test_drop_last_needs_one_whole_update(folder: Path) -> None:
    settings = ["training.batch_size=4", "training.accumulate=3", "training.drop_last=true"]
    with pytest.raises(DataError, match=r"at most the 10 examples .* got 4 times accumulate: 3"):
        nnjit.fit(LINE, settings, output="run")


def test_drop_last_needs_one_whole_batch(folder: Path) -> None:
    with pytest.raises(DataError, match=r"training.batch_size: expected at most the 10 examples"):
        nnjit.fit(LINE, ["training.batch_size=11", "training.drop_last=true"], output="run")
    assert not (folder / "run").exists()


def test_shuffling_sees_every_row_once_in_an_order_of_each_epoch(folder: Path) -> None:
    order = ["training.shuffle=true", "training.batch_size=1", "optimizer.learning_rate=1e-300"]
    run = nnjit.fit(LINE, order, output="run")
    # nothing is learnt, so the loss of an epoch is that of all rows in any order
    np.testing.assert_allclose(run.history["train_loss"], run.metrics["splits"]["train"]["loss"], rtol=1e-13)
    a = nnjit.fit(LINE, ["training.shuffle=true"], output="a")
    b = nnjit.fit(LINE, ["training.shuffle=true"], output="b")
    c = nnjit.fit(LINE, ["training.shuffle=false"], output="c")
    np.testing.assert_array_equal(a.theta, b.theta)
    assert not np.array_equal(a.theta, c.theta)


def test_weights_of_a_run_are_where_another_goes_on(folder: Path) -> None:
    twice = nnjit.fit(LINE, ["training.epochs=2"], output="twice")
    once = nnjit.fit(LINE, ["training.epochs=1"], output="once")
    model = {"layers": LINE["model"], "initial_weights": str(once.path / file_names.LAST)}
    again = nnjit.fit(LINE | {"model": model}, ["training.epochs=1"], output="again")
    np.testing.assert_array_equal(again.theta, twice.theta)


@pytest.mark.parametrize(
    ("weights", "word"),
    [
        (None, "there is no such weights file"),
        ({"only.weight": np.zeros((1, 1))}, "only.bias"),
        ({**START, "other.bias": np.zeros(1)}, "other.bias"),
        ({**START, "only.weight": np.zeros((2, 1))}, r"2"),
    ],
    ids=["missing", "too_few", "too_many", "another_shape"],
)
def test_weights_that_do_not_fit_are_refused(
    weights: dict[str, np.ndarray] | None, word: str, folder: Path
) -> None:
    if weights is not None:
        save_file(weights, "start.safetensors")
    model = {"layers": LINE["model"], "initial_weights": "start.safetensors"}
    with pytest.raises(DataError, match=f"model.initial_weights: start.safetensors: .*{word}"):
        nnjit.fit(LINE | {"model": model}, output="run")
    assert not (folder / "run").exists()


def test_two_metrics_of_one_name_are_refused(folder: Path) -> None:
    metrics = [{"type": "top_k", "k": 1}, {"type": "top_k", "k": 2}, {"type": "top_k", "k": 1}]
    given = LINE | {"data": LINE["data"] | {"task": "classification", "y": [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]}}
    given |= {"model": [{"type": "dense"}], "loss": "softmax_cross_entropy", "metrics": metrics}
    with pytest.raises(ConfigError, match=r"metrics\[2\]: \"top_k_1\" is there"):
        nnjit.fit(given, output="run")
