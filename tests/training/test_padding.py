"""Padded sequences from data to predictions: padding is ignored under any scaling and dropout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.errors import UserError
from nnjit.runs import file_names
from nnjit.training.setup.setup import set_up
from tests.nn.test_layers import lstm

STEPS, ROWS = 4, 30


def sequences(value: float, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (n, steps, 2) near (2000, -3) and their lengths, from 1 to all steps."""
    rng = np.random.default_rng(0)
    x = rng.normal([2000, -3], [40, 0.2], (ROWS, STEPS, 2)).astype(dtype)
    lengths = 1 + np.arange(ROWS) % STEPS
    x[np.arange(STEPS) >= lengths[:, None]] = value
    return x, lengths


def experiment(value: float = 0.0, **options: Any) -> dict[str, Any]:
    return {
        "dtype": "float64",
        "data": {"type": "npz", "file": "data.npz", "scale": "standard", "scale_target": "standard"},
        "model": [
            {"type": "dropout", "rate": 0.3},
            {"type": "lstm", "units": 3, "mask_value": value},
            {"type": "dense", "units": 1},
        ],
        "loss": "squared_error",
        "optimizer": "adam",
        "training": {"epochs": 2, "batch_size": 8},
        **options,
    }


def save(x: np.ndarray, file: str = "data.npz") -> None:
    np.savez(file, x=x, y=np.arange(float(len(x))))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# A mask value other than 0 must match to the last bit.
@pytest.mark.parametrize("value", [0.0, pytest.param(-999.0, marks=pytest.mark.exact)])
@pytest.mark.parametrize("options", [{}, {"model.0": "table"}], ids=["sequence", "table"])
def test_predictions_are_those_of_the_sequences_without_padding(value: float, options: dict) -> None:
    x, lengths = sequences(value)
    given = experiment(value)
    if options:  # the same numbers as a table whose layers make sequences of it
        given["model"] = [{"type": "reshape", "shape": [STEPS, 2]}, *given["model"]]
    save(x.reshape(ROWS, -1) if options else x)
    nnjit.fit(given, output="run")
    run = nnjit.load("run")
    is_data = np.arange(STEPS) < lengths[:, None]
    mean, deviation = (
        np.array([of(x[is_data[:, t], t], axis=0) for t in range(STEPS)]) for of in (np.mean, np.std)
    )
    saved = json.loads((run.path / file_names.DATA).read_text(encoding="utf-8"))["scaling"]
    np.testing.assert_allclose(np.reshape(saved["inputs"]["shift"], (STEPS, 2)), mean, rtol=1e-14)
    w = run.compiled.task.model.table.unflatten(run.theta)
    w = {name.split("_1.")[-1] if "lstm" in name else name: v for name, v in w.items()}
    predicted = run.predict(x.reshape(ROWS, -1) if options else x)
    for row, length in enumerate(lengths):
        scaled = (x[row : row + 1, :length] - mean[:length]) / deviation[:length]
        h = lstm(scaled, w["weight"], w["recurrent_weight"], w["bias"])[:, -1]
        z = h @ w["dense_1.weight"] + w["dense_1.bias"]
        y = z * saved["targets"]["scale"] + saved["targets"]["shift"]
        np.testing.assert_allclose(predicted[row], y[0], rtol=1e-10)


@pytest.mark.parametrize("is_ragged", [False, True])
def test_more_padding_changes_no_training(is_ragged: bool) -> None:
    """Sequences of equal length need no mask, and give the same result with a mask and padding at the end."""
    loop, mask = {"type": "lstm", "units": 3}, {"mask_value": 0.0}
    x = sequences(0.0)[0] if is_ragged else np.random.default_rng(0).normal(9, 2, (ROWS, STEPS, 2))
    theta = []
    for more, layer in ((0, loop | mask if is_ragged else loop), (3, loop | mask)):
        save(np.pad(x, [(0, 0), (0, more), (0, 0)]))
        given = experiment(model=[layer, {"type": "dense", "units": 1}])
        theta.append(nnjit.fit(given, output=f"run{more}").theta)
    np.testing.assert_allclose(theta[1], theta[0], rtol=1e-8)  # Adam enlarges rounding


def test_padding_does_not_make_inputs_large() -> None:
    save(sequences(-999.0)[0])
    nnjit.fit(experiment(-999.0), ["training.epochs=1"], output="run")
    magnitude = json.loads(Path("run", file_names.DATA).read_text(encoding="utf-8"))["magnitude"]
    assert 0.5 < magnitude < 1.01  # of numbers scaled to a deviation of 1, and zeros


def test_held_out_data_keeps_its_padding_too() -> None:
    x, lengths = sequences(0.0)
    save(x[:20])
    save(x[20:], "other.npz")
    given = experiment(test_data={"type": "npz", "file": "other.npz"})
    setup = set_up(config.read(given).experiment, Path())
    is_padding = np.arange(STEPS) >= lengths[:, None]
    for part, own in ((setup.data.train, is_padding[:20]), (setup.data.test, is_padding[20:])):
        assert part is not None
        assert ((part.x == 0).all(axis=2) == own).all()


@pytest.mark.parametrize("scale", ["none", "min_max"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [np.float32, np.float64])
def test_a_mask_value_that_types_round_otherwise_is_found(scale: str, dtype: str, own: type) -> None:
    x, lengths = sequences(0.1, own)
    save(x)
    given = experiment(0.1, dtype=dtype)
    given["data"] = given["data"] | {"scale": scale}
    setup = set_up(config.read(given).experiment, Path())
    found = (setup.data.train.x == np.dtype(dtype).type(0.1)).all(axis=2)
    assert (found == (np.arange(STEPS) >= lengths[:, None])).all()


def test_several_outputs_share_the_padding_of_their_data() -> None:
    x, lengths = sequences(0.0)
    np.savez("data.npz", x=x, long=x[:, 0, 0], even=np.arange(ROWS) % 2)
    long, even = ("long", "squared_error", "regression"), ("even", "softmax_cross_entropy", "classification")
    losses = {name: {"target": name, "loss": loss, "task": task} for name, loss, task in (long, even)}
    given = experiment(losses=losses)
    del given["loss"], given["data"]["scale_target"]
    lstm_, dense = {"type": "lstm", "units": 3, "mask_value": 0, "name": "h"}, {"type": "dense", "from": "h"}
    given["model"] = [lstm_, {**dense, "name": "long"}, {**dense, "name": "even"}]
    setup = set_up(config.read(given).experiment, Path())
    assert ((setup.data.train.x == 0).all(axis=2) == (np.arange(STEPS) >= lengths[:, None])).all()


def test_a_mask_that_cannot_reach_its_layer_is_an_error_in_the_config() -> None:
    save(sequences(0.0)[0])
    given = experiment()
    given["model"][0] = {"type": "conv1d", "filters": 2, "kernel_size": 2}
    message = r'no mask goes through "conv1d_1".*\(layer "lstm_1", from conv1d_1\)'
    with pytest.raises(UserError, match=message) as error:
        set_up(config.read(given).experiment, Path())
    assert error.value.path == ("model", 1, "mask_value")
