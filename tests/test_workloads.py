"""The benchmark's compiled workloads equal the same steps interpreted one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit import config
from nnjit.codegen.numba.compiler import DirectCompiler
from nnjit.ir import interpret
from nnjit.training.graphs.step import step_graph
from nnjit.training.setup.setup import set_up
from scripts.benchmark.nnjit_config import write_check
from scripts.benchmark.workloads import CHECKED_STEPS, WORKLOADS, Workload, resnet
from tests.training.conftest import train_epochs

VELOCITY = {"type": "momentum", "learning_rate": 1e-4}
"""An optimizer whose slot is a sum of gradients; unlike Adam, it does not divide by their size."""

CHECKED = WORKLOADS | {"resnet": replace(WORKLOADS["resnet"], batch=16, layers=resnet(1, 8, 10))}
"""The interpreter would take minutes for the whole residual network."""

each_workload = pytest.mark.parametrize("workload", CHECKED.values(), ids=CHECKED)


@pytest.fixture(autouse=True)
def no_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a program is left to Numba's own compiler, which takes several times as long."""
    lowered = DirectCompiler.lowered

    def surely_lowered(self: DirectCompiler, func: Any) -> Any:
        result = lowered(self, func)
        assert result is not None, f"{func.__name__} has something that lowering does not support"
        return result

    monkeypatch.setattr(DirectCompiler, "lowered", surely_lowered)


@each_workload
def test_compiled_steps_equal_interpreted_steps(workload: Workload, tmp_path: Path) -> None:
    given = write_check(workload, tmp_path) | {"dtype": "float64"}
    trained, history = train_epochs(given)
    before, [after, *_], loss = interpreted(workload, given)
    np.testing.assert_allclose(np.mean(history["train_loss"]), loss, rtol=1e-10)
    # The gradient of a bias before a batch norm is only rounding, which Adam divides by its size.
    most = 1e-7 if workload.has_state else 1e-10
    assert np.linalg.norm(trained.theta - after) <= most * np.linalg.norm(after - before)


@each_workload
def test_compiled_gradients_in_float32_are_those_of_float64(workload: Workload, tmp_path: Path) -> None:
    given = write_check(workload, tmp_path) | {"optimizer": VELOCITY}
    trained, history = train_epochs(given | {"dtype": "float32"})
    _, [_, velocity], loss = interpreted(workload, given | {"dtype": "float64"})
    np.testing.assert_allclose(np.mean(history["train_loss"]), loss, rtol=1e-6)
    for entry in set_up(config.resolve(given), Path()).model.table:
        entries = slice(entry.offset, entry.offset + entry.size)
        error = np.linalg.norm(trained.slots.optimizer[0][entries] - velocity[entries])
        size = np.linalg.norm(velocity[entries])
        # The gradient of a key's bias, or of a bias before a batch norm, is 0 but for rounding.
        least = (3e-2 if workload.has_state else 1e-3) * np.linalg.norm(velocity)
        most = 1e-3 if workload.has_state else 1e-5  # centring loses digits, layer after layer
        assert error <= most * max(size, least), entry.name


def interpreted(workload: Workload, given: Mapping[str, Any]) -> tuple[np.ndarray, list[np.ndarray], float]:
    """Params and state before the first steps; params, state and slots after them; and the mean loss."""
    setup = set_up(config.resolve(given), Path())
    start, train = setup.initial_state(Path()), setup.data.train
    graph, interface = step_graph(setup.task)
    theta, *state = setup.model.split(start.theta).values()
    updated = [theta, *start.slots, *state]
    key, lr = np.zeros((), np.uint32), np.asarray(given["optimizer"]["learning_rate"], start.theta.dtype)
    costs = weights = 0.0
    for step in range(CHECKED_STEPS):
        rows = slice(step * workload.batch, (step + 1) * workload.batch) if workload.batch else slice(None)
        x, y = train.x[rows], train.y[rows]
        number, w = np.asarray(step + 1, np.uint32), np.ones(len(x), x.dtype)
        outputs = interpret(graph, [*updated, key, number, lr, x, y, w])
        updated = outputs[: len(updated)]
        cost, weight = map(float, outputs[len(interface.updates) :][:2])
        costs, weights = costs + cost, weights + weight
    after = np.concatenate([updated[0], *updated[1 + len(start.slots) :]])
    return start.theta, [after, *updated[1 : 1 + len(start.slots)]], costs / weights
