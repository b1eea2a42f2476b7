"""Looks into the layers: what they see is right, and they change nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import config
from nnjit.errors import Interrupted
from nnjit.runs import file_names
from nnjit.training.loop.diagnosis import ROWS, SIGNS, Probe
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


@pytest.mark.parametrize("options", [LINE, IRIS], ids=["line", "iris"])
def test_gradients_are_those_of_differences(options: dict[str, Any], folder: Path) -> None:
    probe, state = probe_of(options)
    setup, theta = probe.setup, state.theta
    assert len(setup.data.train.x) <= ROWS[True]  # so that a look takes all of them

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
    drawn = {
        name: "The gradient of each layer" in (runs[name] / file_names.REPORT).read_text() for name in runs
    }
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
