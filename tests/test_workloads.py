"""The benchmark's workloads, compiled, equal the same steps interpreted one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit import config
from nnjit.codegen.direct import Direct
from nnjit.ir import interpret
from nnjit.training.graphs import step_graph
from nnjit.training.setup import set_up
from scripts.benchmark.nnjit_config import write_check
from scripts.benchmark.workloads import CHECKED_STEPS, WORKLOADS, Workload
from tests.training.conftest import train_epochs

# Of the loss, and of the weights' difference against their move. Sums come in another order. In float32 a
# gradient that is all rounding has any sign, and Adam moves its weight by the whole rate all the same.
TOLERANCES = {"float64": (1e-10, 1e-10), "float32": (1e-5, 1e-2)}


@pytest.fixture(autouse=True)
def no_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No program is left to Numba's own compiler, which takes several times as long."""
    lowered = Direct.lowered

    def surely_lowered(self: Direct, func: Any) -> Any:
        result = lowered(self, func)
        assert result is not None, f"{func.__name__} has something that nnjit.codegen.lowering does not know"
        return result

    monkeypatch.setattr(Direct, "lowered", surely_lowered)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_compiled_steps_equal_interpreted_steps(workload: Workload, dtype: str, tmp_path: Path) -> None:
    given = write_check(workload, tmp_path) | {"dtype": dtype}
    trained, history = train_epochs(given)
    before, after, loss = interpreted(workload, given)

    loss_tolerance, tolerance = TOLERANCES[dtype]
    np.testing.assert_allclose(np.mean(history["train_loss"]), loss, rtol=loss_tolerance)
    assert np.linalg.norm(trained.theta - after) <= tolerance * np.linalg.norm(after - before)


def interpreted(workload: Workload, given: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, float]:
    """The params before and after the first steps, and the mean loss in these."""
    setup = set_up(config.resolve(given), Path())
    start, train = setup.initial_state(Path()), setup.data.train
    graph, interface = step_graph(setup.task)
    updated = [start.theta, *start.slots]
    key, rate = np.zeros((), np.uint32), np.asarray(workload.optimizer["learning_rate"], start.theta.dtype)
    costs = weights = 0.0
    for step in range(CHECKED_STEPS):
        rows = slice(step * workload.batch, (step + 1) * workload.batch) if workload.batch else slice(None)
        x, y = train.x[rows], train.y[rows]
        number, w = np.asarray(step + 1, np.uint32), np.ones(len(x), x.dtype)
        outputs = interpret(graph, [*updated, key, number, rate, x, y, w])
        updated = outputs[: len(updated)]
        cost, weight = (float(outputs[k]) for k in interface.totals[:2])
        costs, weights = costs + cost, weights + weight
    return start.theta, updated[0], costs / weights
