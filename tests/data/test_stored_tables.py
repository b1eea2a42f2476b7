"""Tables whose rows stay in their file: training equals training in memory, and errors."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nnjit
from nnjit.data import DiskPart, prepare, sources
from nnjit.data.storage.spool import Spool
from nnjit.data.tables.typed.stored_frame import StoredFrame
from nnjit.errors import DataError

ROWS = 400


def frame() -> pl.DataFrame:
    """Numbers, one with gaps, a category and a date, and a target computed from them."""
    rng = np.random.default_rng(0)
    a, kind = rng.normal(size=ROWS), rng.choice(["x", "y", "z"], ROWS)
    gaps = [None if k % 17 == 0 else float(k % 5) for k in range(ROWS)]
    made = pl.DataFrame({"a": a, "kind": kind, "gaps": gaps})
    day = pl.date(2020, 1, 1) + pl.duration(days=pl.int_range(ROWS))
    return made.with_columns(day.alias("day"), (pl.col("a") * 2 + (pl.col("kind") == "x")).alias("t"))


def config_of(file: Path, **data: Any) -> dict[str, Any]:
    split = {"validation": 0.2, "test": 0.1}
    return {
        "data": {"type": "table", "file": str(file), "target": "t", "scale": "standard", "split": split}
        | data,
        "model": ["features", {"type": "dense", "units": 4, "activation": "tanh"}, "dense"],
        "loss": "squared_error",
        "training": {"epochs": 2, "shuffle": False},
    }


def test_rows_that_stay_in_their_file_give_the_weights_of_rows_in_memory(tmp_path: Path) -> None:
    frame().write_ipc(tmp_path / "t.arrow")
    frame().write_parquet(tmp_path / "t.parquet", row_group_size=70)
    runs = {
        name: nnjit.fit(config_of(tmp_path / file, **options), output=tmp_path / name)
        for name, file, options in [
            ("memory", "t.arrow", {}),
            ("arrow", "t.arrow", {"in_memory": False, "buffer_size": 64}),
            ("parquet", "t.parquet", {"in_memory": False, "buffer_size": 64}),
        ]
    }
    for name in ("arrow", "parquet"):
        np.testing.assert_array_equal(runs[name].theta, runs["memory"].theta)
    one, other = (runs[name].predict(frame().drop("t")) for name in ("memory", "arrow"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("change", [
    {"target": "gaps", "ignore": ("t",)},             # rows without a target
    {"missing": "drop"},                              # or without an input
    {"columns": {"kind": {"type": "category", "indexed": True}}},
    {"split": {}, "scale": "none"},                   # nothing is selected or scaled
])  # fmt: skip
def test_rows_that_stay_in_their_file_are_prepared_as_in_memory(
    change: dict[str, Any], tmp_path: Path
) -> None:
    frame().write_ipc(tmp_path / "t.arrow")
    options = config_of(tmp_path / "t.arrow", **change)["data"]
    options.pop("type")
    found, wanted = (
        prepare(sources["table"](**options, **more), seed=0, dtype="float32", folder=tmp_path)
        for more in ({"in_memory": False, "buffer_size": 64}, {})
    )
    for name in ("train", "validation", "test"):
        part, other = getattr(found, name), getattr(wanted, name)
        if other is not None:
            assert isinstance(part, DiskPart)
            np.testing.assert_array_equal(part.x[:], other.x)
            np.testing.assert_array_equal(part.y, other.y)
            np.testing.assert_array_equal(part.source_rows, other.source_rows)
    assert found.description == wanted.description


def test_temporary_files_go_where_the_environment_says_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6, dtype=np.int32)
    spool = Spool()
    rows, others = spool.add(x), spool.add(y)
    np.testing.assert_array_equal(rows[np.array([4, 0])], x[[4, 0]])
    np.testing.assert_array_equal(others[2:5], y[2:5])
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(DataError, match=f"in {tmp_path}, which has .* left; .* TMPDIR") as caught:
        spool.add(x)
    assert caught.value.path == ("in_memory",)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is /dev/full")
def test_a_disk_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("r+b", buffering=0)  # noqa: SIM115  # the spool closes it
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
    with pytest.raises(DataError, match=r"No space left on device; make room there, or set .* TMPDIR"):
        Spool().add(np.zeros(10))


def test_rows_are_chosen_in_any_order_and_again(tmp_path: Path) -> None:
    whole = pl.DataFrame({"k": range(20_000), "text": [f" {k} " for k in range(20_000)]})
    whole.write_ipc(tmp_path / "t.arrow")
    stored = StoredFrame(tmp_path, pl.scan_ipc(tmp_path / "t.arrow"), 20_000, ["text", "k"], ("7",))
    for indices in ([], [3], [19_999, 0, 12_000, 7, 8, 0]):
        found = stored.chosen(np.array(indices, np.int64))
        assert found.height == len(indices)
        assert found["k"].to_list() == indices
        assert found["text"].to_list() == [None if k == 7 else str(k) for k in indices]
    assert stored.chosen(np.arange(5, 50, 5)).chosen(np.array([2, 0]))["k"].to_list() == [15, 5]
    assert [series.name for series in stored.select(["k"])] == ["k"]


@pytest.mark.parametrize(("file", "change", "message"), [
    ("t.csv",   {}, "only Arrow and Parquet rows can stay on disk, and .*t.csv is csv; convert it"),
    ("t.arrow", {"buffer_size": 8}, "expected at least the 32 rows of an update, got 8"),
])  # fmt: skip
def test_what_cannot_stay_there_is_told(
    file: str, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    frame().write_csv(tmp_path / "t.csv")
    frame().write_ipc(tmp_path / "t.arrow")
    options = {"in_memory": False, "buffer_size": 64} | change
    with pytest.raises(Exception, match=message):
        nnjit.fit(config_of(tmp_path / file, **options), output=tmp_path / "run")


def test_a_table_given_in_python_is_in_memory(tmp_path: Path) -> None:
    given = config_of(tmp_path / "t.arrow", in_memory=False)
    del given["data"]["file"]
    with pytest.raises(DataError, match="is in memory already"):
        nnjit.fit(given, data=frame(), output=tmp_path / "run")


CHILD = """
import re, sys, threading
from pathlib import Path
from nnjit import api, config

def anonymous():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"RssAnon:\\s+(\\d+)", status)[1]) * 1024

def fit(name):
    data = {"type": "table", "file": f"{name}.arrow", "target": "t", "scale": "standard"}
    data |= {"split": {"test": 0.3}, "in_memory": False, "buffer_size": 64}
    model = [{"type": "dense", "units": 1}]
    given = {"data": data, "model": model, "loss": "squared_error", "training": {"epochs": 2}}
    api.run(config.read(given), output=Path(name), write_report=lambda _: None)

fit("small")
before, peak, is_over = anonymous(), [0], threading.Event()

def watch():
    while not is_over.wait(0.001):
        peak[0] = max(peak[0], anonymous())

watcher = threading.Thread(target=watch)
watcher.start()
fit("large")
is_over.set()
watcher.join()
print(peak[0] - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read in /proc")
def test_the_memory_of_a_training_does_not_grow_with_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    size = 2**27  # size of the large file
    rng = np.random.default_rng(0)
    for name, rows in (("small", 2**8), ("large", size // 4 // 128)):
        columns = {f"c{k}": rng.normal(size=rows).astype(np.float32) for k in range(127)}
        pl.DataFrame(columns | {"t": columns["c0"]}).write_ipc(f"{name}.arrow")
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True).stdout
    assert int(found.split()[-1]) < size / 2
