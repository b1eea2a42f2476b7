"""Looks at the layers: their values are right, and they change nothing."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.errors import Interrupted
from nnjit.ir import B, Graph, array_type, interpret, new_input
from nnjit.runs import file_names
from nnjit.training.graphs.signs import SIGNS
from nnjit.training.loop.diagnosis import ROWS, Probe
from nnjit.training.loop.epochs import longest_span
from nnjit.training.setup.setup import set_up
from nnjit.training.setup.state import State
from tests.training.conftest import IRIS, LINE, same_bits

SMOOTH = 1e-6  # a step of a central difference in float64: its error is about its square


def looked(options: dict[str, Any], **training: Any) -> dict[str, Any]:
    return options | {"training": options["training"] | {"diagnosis": True} | training}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / file_names.DIAGNOSIS).open(newline="") as file:
        return list(csv.DictReader(file))


def probe_of(options: dict[str, Any]) -> tuple[Probe, State]:
    setup = set_up(config.resolve(looked(options)), Path())
    return Probe(setup), setup.initial_state(Path())


CERTAIN = IRIS | {"model": [layer for layer in IRIS["model"] if layer["type"] != "dropout"]}
WEIGHED = CERTAIN | {"training": IRIS["training"] | {"class_weights": "balanced"}}
SHARED = CERTAIN | {"training": IRIS["training"] | {"threads": 2}}


@pytest.mark.parametrize(
    "options", [LINE, CERTAIN, WEIGHED, SHARED], ids=["line", "iris", "weighed", "shared"]
)
def test_gradients_are_those_of_differences(options: dict[str, Any], folder: Path) -> None:
    options = options | {"training": options["training"] | {"batch_size": "full"}}
    probe, state = probe_of(options)
    setup, theta = probe.setup, state.theta
    assert len(setup.data.train.x) <= ROWS[True]  # so a look takes all of them

    def cost(moved: np.ndarray) -> float:
        return setup.compiled.evaluate(moved, setup.data.train)["loss"]

    steps = np.eye(len(theta)) * SMOOTH
    gradient = np.array([(cost(theta + s) - cost(theta - s)) / (2 * SMOOTH) for s in steps])
    for layer, figures in probe(state, 0.01).items():
        own = [e for e in setup.model.table if e.name.startswith(f"{layer}.")]
        part = np.concatenate([gradient[e.offset : e.offset + e.size] for e in own])
        np.testing.assert_allclose(figures["gradient_norm"], np.linalg.norm(part), rtol=1e-5)


def test_an_update_of_plain_descent_is_the_rate_times_the_gradient(folder: Path) -> None:
    probe, state = probe_of(LINE)
    figures = probe(state, 0.05)["only"]
    expected = 0.05 * figures["gradient_norm"] / np.linalg.norm(state.theta)
    np.testing.assert_allclose(figures["update_ratio"], expected, rtol=1e-12)
    np.testing.assert_allclose(figures["param_norm"], np.linalg.norm(state.theta), rtol=1e-12)


# fmt: off
UNITS = [  # activation, outputs (rows, units), share
    ("relu",    [[0, 1, 0], [0, 0, 0]],                1 - 1 / 3),
    ("relu",    [[1.0, 2.0]],                          0.0),
    ("relu",    [[[0, 1], [0, 0]], [[0, 0], [0, 2]]],  0.5),
    ("tanh",    [[0.995, -0.995], [0.0, 0.98]],        0.5),
    ("sigmoid", [[0.9951, 0.0049], [0.994, 0.5]],      0.5),
]
# fmt: on


@pytest.mark.parametrize(("activation", "outputs", "share"), UNITS)
def test_signs_are_shares_of_units(activation: str, outputs: list[Any], share: float) -> None:
    _, measure = SIGNS[activation]
    assert measure(np.array(outputs, float)) == pytest.approx(share)


def test_hidden_layers_with_a_bound_are_watched_and_the_output_is_not(folder: Path) -> None:
    layers = [
        {"type": "dense", "units": 3, "activation": "relu", "name": "first"},
        {"type": "activation", "function": "tanh", "name": "squashed"},
        {"type": "dense", "units": 1, "activation": "sigmoid", "name": "last"},
    ]
    probe, state = probe_of(LINE | {"model": layers})
    seen = {layer: set(figures) for layer, figures in probe(state, 0.1).items()}
    norms = {"gradient_norm", "param_norm", "update_ratio"}
    assert seen == {"first": norms | {"dead"}, "squashed": {"saturated"}, "last": norms}


def test_looking_changes_no_bit(folder: Path) -> None:
    runs = {}
    for diagnosis in ("true", "false", "auto"):
        settings = ["training.epochs=12", f"training.diagnosis={diagnosis}"]
        runs[diagnosis] = nnjit.fit(IRIS, settings, output=diagnosis, report=True).path
        same_bits(runs["true"], runs[diagnosis])
    assert not (runs["false"] / file_names.DIAGNOSIS).exists()
    looks = {name: [row["epoch"] for row in rows(runs[name])[::2]] for name in ("true", "auto")}
    assert looks == {"true": [str(e) for e in range(1, 13)], "auto": ["1", "4", "7", "10", "12"]}
    drawn = {name: "Gradient of each layer" in (runs[name] / file_names.REPORT).read_text() for name in runs}
    assert drawn == {"true": True, "false": False, "auto": False}


def test_a_long_training_is_looked_at_some_fifty_times(folder: Path) -> None:
    options = looked(LINE, epochs=997)
    nnjit.fit(options, output="run")
    epochs = [int(row["epoch"]) for row in rows(Path("run"))]
    assert 48 <= len(epochs) <= 51
    assert (epochs[0], epochs[-1]) == (1, 997)
    assert longest_span(set_up(config.resolve(options), Path())) == 20


def test_a_resumed_run_has_the_looks_of_one_that_never_stopped(
    folder: Path, interrupt_after: Callable[[int], None]
) -> None:
    nnjit.fit(looked(IRIS), output="whole")
    interrupt_after(3)
    with pytest.raises(Interrupted):
        nnjit.fit(looked(IRIS), output="run")
    nnjit.api.run(config.read("run/config.yaml"), resume=Path("run"), quiet=True)
    assert rows(Path("run")) == rows(Path("whole"))


def test_rows_of_a_table_have_the_gradient_of_a_dense_one(folder: Path) -> None:
    """An update of few rows of a table resets its gradient, so a separate graph computes it."""
    rng = np.random.default_rng(0)
    data = {"x": rng.integers(0, 2000, (64, 1)).astype(np.float32), "y": rng.standard_normal((64, 1))}
    options = {
        "dtype": "float64",
        "data": {"type": "arrays"},
        "model": [
            {"type": "embedding", "entries": 2000, "size": 4, "name": "table"},
            {"type": "flatten"},
            {"type": "dense", "units": 1},
        ],
        "loss": "squared_error",
        "training": {"epochs": 1, "batch_size": 8, "diagnosis": True},
    }
    norms = {}
    for optimizer in ("gradient_descent", "adam"):
        given = options | {"optimizer": {"type": optimizer, "learning_rate": 0.1}}
        setup = set_up(config.read(given).with_data(data).experiment, Path())
        tables = setup.compiled.epoch.code.tables
        norms[bool(tables)] = Probe(setup)(setup.initial_state(Path()), 0.1)["table"]["gradient_norm"]
    np.testing.assert_allclose(norms[True], norms[False], rtol=1e-12)


# fmt: off
DENSE = {"type": "dense", "units": 4, "activation": "relu"}
CONV = {"type": "conv2d", "filters": 2, "kernel_size": 3, "padding": "same", "activation": "relu"}
NORM, POOL, FLAT = {"type": "batch_norm"}, {"type": "global_average_pool"}, {"type": "flatten"}
TABLE = {"type": "embedding", "entries": 500, "size": 4}
UNINTERPRETED: dict[str, tuple[tuple[int, ...], list[dict[str, Any]]]] = {
    # name          an example  hidden layers
    "dense":       ((3,),      [DENSE, NORM, {"type": "dropout", "rate": 0.2}]),
    "convolution": ((6, 6, 1), [CONV, NORM, {"type": "max_pool", "size": 2}, FLAT]),
    "recurrent":   ((5, 2),    [{"type": "lstm", "units": 3}]),
    "attention":   ((5, 4),    [{"type": "attention"}, {"type": "layer_norm"}, POOL]),
    "embedding":   ((2,),      [TABLE, FLAT, DENSE]),
}
# fmt: on


@pytest.fixture
def interpretations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The graphs of rows that are interpreted in the meantime."""
    module, found = sys.modules["nnjit.ir.interpret"], []
    check = module._check  # called once by each interpretation

    def noted(graph: Graph, arguments: Any) -> Any:
        if any(node.type.is_batched for node in graph.inputs):
            found.append(str(graph))
        return check(graph, arguments)

    monkeypatch.setattr(module, "_check", noted)
    return found


@pytest.mark.parametrize("name", UNINTERPRETED)
def test_a_training_interprets_nothing(name: str, folder: Path, interpretations: list[str]) -> None:
    shape, layers = UNINTERPRETED[name]
    rng = np.random.default_rng(0)
    x = rng.integers(0, 500, (60, *shape)) if name == "embedding" else rng.standard_normal((60, *shape))
    x, y = x.astype(np.float32), (np.arange(60) % 2).astype(np.int32)
    options = {
        "data": {"type": "arrays", "task": "classification", "split": {"validation": 0.2, "test": 0.2}},
        "model": [*layers, {"type": "dense", "units": 2}],
        "loss": "softmax_cross_entropy",
        "metrics": ["accuracy"],
        "training": {"epochs": 3, "batch_size": 12},
    }
    run = nnjit.fit(options, data=(x, y), output="run")
    assert isinstance(run, nnjit.Run)
    run.predict(x)
    run.evaluate(x, y)
    assert rows(Path("run"))
    assert interpretations == []


def test_several_outputs_interpret_nothing(folder: Path, interpretations: list[str]) -> None:
    path = Path(__file__).parents[2] / "configs" / "two_outputs.yaml"
    nnjit.fit(path, ["training.epochs=2"], output="run")
    assert rows(Path("run"))
    assert interpretations == []


def test_the_interpreter_is_noticed(interpretations: list[str]) -> None:
    x = new_input(array_type("f32", (B, 2)))
    interpret(Graph((x,), (x * x,)), [np.ones((3, 2), np.float32)])
    assert len(interpretations) == 1
