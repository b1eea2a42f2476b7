"""Threads share a training: the result is that of one thread, whatever else the cores run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import config as numba_config

import nnjit
from nnjit.codegen import program
from nnjit.codegen.runtime import threads
from nnjit.codegen.runtime.tuner import Choice, ThreadTuner
from nnjit.cores import usable_cores
from nnjit.training.structure.threads import threads_for
from tests.processors import PROCESSORS, environment_of

from .conftest import IRIS, train_epochs
from .test_equality import interpret_trainings

DIGITS: dict[str, Any] = {
    "dtype": "float64",
    "data": {"type": "sklearn", "dataset": "digits", "split": {"validation": 0.3}, "scale": "unit"},
    "model": [
        {"type": "dense", "units": 70, "activation": "tanh"},
        {"type": "dropout", "rate": 0.1},
        {"type": "dense", "units": 10},
    ],
    "loss": "softmax_cross_entropy",
    "metrics": ["accuracy"],
    "training": {"epochs": 3, "batch_size": 100},
}
"""With more params than `LONG`, so that each thread updates a slice; and several blocks to evaluate."""

LAYERED: dict[str, Any] = {
    "dtype": "float64",
    "data": {"type": "sklearn", "dataset": "digits", "split": {"test": 0.9}},
    "model": [
        {"type": "embedding", "entries": 17, "size": 3, "padding_index": 0},
        {"type": "lstm", "units": 3, "return_sequences": True, "mask_value": 0.0},
        {
            "type": "conv1d",
            "filters": 4,
            "kernel_size": 3,
            "stride": 2,
            "padding": "same",
            "activation": "tanh",
        },
        {"type": "max_pool", "size": 3, "stride": 2},
        {"type": "average_pool"},
        {"type": "gru", "units": 4, "reverse": True},
        {"type": "dense", "units": 10},
    ],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "metrics": ["accuracy"],
    "training": {"epochs": 2, "batch_size": 50},
}
"""Windows that overlap and windows that do not, loops over steps in both orders, rows at computed places."""
NORMED: dict[str, Any] = {
    **DIGITS,
    "model": [DIGITS["model"][0], {"type": "batch_norm"}, {"type": "dense", "units": 10}],
}
"""Rows that cross phases, and layers with state."""

# name, config, settings
TASKS = (
    ("few params", IRIS, ()),
    ("a slice each", DIGITS, ()),
    ("batches of several blocks", DIGITS, ("training.batch_size=600",)),
    ("large params, several blocks", DIGITS, ("model[0].units=1000", "training.batch_size=600")),
    ("full batch", DIGITS, ("training.batch_size=full", "optimizer={type: momentum, learning_rate: 0.1}")),
    ("fewer rows than threads", DIGITS, ("training.batch_size=2", "training.epochs=1")),
    ("sums over all params", DIGITS, ("clip.norm=0.1", "penalty={l1: 1e-4, l2: 1e-3}")),
    ("other layers", LAYERED, ()),
    ("rows that cross phases", NORMED, ("training.batch_size=600",)),
    ("no shuffle", DIGITS, ("training.shuffle=false", "optimizer=gradient_descent")),
)
EXACT = ("other layers",)  # the first one is an embedding, of whole numbers
# With bounds checks, only those that slice vectors and rows in special ways; another optimizer is just
# another formula, and tests/codegen checks the kernels of the other layers.
CHECKED = (
    "few params", "a slice each", "batches of several blocks", "fewer rows than threads",
    "sums over all params", "no shuffle",
)  # fmt: skip


def train(
    given: dict[str, Any], settings: tuple[str, ...], threads: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Train; return the params and the history without its times."""
    state, history = train_epochs(given, [*settings, f"training.threads={threads}"])
    del history["train_seconds"]
    return state.theta, history


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.kernels] * (name in CHECKED) + [pytest.mark.exact] * (name in EXACT)


@pytest.mark.parametrize(
    ("given", "settings"), [pytest.param(*task, id=name, marks=_marks(name)) for name, *task in TASKS]
)
def test_threads_give_the_result_of_one(
    given: dict[str, Any], settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The single thread is the interpreter, which compiles nothing."""
    with monkeypatch.context() as patch:
        interpret_trainings(patch)
        theta, history = train(given, settings, 1)
    for shares in (2, 3):
        shared_theta, shared_history = train(given, settings, shares)
        for column in history:
            np.testing.assert_allclose(shared_history[column], history[column], 1e-9, 1e-9, err_msg=column)
        np.testing.assert_allclose(shared_theta, theta, rtol=1e-7, atol=1e-9)


def test_same_threads_give_the_same_bits() -> None:
    (one, first), (other, second) = (train(DIGITS, ("dtype=float32",), 2) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    for column in first:
        np.testing.assert_array_equal(first[column], second[column], column)


class Drawn(ThreadTuner):
    """Draws the number of threads of each call, which lasts a few steps."""

    def __init__(self, most: int) -> None:
        self.most, self.rng = most, np.random.default_rng(most)

    def next(self) -> Choice:
        return Choice(int(self.rng.integers(1, self.most + 1)), float(self.rng.choice([0.0, 1e-4, 1e-3])))

    def note(self, steps: int, seconds: float) -> None:
        pass


class Alone(Drawn):
    """Runs all shares on one thread."""

    def next(self) -> Choice:
        return Choice(1, 1e6)


@pytest.mark.parametrize("shares", [2, 3])
@pytest.mark.parametrize(
    ("given", "settings"), [pytest.param(*task, id=name, marks=_marks(name)) for name, *task in TASKS]
)
def test_any_number_of_threads_gives_the_same_bits(
    given: dict[str, Any], settings: tuple[str, ...], shares: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number changes within an epoch."""
    monkeypatch.setattr(program, "LATE", 10.0)  # as many as are drawn
    results = []
    for tuner in (Alone, Drawn):
        monkeypatch.setattr(threads, "ThreadTuner", tuner)
        results.append(train(given, settings, shares))
    (one, first), (other, second) = results
    np.testing.assert_array_equal(one, other)
    for column in first:
        np.testing.assert_array_equal(first[column], second[column], column)


PROGRAM = """
import os
import sys
from tests.training.test_threads import DIGITS, train
if sys.argv[1] == "pinned":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(train(DIGITS, (), int(sys.argv[2]))[1]["train_loss"][-1])
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin a process")
@pytest.mark.skipif(bool(numba_config.DISABLE_JIT), reason="plain Python threads take turns")
@pytest.mark.parametrize(("where", "threads"), [("pinned", 2), ("free", 5), ("busy", 2)])
def test_threads_without_a_core_for_each_are_slower_but_right(where: str, threads: int) -> None:
    want = train(DIGITS, (), 1)[1]["train_loss"][-1]
    busy = "import time\nend = time.monotonic() + 100\nwhile time.monotonic() < end: pass"
    others = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(2 * (where == "busy"))]
    try:
        command = [sys.executable, "-c", PROGRAM, where, str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == pytest.approx(want, rel=1e-9)


@pytest.mark.skipif(bool(numba_config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.parametrize("cpu", PROCESSORS)
def test_threads_on_other_processors(cpu: str) -> None:
    environment = environment_of(cpu)
    want = train(DIGITS, (), 1)[1]["train_loss"][-1]
    command = [sys.executable, "-c", PROGRAM, "free", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) == pytest.approx(want, rel=1e-9)


def test_auto_takes_one_thread_for_small_steps_and_all_cores_for_large_ones(tmp_path: Path) -> None:
    small = nnjit.fit(IRIS, ["training.epochs=1"], output=tmp_path / "small")
    graph = small.compiled.step
    assert small.compiled.threads == threads_for("auto", graph, 16) == 1
    assert threads_for("auto", graph, 10**6) == min(usable_cores(), 8)
    assert threads_for(5, graph, 16) == 5
