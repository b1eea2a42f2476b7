"""Frozen layers stay bit for bit; gradient, update, slots and kernels belong to the others alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit import config
from nnjit.codegen import ThreadTeam
from nnjit.errors import ConfigError, DataError, Interrupted
from nnjit.nn import build_model, layers
from nnjit.optim import optimizers
from nnjit.passes import optimize
from nnjit.report import write_report
from nnjit.runs import file_names
from nnjit.runs.model import ModelEntry
from nnjit.training import resume
from nnjit.training.gradient_check import check_gradient
from nnjit.training.graphs.step import step_graph
from nnjit.training.loop.diagnosis import Probe
from nnjit.training.loop.recorders import runner_type
from nnjit.training.setup.setup import Setup, set_up
from nnjit.training.setup.state import State
from tests.training.conftest import same_bits, train_epochs
from tests.training.test_equality import interpret_trainings

X = np.random.default_rng(0).normal(size=(20, 3)).round(2)
Y = (X[:, :1] - X[:, 1:2] * X[:, 2:]).round(3)
ROWS = {"type": "inline", "x": X.tolist(), "y": Y.tolist(), "split": {"validation": 0.2}}
ICE: dict[str, Any] = {
    "name": "ice",
    "dtype": "float64",
    "data": ROWS,
    "model": [
        {"type": "dense", "units": 4, "activation": "tanh", "name": "stem", "trainable": False},
        {"type": "batch_norm", "name": "cold", "trainable": False},
        {"type": "dense", "units": 4, "activation": "tanh", "name": "low"},
        {"type": "batch_norm", "name": "warm"},
        {"type": "dense", "units": 3, "name": "between", "trainable": False},
        {"type": "dense", "units": 1, "name": "head"},
    ],
    "loss": "squared_error",
    "penalty": {"l2": 1e-2},
    "clip": {"norm": 1.0},
    "training": {"epochs": 3, "batch_size": 6},
}
"""Frozen layers at the bottom and between trained ones, two with state."""
TWO = {**ROWS, "split": {}} | {"x": [[k % 4, k % 3] for k in range(20)]}
TABLE: dict[str, Any] = ICE | {
    "name": "table",
    "data": TWO,
    "model": [
        {"type": "select", "columns": 0, "name": "which"},
        {"type": "embedding", "entries": 4, "size": 3, "name": "kept", "trainable": False},
        {"type": "select", "columns": 1, "name": "other", "from": "input"},
        {"type": "embedding", "entries": 3, "size": 3, "name": "moved", "sparse": True},
        {"type": "concat", "from": ("kept", "moved")},
        {"type": "dense", "units": 1, "name": "head"},
    ],
    "penalty": {},
    "optimizer": {"type": "adam", "learning_rate_factors": {"moved": 3.0, "head": 0.5}},
}
COPIES: dict[str, Any] = ICE | {
    "name": "copies",
    "model": [
        {"type": "repeat", "times": 2, "trainable": False, "layers": [{"type": "dense", "units": 3}]},
        {"type": "repeat", "times": 2, "layers": [{"type": "dense", "units": 3, "name": "free"}]},
        {"type": "dense", "units": 1, "name": "head"},
    ],
}
IMAGES: dict[str, Any] = ICE | {
    "name": "images",
    "data": ROWS | {"x": np.random.default_rng(1).normal(size=(20, 16)).round(2).tolist(), "split": {}},
    "model": [
        {"type": "reshape", "shape": (4, 4, 1)},
        {"type": "conv2d", "filters": 2, "kernel_size": 2, "trainable": False},
        {"type": "batch_norm", "trainable": False},
        {"type": "conv2d", "filters": 2, "kernel_size": 2, "activation": "relu"},
        {"type": "conv2d", "filters": 2, "kernel_size": 2, "trainable": False},
        {"type": "flatten"},
        {"type": "dense", "units": 1},
    ],
    "training": {"epochs": 2, "batch_size": 10},
}
"""Convolutions, whose kernels are for groups of examples."""
SERIES: dict[str, Any] = IMAGES | {
    "name": "series",
    "model": [
        {"type": "reshape", "shape": (4, 4)},
        {"type": "gru", "units": 3, "return_sequences": True},
        {"type": "lstm", "units": 3, "trainable": False},
        {"type": "dense", "units": 1},
    ],
}
AVERAGES = [{"type": "ema", "decay": 0.8}, {"type": "swa", "start": 2}]


def of(given: dict[str, Any], *settings: str) -> Setup:
    return set_up(config.resolve(given, settings), Path())


def named(setup: Setup, theta: np.ndarray) -> dict[str, np.ndarray]:
    return setup.model.arrays.unflatten(theta)


def frozen_names(setup: Setup) -> set[str]:
    return {entry.name for entry in setup.model.frozen_table}


def test_what_frozen_layers_hold_is_a_vector_of_its_own() -> None:
    setup = of(ICE)
    model, state = setup.model, setup.initial_state(Path())
    assert list(model.split(state.theta)) == ["theta", "state", "frozen"]
    assert frozen_names(setup) == {
        "stem.weight", "stem.bias", "between.weight", "between.bias", "cold.scale", "cold.shift",
        "cold.running_mean", "cold.running_variance",
    }  # fmt: skip
    assert {entry.layer for entry in model.state_table} == {"warm"}
    assert [slot.size for slot in state.slots] == [model.table.size] * 2
    graph, interface = step_graph(setup.task)
    assert graph.names[:5] == ("theta", "mean", "mean_square", "state", "frozen")
    assert "frozen" not in (*interface.updates, *interface.kept)


def test_freezing_a_layer_changes_no_first_weights() -> None:
    free = [{k: v for k, v in layer.items() if k != "trainable"} for layer in ICE["model"]]
    frozen, trained = of(ICE), of(ICE | {"model": free})
    ours, theirs = (named(s, s.initial_state(Path()).theta) for s in (frozen, trained))
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_frozen_batch_norm_computes_as_in_a_prediction() -> None:
    model = build_model([layers["batch_norm"](trainable=False)], (3,))
    arrays = {
        "batch_norm_1.scale": np.array([1.0, 2, 3]), "batch_norm_1.shift": np.array([0.0, 1, 2]),
        "batch_norm_1.running_mean": np.array([0.5, 0, -1]), "batch_norm_1.running_variance": np.ones(3),
    }  # fmt: skip
    theta, x = model.arrays.flatten(arrays), X[:6]
    trained = model.train(theta, x, key=None, step=None, weights=np.ones(6))
    np.testing.assert_array_equal(trained.output, model(theta, x))
    assert trained.state.size == 0


def two_epochs(kind: str) -> tuple[Setup, State, dict[str, np.ndarray]]:
    """A setup, its state after two epochs of an optimizer, and its initial arrays."""
    given, settings = ICE | {"optimizer": kind}, ["training.epochs=2"]
    if optimizers[kind].model_validate({"type": kind}).full_batch is not None:  # these take no state
        given = given | {"model": [layer for layer in ICE["model"] if layer["name"] != "warm"], "clip": {}}
        settings.append("training.batch_size=full")
    setup = of(given, *settings)
    state = setup.initial_state(Path())
    first = named(setup, state.theta.copy())
    with ThreadTeam(1) as team:
        runner = runner_type(setup)(setup, team, lambda: False)
        for _ in range(2):
            span = runner.run(state, setup.learning_rate)
            assert span is not None
            state = span.state
    return setup, state, first


@pytest.mark.parametrize("kind", sorted(optimizers))
def test_every_optimizer_moves_the_others_alone(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    interpret_trainings(monkeypatch)  # the compiled graph is the same
    setup, state, first = two_epochs(kind)
    last, size = named(setup, state.theta), setup.model.table.size
    moved = {name for name in first if not np.array_equal(first[name], last[name])}
    assert moved.isdisjoint(frozen_names(setup))
    assert {"low.weight", "head.weight"} <= moved  # a bias may return: a step of lion is ± lr
    assert all(slot.size % size == 0 or slot.size < size for slot in state.slots.optimizer)


@pytest.mark.parametrize("kind", ["newton_cg", "levenberg_marquardt"])
def test_compiled_iterations_are_the_interpreted_ones(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, compiled, _ = two_epochs(kind)
    interpret_trainings(monkeypatch)
    _, interpreted, _ = two_epochs(kind)
    # A solver's iterations stop at a tolerance, so they differ by more than rounding.
    np.testing.assert_allclose(compiled.theta, interpreted.theta, rtol=1e-6, atol=1e-8)


PLAIN = {"optimizer": {"type": "momentum", "learning_rate": 0.05}}
"""Adam makes a whole step of a gradient that is 0 but for rounding."""


@pytest.mark.parametrize(
    "given",
    [ICE, TABLE, COPIES, IMAGES, SERIES, *(ICE | {"averaging": a, "clip": {}} | PLAIN for a in AVERAGES)],
    ids=["state", "sparse rows", "repeats", "images", "series", "ema", "swa"],
)
@pytest.mark.kernels
def test_compiled_steps_are_the_interpreted_ones(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, history = train_epochs(given)
    interpret_trainings(monkeypatch)
    interpreted, expected = train_epochs(given)
    tolerance = {"rtol": 1e-10, "atol": 1e-10}  # adam enlarges sums in another order
    np.testing.assert_allclose(compiled.theta, interpreted.theta, **tolerance)
    np.testing.assert_allclose(compiled.best_theta, interpreted.best_theta, **tolerance)
    for name in history.keys() - {"train_seconds"}:
        np.testing.assert_allclose(history[name], expected[name], **tolerance, err_msg=name)
    setup = of(given)
    first, last = (named(setup, t) for t in (setup.initial_state(Path()).theta, compiled.theta))
    best = named(setup, compiled.best_theta)
    for name in frozen_names(setup):
        np.testing.assert_array_equal(first[name], last[name], name)
        np.testing.assert_array_equal(first[name], best[name], name)


def test_the_gradient_of_the_others_is_that_of_the_whole_network() -> None:
    """One step of gradient descent; penalty and batch norms apart, freezing changes no derivative."""
    plain = [layer for layer in ICE["model"] if layer["type"] == "dense"]
    given = ICE | {"model": plain, "optimizer": "gradient_descent", "penalty": {}, "clip": {}}
    free = [{k: v for k, v in layer.items() if k != "trainable"} for layer in plain]
    once = ["training.epochs=1", "training.batch_size=full"]
    (frozen, _), (trained, _) = train_epochs(given, once), train_epochs(given | {"model": free}, once)
    ours, theirs = named(of(given), frozen.theta), named(of(given | {"model": free}), trained.theta)
    for name in ("low.weight", "low.bias", "head.weight", "head.bias"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, err_msg=name)
    assert not np.array_equal(ours["between.weight"], theirs["between.weight"])


def test_no_kernel_computes_a_gradient_of_frozen_layers() -> None:
    setup = of(ICE)
    kernels = setup.compiled.written_epoch().kernels
    backward = {scope for kernel in kernels for scope, is_backward in kernel.parts if is_backward}
    assert backward.isdisjoint({"stem", "cold"})  # below all trained layers
    nodes = [n for n in optimize(step_graph(setup.task)[0]).nodes if n.origin == "backward"]
    assert {n.scope for n in nodes} == {"low", "warm", "between", "head", "loss", "penalty"}
    products = [n.scope for n in nodes if n.primitive.kind == "matmul"]
    assert sorted(products) == ["between", "head", "head", "low"]  # δ Wᵀ; both; aᵀ δ


def test_check_and_diagnosis_are_of_trained_layers() -> None:
    setup = of(ICE)
    state = setup.initial_state(Path())
    checked = check_gradient(setup, state.theta)
    assert checked.is_right
    assert {t.name for t in checked.tensors} == {entry.name for entry in setup.model.table}
    assert checked.frozen == ("stem", "cold", "between")
    seen = Probe(setup)(state, lr=0.1)
    assert {name for name, values in seen.items() if "gradient_norm" in values} == {"low", "warm", "head"}


def test_a_resumed_training_has_the_bits_of_the_whole_one(
    folder: Path, interrupt_after: Callable[[int], None]
) -> None:
    given = ICE | {"averaging": AVERAGES[0]}
    nnjit.fit(given, output="whole")
    interrupt_after(2)
    with pytest.raises(Interrupted):
        nnjit.fit(given, output="halves")
    experiment = config.resolve(given)
    resume(Path("halves"), experiment, config.dump(experiment))
    same_bits(Path("whole"), Path("halves"))
    loaded = nnjit.load("halves")
    np.testing.assert_array_equal(loaded.predict(X), nnjit.load("whole").predict(X))
    weights, setup = load_file(Path("halves") / file_names.BEST), of(given)
    first = named(setup, setup.initial_state(Path()).theta)
    assert weights.keys() == first.keys()
    assert all(np.array_equal(weights[name], first[name]) for name in frozen_names(setup))
    _tells_them_apart(Path("halves"))


def _tells_them_apart(run: Path) -> None:
    """Counts and page of a run of `ICE`."""
    entry = ModelEntry.read(run)
    assert (entry.parameters, entry.frozen) == (5 * 4 + 8 + 4, 4 * 4 + 8 + 5 * 3)
    assert {layer.name for layer in entry.layers if layer.is_frozen} == {"stem", "cold", "between"}
    assert json.loads((run / file_names.METRICS).read_text())["parameters"] == 32
    write_report(run)
    page = (run / file_names.REPORT).read_text()
    assert "32 trained parameters and 39 frozen ones" in page
    assert re.search(r"stem</th><td>dense tanh</td>.*16 frozen</td>", page)
    explained = json.loads((run / file_names.EXPLANATION).read_text())
    assert [layer["is_frozen"] for layer in explained["layers"]] == [0, 1, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["model[2].trainable=false", "model[3].trainable=false", "model[5].trainable=false"],
         "model: every layer with params is frozen (stem, cold, low, warm, between, head), so there is "),
        (["model[2]={type: dropout, trainable: false}"], 'model[2]: unknown option "trainable"'),
        (["model[2].trainable=no"], 'model[2].trainable: expected true or false, got "no"'),
        (["optimizer={type: adam, learning_rate_factors: {haed: 2}}"],
         'learning_rate_factors.haed: no layer is called "haed"; did you mean "head"?'),
        (["optimizer={type: adam, learning_rate_factors: {stem: 2}}"],
         'learning_rate_factors.stem: "stem" is frozen (trainable: false); omit its factor'),
        (["model[4]={type: dropout, name: d, rate: 0.1}",
          "optimizer={type: adam, learning_rate_factors: {d: 2}}"],
         'learning_rate_factors.d: "d" has no params to train; omit its factor'),
        (["optimizer={type: adam, learning_rate_factors: {head: 0}}"],
         'learning_rate_factors: a factor of 0 for "head" freezes it; set trainable: false there instead'),
        (["optimizer={type: adam, learning_rate_factors: {head: -1}}"], 'a factor > 0 for "head", got -1'),
        (["optimizer={type: adam, learning_rate_factors: {head: x}}"], 'factors.head: expected a number > 0'),
        (["optimizer={type: lbfgs, learning_rate_factors: {head: 2}}"],
         "optimizer: lbfgs finds the length of its steps itself, so there is no learning rate to multiply"),
        (["model[3].trainable=false", "clip={}", "training.batch_size=full",
          "optimizer={type: gradient_descent, line_search: wolfe, learning_rate_factors: {head: 2}}"],
         "optimizer.learning_rate_factors: gradient_descent with line_search finds the length of its steps"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_message(settings: list[str], message: str) -> None:
    def read() -> None:
        given = config.read(ICE, settings)
        with given.located():
            set_up(given.experiment, Path())

    with pytest.raises(ConfigError) as caught:
        read()
    assert message in str(caught.value)


def test_a_frozen_batch_norm_takes_single_examples() -> None:
    given = ICE | {"model": [layer for layer in ICE["model"] if layer["name"] != "warm"]}
    assert of(given, "training.batch_size=1").batch == 1
    with pytest.raises(DataError, match='batch_norm "warm" has one value'):
        of(ICE, "training.batch_size=1")
