"""Two small trainings shared by most tests of this folder, so each is compiled only once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from nnjit import config
from nnjit.codegen import ThreadTeam
from nnjit.runs import file_names, table_file
from nnjit.runs.history import HistoryFile, read_history
from nnjit.training.loop import epochs
from nnjit.training.setup.setup import set_up
from nnjit.training.setup.state import State
from nnjit.training.setup.threads import one_blas_thread

IRIS: dict[str, Any] = {
    "name": "iris",
    "dtype": "float64",
    "data": {
        "type": "sklearn",
        "dataset": "iris",
        "split": {"validation": 0.2, "test": 0.2},
        "scale": "standard",
    },
    "model": [
        {"type": "dense", "units": 8, "activation": "tanh"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 3},
    ],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "schedule": {"type": "cosine", "warmup": 1},
    "penalty": {"l2": 1e-3},
    "metrics": ["accuracy"],
    "training": {"epochs": 6, "batch_size": 16},
}
"""All that a resumed training must bring back: order of rows, dropout, slots, schedule, best weights."""

LINE_X = np.arange(-3, 7) / 4.0
LINE_Y = 1 - 2 * LINE_X + 0.1 * np.cos(9 * LINE_X)
LINE: dict[str, Any] = {
    "name": "line",
    "dtype": "float64",
    "data": {"type": "inline", "x": LINE_X.tolist(), "y": LINE_Y.tolist()},
    "model": [{"type": "dense", "units": 1, "name": "only"}],
    "loss": "squared_error",
    "optimizer": {"type": "gradient_descent", "learning_rate": 0.05},
    "training": {"epochs": 3, "batch_size": 4, "shuffle": False},
}
"""A line through ten points, simple enough to be trained by hand."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def after_epoch(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Call a function with the run folder after each new row of the history."""

    def watch(act: Callable[[Path, int], None]) -> None:
        write = HistoryFile.write

        def write_and_act(self: HistoryFile, columns: Mapping[str, np.ndarray]) -> None:
            write(self, columns)
            act(self.folder, int(columns["epoch"][-1]))

        monkeypatch.setattr(HistoryFile, "write", write_and_act)
        monkeypatch.setattr(epochs, "CALL_SECONDS", 0.0)  # one epoch per span
        monkeypatch.setattr(table_file, "SECONDS", 0.0)  # rows are written at once
        monkeypatch.setattr(table_file, "SHARE", 0)

    return watch


@pytest.fixture
def interrupt_after(after_epoch: Callable[..., None]) -> Callable[[int], None]:
    """Press Ctrl-C once, at the end of an epoch."""

    def plan(epoch: int) -> None:
        left = [epoch]

        def press(_: Path, done: int) -> None:
            if left == [done]:
                left.clear()
                signal.raise_signal(signal.SIGINT)

        after_epoch(press)

    return plan


def train_epochs(
    given: Mapping[str, Any], settings: Sequence[str] = ()
) -> tuple[State, dict[str, np.ndarray]]:
    """Train without a folder; return the state and the history.

    The programs for the metrics and predictions in a folder take as long to compile as the epochs.
    """
    setup = set_up(config.resolve(given, settings), Path())
    state, spans = setup.initial_state(Path()), []
    with ThreadTeam(setup.compiled.threads) as team, one_blas_thread():
        runner = epochs.EpochRunner(setup, team, lambda: False)
        while state.epoch < setup.experiment.training.epochs:
            span = runner.run(state, setup.learning_rate)
            assert span is not None
            state = span.state
            spans.append(span.history)
    return state, {name: np.concatenate([s[name] for s in spans]) for name in spans[0]}


def same_bits(one: Path, other: Path) -> None:
    """Assert that two run folders have the same weights, predictions and history, except for the times."""
    for name in (file_names.BEST, file_names.LAST):
        a, b = load_file(one / name), load_file(other / name)
        assert a.keys() == b.keys()
        assert all(np.array_equal(a[key], b[key]) for key in a), name
    ours, theirs = read_history(one), read_history(other)
    assert ours.keys() == theirs.keys()
    for column in ours.keys() - {"train_seconds"}:
        np.testing.assert_array_equal(ours[column], theirs[column], column)
    with np.load(one / file_names.PREDICTIONS) as a_, np.load(other / file_names.PREDICTIONS) as b_:
        assert a_.files == b_.files
        assert all(np.array_equal(a_[key], b_[key]) for key in a_.files)
