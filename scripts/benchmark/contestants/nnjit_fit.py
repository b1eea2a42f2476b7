"""nnjit through its public `fit`, timed inside its native epochs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

import nnjit
from nnjit.training import Run
from scripts.benchmark.contestants.contestant import Contestant
from scripts.benchmark.nnjit_config import write_check, write_config
from scripts.benchmark.workloads import FULL_BATCH_EPOCHS, Workload


class NnjitFit(Contestant):
    """Each timing is a full training run, whose first pass does not count.

    Args:
        threads: the option `training.threads`.
    """

    def __init__(self, workload: Workload, *, threads: int | Literal["auto"] = "auto") -> None:
        super().__init__(workload)
        self._temporary = tempfile.TemporaryDirectory(prefix="nnjit-bench-")  # removed when the process ends
        self._folder = Path(self._temporary.name)
        self._check = write_check(workload, self._folder / "check")
        self._config = write_config(workload, self._folder / "all", rows=workload.rows, threads=threads)
        self._epochs_of_pass = 1 if workload.batch else FULL_BATCH_EPOCHS
        self.time(1)

    def losses(self) -> tuple[float, float]:
        if self.workload.has_state:
            with self._fit(self._check, "training.epochs=2") as run:
                first, second = run.history["train_loss"]
                return float(first), float(second)
        with self._fit(self._check) as run:
            after = run.metrics["splits"]["train"]["loss"]
            return float(np.mean(run.history["train_loss"])), float(after)

    def time(self, passes: int) -> float:
        epochs = (passes + 1) * self._epochs_of_pass
        with self._fit(self._config, f"training.epochs={epochs}") as run:
            seconds = run.history["train_seconds"][self._epochs_of_pass :]
            return float(np.sum(seconds)) / (passes * self.workload.steps)

    def time_epochs(self, epochs: int) -> dict[str, float]:
        """Seconds that a run of so many epochs takes: inside native epochs, and in total."""
        begin = time.perf_counter()
        with self._fit(self._config, f"training.epochs={epochs}") as run:
            wall = time.perf_counter() - begin
            return {"train": float(np.sum(run.history["train_seconds"])), "wall": wall}

    @contextmanager
    def _fit(self, config: Mapping[str, Any], *overrides: str) -> Iterator[Run]:
        output = self._folder / "run"
        yield nnjit.fit(config, overrides, output=output)
        shutil.rmtree(output)


class NnjitOneThread(NnjitFit):
    """nnjit's `fit` on one thread."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload, threads=1)
