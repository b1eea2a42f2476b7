"""Non-trainable layer state: it follows the params when compiled, stopped, resumed, restored and reloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import nnjit
from nnjit import config
from nnjit.errors import DataError, Diverged, Interrupted
from nnjit.runs import file_names
from nnjit.runs.weights import read_tensors
from nnjit.training import resume
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import set_up
from tests.training.conftest import same_bits
from tests.training.test_equality import close, interpret_trainings

DIGITS: dict[str, Any] = {
    "dtype": "float64",
    "data": {"type": "sklearn", "dataset": "digits", "split": {"validation": 0.2}, "scale": "unit"},
    "model": [
        {"type": "dense", "units": 12, "bias": False},
        {"type": "batch_norm", "momentum": 0.3},
        {"type": "activation", "function": "relu"},
        {"type": "dense", "units": 10},
    ],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "penalty": {"l2": 1e-4},
    "clip": {"norm": 5.0},
    "training": {"epochs": 4, "batch_size": 128},
}
MANY: dict[str, Any] = {
    **DIGITS,
    "data": {"type": "sklearn", "dataset": "wine", "split": {"validation": 0.2}, "scale": "standard"},
    "model": [
        {"type": "dense", "units": 12, "activation": "tanh", "name": "x"},
        {"type": "reshape", "shape": [2, -1, 2]},
        {"type": "conv2d", "filters": 2, "kernel_size": 2, "padding": "same", "bias": False},
        {"type": "batch_norm"},
        {"type": "permute", "axes": [3, 1, 2]},
        {"type": "gaussian_noise", "stddev": 0.1},
        {"type": "layer_norm"},
        {"type": "flatten"},
        {"type": "multiply", "from": ["flatten_1", "x"]},
        {"type": "batch_norm", "shift": False},
        {"type": "dense", "units": 3},
    ],
    "optimizer": {"type": "momentum", "learning_rate": 0.05},  # Adam would enlarge rounding
    "training": {"epochs": 3, "batch_size": 32},
}
"""Norms, noise and views in one network, and batches whose last one is short."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> nnjit.Run:
    """The uninterrupted run."""
    return nnjit.fit(DIGITS, output=tmp_path_factory.mktemp("whole") / "run")


def state_of(path: Path) -> dict[str, np.ndarray]:
    return {name: array for name, array in load_file(path).items() if ".running_" in name}


def test_compiled_layers_are_the_interpreted_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = nnjit.fit(MANY, output=tmp_path / "compiled")
    interpret_trainings(monkeypatch)
    interpreted = nnjit.fit(MANY, output=tmp_path / "interpreted")
    for column in compiled.history.keys() - {"train_seconds"}:
        close(compiled.history[column], interpreted.history[column], column)
    for file in (file_names.BEST, file_names.LAST):
        ours, theirs = load_file(compiled.path / file), load_file(interpreted.path / file)
        assert ours.keys() == theirs.keys()
        for name in ours:
            close(ours[name], theirs[name], name)


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_resumed_training_has_the_bits_of_the_whole_one(
    epoch: int, whole: nnjit.Run, folder: Path, interrupt_after: Callable[[int], None]
) -> None:
    interrupt_after(epoch)
    with pytest.raises(Interrupted):
        nnjit.fit(DIGITS, output="run")
    given = config.resolve("run/config.yaml")
    same_bits(whole.path, resume(Path("run"), given, config.dump(given)).path)


def checkpoint(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a run's checkpoint."""
    return read_tensors(folder / file_names.CHECKPOINT)[0]


def test_the_state_moves_and_is_in_the_files_of_weights(whole: nnjit.Run) -> None:
    last = state_of(whole.path / file_names.LAST)
    assert {name: array.shape for name, array in last.items()} == {
        "batch_norm_1.running_mean": (12,),
        "batch_norm_1.running_variance": (12,),
    }
    assert (last["batch_norm_1.running_mean"] != 0).all()
    assert (last["batch_norm_1.running_variance"] > 0).all()
    assert whole.metrics["parameters"] == 64 * 12 + 2 * 12 + 12 * 10 + 10


def test_a_loaded_run_predicts_with_the_state(whole: nnjit.Run, folder: Path) -> None:
    x = 16 * np.random.default_rng(0).random((7, 8, 8)).reshape(7, 64)
    probabilities = nnjit.load(whole.path).predict_probabilities(x)
    np.testing.assert_array_equal(probabilities, whole.predict_probabilities(x))
    # each row separately: no statistics of the seven rows
    np.testing.assert_allclose(nnjit.load(whole.path).predict_probabilities(x[:1]), probabilities[:1], 1e-12)
    weights = load_file(whole.path / file_names.LAST)
    mean, variance = (weights[f"batch_norm_1.running_{kind}"] for kind in ("mean", "variance"))
    z = whole.decoder.scaling.transform_inputs(x) @ weights["dense_1.weight"]
    z = (z - mean) / np.sqrt(variance + 1e-5) * weights["batch_norm_1.scale"] + weights["batch_norm_1.shift"]
    z = np.maximum(z, 0) @ weights["dense_2.weight"] + weights["dense_2.bias"]
    expected = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-10)


def test_the_best_epoch_has_its_own_state(folder: Path) -> None:
    settings = ["training.epochs=400", "training.early_stopping={patience: 3}", "optimizer.learning_rate=0.1"]
    run = nnjit.fit(DIGITS, settings, output="run")
    best_epoch = run.metrics["best_epoch"]
    assert run.metrics["epochs"] == best_epoch + 3
    short = nnjit.fit(DIGITS, [*settings, f"training.epochs={best_epoch}"], output="short")
    best, last = load_file(run.path / file_names.BEST), load_file(short.path / file_names.LAST)
    assert all(np.array_equal(best[name], last[name]) for name in last)
    assert not np.array_equal(
        best["batch_norm_1.running_mean"],
        state_of(run.path / file_names.LAST)["batch_norm_1.running_mean"],
    )
    assert run.metrics["splits"]["validation"] == short.metrics["splits"]["validation"]


def test_initial_weights_bring_their_state(whole: nnjit.Run, folder: Path) -> None:
    layers = DIGITS["model"]
    model = {"layers": layers, "initial_weights": str(whole.path / file_names.LAST)}
    again = set_up(config.resolve({**DIGITS, "model": model}), folder).initial_state(folder)
    np.testing.assert_array_equal(again.theta, whole.theta)
    weights = load_file(whole.path / file_names.LAST)
    del weights["batch_norm_1.running_mean"]
    save_file(weights, folder / "less.safetensors")
    with pytest.raises(DataError, match=r"less\.safetensors.*missing: \['batch_norm_1.running_mean'\]"):
        nnjit.fit({**DIGITS, "model": {"layers": layers, "initial_weights": "less.safetensors"}})


def test_a_divergence_leaves_the_state_before_its_epoch(folder: Path) -> None:
    with pytest.raises(Diverged, match=r"diverged in epoch 1, batch \d+ of \d+: the first value"):
        nnjit.fit(DIGITS, ["optimizer.learning_rate=1e308"], output="run")
    begun = set_up(config.resolve(DIGITS), folder).initial_state(folder)
    np.testing.assert_array_equal(checkpoint(folder / "run")["theta"], begun.theta)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizer_penalty_and_clip_see_the_params_alone(dtype: str, folder: Path) -> None:
    setup = set_up(config.resolve({**DIGITS, "dtype": dtype}), folder)
    state, size = setup.initial_state(folder), setup.model.table.size
    assert state.theta.shape == (size + 24,)
    assert all(slot.shape == (size,) for slot in state.slots)
    graph, interface = step_graph(setup.task)
    assert graph.names[:4] == ("theta", *setup.task.optimizer.slots, "state")
    assert [n.shape for n in graph.inputs[:4]] == [(size,)] * 3 + [(24,)]
    assert interface.kept == ("theta", "state")
    assert [n.type for n in graph.outputs[:4]] == [n.type for n in graph.inputs[:4]]
    assert {n.dtype for n in graph.inputs[:4]} == {np.dtype(dtype)}


def test_a_model_without_state_has_the_graph_of_its_params_alone(folder: Path) -> None:
    without = {**DIGITS, "model": [{"type": "dense", "units": 10}]}
    task = set_up(config.resolve(without), folder).task
    graph, interface = step_graph(task)
    assert graph.names == ("theta", *task.optimizer.slots, "key", "step", "lr", "x", "y", "w")
    assert interface.kept == ("theta",)


AVERAGINGS = [{"type": "ema", "decay": 0.9}, {"type": "swa", "start": 2}]


@pytest.mark.parametrize("averaging", AVERAGINGS)
@pytest.mark.parametrize("keep", ["best", "last"])
def test_averaged_params_are_judged_with_the_state_that_is_written_with_them(
    averaging: dict[str, Any], keep: str, tmp_path: Path
) -> None:
    run = nnjit.fit({**DIGITS, "averaging": averaging}, [f"training.keep={keep}"], output=tmp_path / "run")
    epoch = run.metrics["best_epoch"] if keep == "best" else 4
    loss = run.metrics["splits"]["validation"]["loss"]  # evaluated apart, of the weights that are written
    np.testing.assert_allclose(run.history["validation_loss"][epoch - 1], loss, rtol=1e-12)
    assert nnjit.load(run.path).metrics == run.metrics


def test_an_exponential_average_is_of_the_state_too(tmp_path: Path) -> None:
    alone = ["training.batch_size=full", "data.split.validation=0"]  # an update is an epoch
    states = []
    for epochs in range(1, 5):
        run = nnjit.fit(DIGITS, [*alone, f"training.epochs={epochs}"], output=tmp_path / str(epochs))
        states.append(checkpoint(run.path)["theta"][run.compiled.task.model.table.size :])
    averaging = {"type": "ema", "decay": 0.75, "warmup": False}
    run = nnjit.fit(
        {**DIGITS, "averaging": averaging}, [*alone, "training.epochs=4"], output=tmp_path / "run"
    )
    expected = states[0]
    for state in states[1:]:
        expected = 0.75 * expected + 0.25 * state
    last_slot = max(name for name in checkpoint(run.path) if name.startswith("slot"))
    np.testing.assert_allclose(checkpoint(run.path)[last_slot], expected, rtol=1e-12)


def test_a_mean_of_params_has_running_statistics_of_its_own(tmp_path: Path) -> None:
    """They come from the training part's batches, in the order of the data, weighted by their rows."""
    given = {**DIGITS, "averaging": {"type": "swa", "start": 2}}
    run = nnjit.fit(given, output=tmp_path / "run")
    found = load_file(run.path / file_names.LAST)
    x = set_up(config.resolve(given), tmp_path).data.train.x @ found["dense_1.weight"]
    batches = [x[first : first + 128] for first in range(0, len(x), 128)]
    sizes = [len(batch) for batch in batches]
    assert len(set(sizes)) == 2  # the last is short
    mean = np.average([batch.mean(axis=0) for batch in batches], axis=0, weights=sizes)
    variance = np.average([batch.var(axis=0, ddof=1) for batch in batches], axis=0, weights=sizes)
    np.testing.assert_allclose(found["batch_norm_1.running_mean"], mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["batch_norm_1.running_variance"], variance, rtol=1e-9, atol=1e-12)


def test_an_averaged_training_that_was_stopped_has_the_bits_of_the_whole_one(tmp_path: Path) -> None:
    for averaging in AVERAGINGS:
        given, name = {**DIGITS, "averaging": averaging}, averaging["type"]
        nnjit.fit(given, output=tmp_path / f"{name}_whole")
        path = nnjit.fit(given, ["training.epochs=3"], output=tmp_path / name).path
        experiment = config.resolve(given)
        resume(path, experiment, config.dump(experiment))
        same_bits(path, tmp_path / f"{name}_whole")
