"""The memory of a training is freed with it."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path

import pytest
from numba import config as numba_config

import nnjit
from nnjit import config
from nnjit.training import train


@pytest.mark.skipif(numba_config.DISABLE_JIT, reason="nothing is compiled")
def test_a_training_frees_its_programs_with_its_run(tmp_path: Path) -> None:
    gc.collect()
    before = set(sys.modules)
    given = config.read("configs/xor.yaml", ["training.epochs=2", "model[0].units=5"]).experiment
    run = train(given, config.dump(given), output=tmp_path / "run")
    alive = weakref.ref(run.compiled)
    made = {name for name in set(sys.modules) - before if name.startswith("nnjit_kernels_")}
    assert made
    del run
    nnjit.clear_cache()  # programs are kept for more trainings of this structure
    assert alive() is None
    assert not made & sys.modules.keys()
