"""`nnjit doctor`: print what a bug report needs, and train for two seconds as a check."""

from __future__ import annotations

import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nnjit.cli.exit_status import FAILED, exit_status
from nnjit.cli.streams import say
from nnjit.errors import counted

if TYPE_CHECKING:
    from nnjit.progress.on_epoch import FinishedEpoch
    from nnjit.training import Run

SECONDS = 2.0  # of the training
NEEDED = (
    "numba", "llvmlite", "numpy", "scipy", "pydantic", "ruamel.yaml", "typer", "tqdm", "safetensors",
    "scikit-learn", "polars", "matplotlib", "jinja2", "threadpoolctl", "platformdirs",
)  # fmt: skip
EXTRA = (
    "pillow", "fastexcel", "onnx", "optuna", "cmaes", "distributed", "mpi4py", "tensorboardX",
    "mlflow-skinny", "ipywidgets",
)  # fmt: skip
FEATURES = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "neon", "sve")
VARIABLES = (
    "NNJIT_",
    "NUMBA_",
    "OPENBLAS_",
    "OMP_",
    "MKL_",
    "BLIS_",
    "VECLIB_",
)  # prefixes; others may hold a password, as a tracker's URI does


def doctor() -> None:
    """Print what a bug report needs: versions, processor, cores, cache, BLAS, and two seconds of training.

    Exit status: 0 training works, 1 its loss did not fall, 2 something is wrong here.
    """
    with exit_status():
        for line in _environment():
            say(line)
        say(_row("training", f"two seconds, on made-up data ({_config()['name']})"))
        trained = _trained()
        for line in _result(trained):
            say(line)
        if not _has_learned(trained):
            raise typer.Exit(FAILED)


def _row(name: str, words: str) -> str:
    return f"{name:<10}  {words}"


def _environment() -> Iterator[str]:
    """The installation and the machine, the slow parts last."""
    from nnjit.version import VERSION

    yield _row("nnjit", f"{VERSION}, {Path(__file__).parents[1]}")
    yield _row("python", f"{platform.python_version()}, {sys.executable}")
    yield _row("platform", platform.platform())
    yield _row("packages", ", ".join(map(_version, NEEDED)))
    yield _row("extras", ", ".join(map(_version, EXTRA)))
    yield from _processor()
    yield _row("variables", ", ".join(_variables()) or "none that matter")
    yield _row("cache", _cache())
    yield from (_row("BLAS", words) for words in _blas())


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} -"


def _processor() -> Iterator[str]:
    from nnjit.codegen.library.compiled import features
    from nnjit.cores import usable_cores
    from nnjit.memory import gigabytes, usable_memory
    from nnjit.runs.environment import Environment

    found, memory = features(), usable_memory()
    cpu = Environment.here(cores=usable_cores()).cpu
    yield _row("processor", f"{cpu}: {' '.join(n for n in FEATURES if found.get(n)) or 'no vector units'}")
    yield _row("cores", f"{usable_cores()} usable: {_cores()}")
    yield _row("memory", "unknown" if memory is None else gigabytes(memory))


def _cores() -> str:
    """The origin of the number of usable cores."""
    from nnjit.cores import QUOTA

    affinity = getattr(os, "sched_getaffinity", None)
    of_process = "" if affinity is None else f", {len(affinity(0))} for this process"
    try:
        quota = QUOTA.read_text(encoding="ascii").split()
    except OSError:
        quota = []
    limit = "no quota"
    if len(quota) == 2 and quota[0] != "max":
        limit = f"a quota of {int(quota[0]) / int(quota[1]):g}"
    return f"{os.cpu_count()} in the machine{of_process}, {limit}"


def _variables() -> list[str]:
    return [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(VARIABLES)]


def _cache() -> str:
    """The folder of compiled kernels and its size."""
    from nnjit.codegen.numba.store import cache_folder

    folder = cache_folder()
    sizes = [path.stat().st_size for path in folder.glob("*") if path.is_file()]
    return f"{folder}: {len(sizes):,} files, {sum(sizes) / 1e6:,.1f} MB"


def _blas() -> list[str]:
    """The libraries of NumPy and SciPy, one line each."""
    import numpy.linalg  # noqa: F401  # loads NumPy's
    import scipy.linalg.cython_blas  # noqa: F401  # loads SciPy's, which our products call
    from threadpoolctl import threadpool_info

    found = [info for info in threadpool_info() if info["user_api"] == "blas"]
    return [_library(info) for info in found] or ["none found"]


def _library(info: dict[str, Any]) -> str:
    words = [info["internal_api"], info["version"] or "", info.get("architecture") or ""]
    return f"{' '.join(filter(None, words))}, {counted(info['num_threads'], 'thread')}, {info['filepath']}"


def _config() -> dict[str, Any]:
    layers = [{"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 3}]
    return {
        "name": "doctor",
        "data": {"type": "arrays", "split": {"validation": 0.25}},
        "model": layers,
        "loss": "softmax_cross_entropy",
        "training": {"epochs": 1_000_000, "batch_size": 32, "diagnosis": False},
    }


def _trained() -> Run:
    """A run of two seconds, whose folder is already gone."""
    import numpy as np

    from nnjit import api
    from nnjit.training import Run

    rng = np.random.default_rng(0)
    x = rng.standard_normal((4096, 20))
    y = (x @ rng.standard_normal((20, 3))).argmax(axis=1)
    began: list[float] = []

    def stop_in_time(epoch: FinishedEpoch) -> None:
        began.append(time.perf_counter())
        if began[-1] - began[0] > SECONDS:
            epoch.stop()

    with tempfile.TemporaryDirectory() as folder:
        run = api.fit(_config(), data=(x, y), output=Path(folder) / "run", quiet=True, on_epoch=stop_in_time)
        assert isinstance(run, Run)
        _ = run.history, run.metrics  # before the folder goes
        return run


def _result(run: Run) -> Sequence[str]:
    examples, batch = run.metrics["splits"]["train"]["examples"], run.experiment.training.batch_size
    steps = len(run.history["epoch"]) * math.ceil(examples / int(batch))
    microseconds = 1e6 * float(run.history["train_seconds"].sum()) / steps
    first, last = (float(run.history["train_loss"][k]) for k in (0, -1))
    speed = f"{microseconds:.1f} µs a step on {counted(run.compiled.threads, 'thread')}"
    verdict = "ok" if _has_learned(run) else "FAILED: it should fall to less than half"
    return [
        _row("", f"compiled in {run.metrics['seconds']['compile']:.2f} s; {speed}"),
        _row("", f"loss {first:.4g} → {last:.4g}: {verdict}"),
    ]


def _has_learned(run: Run) -> bool:
    losses = run.history["train_loss"]
    return bool(losses[-1] < losses[0] / 2)
