"""The benchmark's workloads, compiled, equal the same steps interpreted one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit.config import resolve
from nnjit.ir import interpret
from nnjit.training.graphs import step_graph
from nnjit.training.setup import set_up
from scripts.benchmark.nnjit_config import write_check
from scripts.benchmark.workloads import CHECKED_STEPS, WORKLOADS, Workload

# Sums in another order. In float32 Adam may move a weight whose gradient is all rounding the other way, by
# its whole rate; so weights are compared by the length of the difference against that of the move.
TOLERANCES = {"float64": 1e-10, "float32": 1e-3}
LOSS_TOLERANCES = {"float64": 1e-10, "float32": 1e-5}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_compiled_steps_equal_interpreted_steps(workload: Workload, dtype: str, tmp_path: Path) -> None:
    config = write_check(workload, tmp_path) | {"dtype": dtype}
    run = nnjit.fit(config, output=tmp_path / "run")
    before, after, losses = interpreted(workload, config)

    np.testing.assert_allclose(
        np.mean(run.history["train_loss"]), np.mean(losses), rtol=LOSS_TOLERANCES[dtype]
    )
    weights = load_file(run.path / "last.safetensors")
    moved = np.concatenate([np.ravel(weights[name]) for name in after])
    expected = np.concatenate([np.ravel(w) for w in after.values()])
    start = np.concatenate([np.ravel(w) for w in before.values()])
    assert np.linalg.norm(moved - expected) <= TOLERANCES[dtype] * np.linalg.norm(expected - start)
