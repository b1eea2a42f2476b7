"""Tables whose rows stay in their file: the same training as in memory, and what cannot stay there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nnjit
from nnjit.data.tables.typed.stored_frame import StoredFrame
from nnjit.errors import DataError

ROWS = 400


def frame() -> pl.DataFrame:
    """Numbers, one with gaps, a category and a date, and a target that follows from them."""
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


def test_rows_are_read_in_any_order(tmp_path: Path) -> None:
    whole = pl.DataFrame({"k": range(20_000), "text": [f" {k} " for k in range(20_000)]})
    whole.write_ipc(tmp_path / "t.arrow")
    stored = StoredFrame(tmp_path, pl.scan_ipc(tmp_path / "t.arrow"), 20_000, ["text", "k"], ("7",))
    for indices in ([], [3], [19_999, 0, 12_000, 7, 8, 0]):
        found = stored.chosen(np.array(indices, np.int64))
        assert found["k"].to_list() == indices
        assert found["text"].to_list() == [None if k == 7 else str(k) for k in indices]
    assert [series.name for series in stored.select(["k"])] == ["k"]


@pytest.mark.parametrize(("file", "change", "message"), [
    ("t.csv",   {}, "rows stay in Arrow and Parquet files, and .*t.csv is csv; convert it"),
    ("t.arrow", {"target": "gaps"}, "rows that stay in their file are all taken, 24 rows without a target"),
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
