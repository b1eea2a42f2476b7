"""Several MPI processes train together: the result is that of one process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnjit
from nnjit.config import dump, read
from nnjit.ranks import launched
from nnjit.runs import file_names
from nnjit.runs.history import read_history

from .conftest import IRIS
from .test_threads import DIGITS, LAYERED, NORMED

MPIEXEC = shutil.which("mpiexec")
needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or find_spec("mpi4py") is None, reason="needs mpi4py and an MPI with mpiexec"
)
SECONDS = 300  # enough for everything here unless ranks deadlock

GRADIENT_DESCENT = {"type": "gradient_descent", "learning_rate": 0.1}
"""Adam would divide the rounding of a gradient that is 0, as that of a bias before batch_norm, by itself."""
CONVOLUTIONAL: dict[str, Any] = {
    **DIGITS,
    "model": [
        {"type": "reshape", "shape": [8, 8]},
        {"type": "conv2d", "filters": 4, "kernel_size": 3, "padding": "same"},
        "batch_norm",
        {"type": "activation", "function": "relu"},
        "max_pool",
        {"type": "dropout", "rate": 0.2},
        "flatten",
        {"type": "dense", "units": 10},
    ],
    "optimizer": GRADIENT_DESCENT,
    "training": {"epochs": 2, "batch_size": 100},
}
"""Rows are groups of examples, and cross phases."""
WEIGHED: dict[str, Any] = {
    **LAYERED,
    "clip": {"norm": 0.1},
    "penalty": {"l2": 1e-3},
    "averaging": {"type": "ema", "decay": 0.9},
    "training": {"epochs": 2, "batch_size": 20, "accumulate": 3, "class_weights": "balanced"},
}

# name, config, options, ranks
CURVES: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any], int], ...] = (
    ("dense, dropout, a slice of the params a thread", DIGITS, {"threads": 2}, 2),
    ("dense, adam, a schedule, a penalty", IRIS, {}, 3),
    ("fewer rows in the last batch than ranks", IRIS, {"batch_size": 89}, 2),
    ("rows in their order", IRIS, {"shuffle": False, "early_stopping": {"patience": 3}}, 2),
    ("batch norm", {**NORMED, "optimizer": GRADIENT_DESCENT}, {}, 2),
    ("batch norm, threads", {**NORMED, "optimizer": GRADIENT_DESCENT}, {"threads": 2}, 2),
    ("convolutions", CONVOLUTIONAL, {"threads": 1}, 2),
    ("convolutions, threads, groups that do not divide", CONVOLUTIONAL, {"threads": 2, "batch_size": 90}, 3),
    ("loops over steps, embeddings", LAYERED, {}, 2),
    ("weights, accumulation, clipping, averaging", WEIGHED, {}, 2),
    ("mixup", {**DIGITS, "training": {**DIGITS["training"], "mixup": {"alpha": 0.3}}}, {}, 2),
)


def written(folder: Path, given: Mapping[str, Any], options: Mapping[str, Any]) -> Path:
    """A config in a file."""
    config = {**given, "training": {**given["training"], **options}}
    path = folder / "config.yaml"
    path.write_text(dump(read(config).experiment), encoding="utf-8")
    return path


def start(*programs: Sequence[str], ranks: int = 2, folder: Path) -> subprocess.CompletedProcess[str]:
    """Start one program for all ranks, or one for each, and wait for them."""
    assert MPIEXEC is not None
    count = ranks if len(programs) == 1 else 1
    command = [MPIEXEC]
    for k, program in enumerate(programs):
        command += [*([":"] if k else []), "-n", str(count), *program]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=SECONDS, check=False
    )


def train(*arguments: str, where: str | None = None) -> list[str]:
    """The program of a rank that trains, in a given folder if any."""
    place = [] if where is None else ["-wdir", where]
    return [*place, sys.executable, "-m", "nnjit.train", "--quiet", *arguments]


def trained_by(folder: Path, config: Path, ranks: int, output: str = "together") -> Path:
    """The folder of a run trained by several ranks."""
    done = start(train("--config", str(config), "--output", output), ranks=ranks, folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [output]  # the first rank alone speaks
    return folder / output


def assert_alike(a: Path, b: Path, tolerance: float) -> None:
    """Assert that curves and weights are equal up to the rounding of sums in another order."""
    one, other = read_history(a), read_history(b)
    assert one.keys() == other.keys()
    for name in one.keys() - {"train_seconds"}:
        np.testing.assert_allclose(other[name], one[name], rtol=tolerance, atol=tolerance, err_msg=name)
    weights = [load_file(run / file_names.LAST) for run in (a, b)]
    for name, array in weights[0].items():
        np.testing.assert_allclose(weights[1][name], array, rtol=tolerance, atol=tolerance, err_msg=name)


@needs_mpi
@pytest.mark.parametrize(("name", "given", "options", "ranks"), CURVES, ids=[c[0] for c in CURVES])
def test_ranks_give_the_curve_of_one_process(
    name: str, given: Mapping[str, Any], options: Mapping[str, Any], ranks: int, tmp_path: Path
) -> None:
    config = written(tmp_path, given, options)
    nnjit.fit(config, output=tmp_path / "alone", quiet=True)
    # A dozen last bits at first; the updates of some epochs make more of them.
    assert_alike(tmp_path / "alone", trained_by(tmp_path, config, ranks), 1e-11)


@needs_mpi
def test_single_precision_gives_the_curve_of_one_process_too(tmp_path: Path) -> None:
    config = written(tmp_path, {**CONVOLUTIONAL, "dtype": "float32"}, {})
    nnjit.fit(config, output=tmp_path / "alone", quiet=True)
    assert_alike(tmp_path / "alone", trained_by(tmp_path, config, 2), 2e-5)


@needs_mpi
def test_ranks_give_the_same_bits_twice(tmp_path: Path) -> None:
    config = written(tmp_path, DIGITS, {})
    runs = [trained_by(tmp_path, config, 3, output) for output in ("a", "b")]
    assert len({(run / file_names.LAST).read_bytes() for run in runs}) == 1


@needs_mpi
def test_a_run_goes_on_with_another_number_of_ranks(tmp_path: Path) -> None:
    config = written(tmp_path, IRIS, {})
    nnjit.fit(config, output=tmp_path / "alone", quiet=True)
    short = train("--config", str(config), "--output", "run", "--set", "training.epochs=2")
    schedule = ("--set", "schedule=constant")
    nnjit.fit(config, ["schedule=constant"], output=tmp_path / "constant", quiet=True)
    assert start([*short, *schedule], ranks=3, folder=tmp_path).returncode == 0
    for epochs, ranks in ((4, 2), (6, 1)):
        more = train("--resume", "run", "--config", str(config), "--set", f"training.epochs={epochs}")
        done = start([*more, *schedule], ranks=ranks, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    assert_alike(tmp_path / "constant", tmp_path / "run", 1e-11)


@needs_mpi
def test_the_learning_rate_is_found_by_all_ranks(tmp_path: Path) -> None:
    config = written(tmp_path, {**DIGITS, "optimizer": {"type": "adam", "learning_rate": "find"}}, {})
    nnjit.fit(config, output=tmp_path / "alone", quiet=True)
    assert_alike(tmp_path / "alone", trained_by(tmp_path, config, 2), 1e-9)  # about a hundred more updates


DIES = """
import os, signal
from nnjit.training.loop import epochs, recorders, trainer
recorders.SECONDS = trainer.CHECKPOINT_SECONDS = 0.0
run = epochs.EpochRunner.run
def run_or_die(self, state, learning_rate):
    if state.epoch == 4 and os.environ.get("DIES"):
        os.kill(os.getpid(), signal.SIGKILL)
    return run(self, state, learning_rate)
epochs.EpochRunner.run = run_or_die
from nnjit.cli.entry import train
train()
"""


@needs_mpi
def test_a_rank_that_dies_ends_all_and_the_last_checkpoint_stands(tmp_path: Path) -> None:
    config = written(tmp_path, IRIS, {"checkpoints": {"every": 1}})
    nnjit.fit(config, output=tmp_path / "alone", quiet=True)
    options = ("--quiet", "--config", str(config), "--output", "run")
    program = [sys.executable, "-c", DIES, *options]
    done = start(program, ["env", "DIES=1", *program], folder=tmp_path)
    assert done.returncode != 0
    assert done.stdout + done.stderr
    assert not (tmp_path / "run" / file_names.METRICS).exists()
    assert start(train("--resume", "run"), folder=tmp_path).returncode == 0
    assert_alike(tmp_path / "alone", tmp_path / "run", 1e-11)


# options, the message
REFUSED = (
    (("training.batch_size=1",), "training.batch_size: expected at least one example for each of 2 ranks"),
    (("optimizer={type: lbfgs}", "training.batch_size=full"), "this method has no batches for 2 ranks"),
    (("training.replicas=3",), "training.replicas: expected one training, whose batches 2 ranks share"),
    (("trainig.epochs=3",), 'did you mean "training"?'),
)


@needs_mpi
@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=[settings[0] for settings, _ in REFUSED])
def test_what_ranks_cannot_share_is_said_once(settings: Sequence[str], message: str, tmp_path: Path) -> None:
    config = written(tmp_path, {**IRIS, "schedule": "constant"}, {})
    given = [part for setting in settings for part in ("--set", setting)]
    done = start(train("--config", str(config), "--output", "run", *given), folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(message) == 1
    assert not (tmp_path / "run").exists()


@needs_mpi
def test_ranks_with_other_data_are_refused(tmp_path: Path) -> None:
    source = {"type": "csv", "file": "data.csv", "target": "y"}
    config = written(tmp_path, {**IRIS, "data": source, "loss": "squared_error", "metrics": []}, {})
    config.write_text(config.read_text().replace("units: 3", "units: 1"))
    for name, last in (("a", 9.0), ("b", 9.5)):
        (tmp_path / name).mkdir()
        rows = "".join(f"{k},{last if k == 39 else k % 5}\n" for k in range(40))
        (tmp_path / name / "data.csv").write_text(f"x,y\n{rows}")
    arguments = ("--config", str(config), "--output", str(tmp_path / "run"))
    programs = [train(*arguments, where=str(tmp_path / name)) for name in "ab"]
    done = start(*programs, folder=tmp_path)
    assert done.returncode == 2
    assert "would not train the same: the targets of data differ from those on rank 0" in done.stderr
    shutil.rmtree(tmp_path / "b")
    (tmp_path / "b").mkdir()
    done = start(*programs, folder=tmp_path)
    assert done.returncode == 2
    assert "rank 1 (" in done.stderr
    assert "data.csv" in done.stderr
    assert not (tmp_path / "run").exists()


def test_processes_that_need_mpi4py_say_so(tmp_path: Path) -> None:
    code = "import sys; sys.modules['mpi4py'] = None; from nnjit.cli.entry import train; train()"
    environment = {**os.environ, "PMI_SIZE": "2"}
    command = [sys.executable, "-c", code, "--config", str(written(tmp_path, IRIS, {}))]
    done = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 2
    assert "pip install 'nnjit[mpi]'" in done.stderr


def test_a_process_alone_is_not_launched() -> None:
    assert launched({"SLURM_NTASKS": "8"}) == 1  # without MPI, they train separately
