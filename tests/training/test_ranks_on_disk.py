"""Ranks whose rows stay on the disk: each reads its own, and the result is that of one process."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nnjit
from nnjit.config import dump, read

from .test_ranks import GRADIENT_DESCENT, assert_alike, needs_mpi, start, train, trained_by

ROWS, COLUMNS = 2500, 256
DISK: dict[str, Any] = {
    "dtype": "float64",
    "data": {
        "type": "npy",
        "x": "x.npy",
        "y": "y.npy",
        "scale": "standard",
        "split": {"validation": 0.2},
        "in_memory": False,
        "buffer_size": 600,
    },
    "model": [
        {"type": "dense", "units": 5, "activation": "tanh"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 2},
    ],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.001},
    "metrics": ["accuracy"],
    "training": {"epochs": 2, "batch_size": 150},
}
CONVOLUTIONAL: list[Any] = [
    {"type": "reshape", "shape": [16, 16]},
    {"type": "conv2d", "filters": 2, "kernel_size": 3},
    "batch_norm",
    {"type": "activation", "function": "relu"},
    "max_pool",
    "flatten",
    {"type": "dense", "units": 2},
]
"""Rows are groups of examples."""
TABLE = {"type": "table", "file": "t.arrow", "target": "t", "split": {"validation": 0.2}}

# name, what differs, ranks
CURVES: tuple[tuple[str, Mapping[str, Any], int], ...] = (
    ("shuffled, dropout", {}, 3),
    ("in the order of the file", {"training": {"epochs": 2, "batch_size": 90, "shuffle": False}}, 2),
    ("groups of rows", {"model": CONVOLUTIONAL, "optimizer": GRADIENT_DESCENT}, 2),
    ("mixup", {"training": {**DISK["training"], "mixup": {"alpha": 0.3}}}, 2),
    (
        "metrics of a whole part",
        {
            "metrics": ["roc_auc"],
            "training": {**DISK["training"], "early_stopping": {"monitor": "validation_roc_auc"}},
        },
        2,
    ),
    (
        "a buffer of little more than a batch",
        {"data": {**DISK["data"], "buffer_size": 5}, "training": {"epochs": 1, "batch_size": 4}},
        3,
    ),
    ("a table", {"data": {**TABLE, "in_memory": False, "buffer_size": 600}}, 2),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, COLUMNS))
    y = (x[:, :9].sum(axis=1) > 0).astype(int)
    np.save("x.npy", x)
    np.save("y.npy", y)
    columns = {f"c{k}": x[:, k] for k in range(9)}
    pl.DataFrame(columns | {"t": np.where(y, "one", "other")}).write_ipc("t.arrow")
    return tmp_path


def config_of(**changes: Any) -> Path:
    path = Path("config.yaml")
    path.write_text(dump(read({**DISK, **changes}).experiment), encoding="utf-8")
    return path


@needs_mpi
@pytest.mark.parametrize(("name", "changes", "ranks"), CURVES, ids=[name for name, *_ in CURVES])
def test_rows_on_the_disk_give_the_curve_of_one_process(
    name: str, changes: Mapping[str, Any], ranks: int, folder: Path
) -> None:
    config = config_of(**changes)
    nnjit.fit(config, output=folder / "alone", quiet=True)
    assert_alike(folder / "alone", trained_by(folder, config, ranks), 1e-11)


# A rank writes down which rows of the data its epochs take, and how many rows of inputs they read for them.
COUNTING = """
import json
from pathlib import Path
from nnjit.data import DiskPart
from nnjit.data.storage.file_rows import FileRows
from nnjit.ranks import world
from nnjit.training.loop.epochs import EpochRunner
taken, read, inside = [], [], []
take, read_file, run = DiskPart.take, FileRows._read, EpochRunner.run
def counted_take(self, rows):
    found = take(self, rows)
    taken.extend(found.rows.tolist() if inside else [])
    return found
def counted_read(self, file, start, stop):
    read.append(stop - start if inside and len(self.shape) > 1 else 0)
    return read_file(self, file, start, stop)
def counted_run(self, *arguments):
    inside.append(True)
    span = run(self, *arguments)
    inside.clear()
    Path(f"rank-{world().rank}.json").write_text(json.dumps([taken, sum(read)]))
    return span
DiskPart.take, FileRows._read, EpochRunner.run = counted_take, counted_read, counted_run
from nnjit.cli.entry import train
train()
"""


@needs_mpi
def test_each_rank_reads_its_own_rows(folder: Path) -> None:
    config = config_of(data={**DISK["data"], "split": {}})
    program = [sys.executable, "-c", COUNTING, "--quiet", "--config", str(config), "--output", "run"]
    assert start(program, folder=folder).returncode == 0
    ranks = [json.loads((folder / f"rank-{k}.json").read_text()) for k in range(2)]
    taken = [rows for rows, _ in ranks]
    np.testing.assert_array_equal(np.sort(np.concatenate(taken)), np.repeat(np.arange(ROWS), 2))
    for rows, read_rows in ranks:
        assert 0.45 < len(rows) / (2 * ROWS) < 0.55
        assert read_rows < 0.6 * 2 * ROWS  # others lie between them where the slices of batches meet


@needs_mpi
def test_a_run_on_disk_rows_goes_on_with_another_number_of_ranks(folder: Path) -> None:
    config = config_of()
    nnjit.fit(config, output=folder / "alone", quiet=True)
    short = train("--config", str(config), "--output", "run", "--set", "training.epochs=1")
    assert start(short, ranks=3, folder=folder).returncode == 0
    done = start(train("--resume", "run", "--config", str(config)), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert_alike(folder / "alone", folder / "run", 1e-11)


@needs_mpi
def test_a_divergence_is_found_in_rows_of_other_ranks(folder: Path) -> None:
    x = np.load("x.npy")
    x[1990] = 1e200
    np.save("x.npy", x)
    config = config_of(
        data={**DISK["data"], "scale": "none", "split": {}, "task": "regression"},
        model=[{"type": "dense", "units": 1}], loss="squared_error", metrics=[],
        training={"epochs": 1, "batch_size": 150, "shuffle": False},
    )  # fmt: skip
    done = start(train("--config", str(config), "--output", "run"), folder=folder)
    assert done.returncode == 3
    assert "epoch 1, batch 14 of 17: the first value that is not finite is" in done.stderr
