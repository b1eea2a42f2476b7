"""The data section of the report: columns with their kinds, and class frequencies."""

from __future__ import annotations

from pathlib import Path

import nnjit
from nnjit.report import write_report
from nnjit.report.files import read_run
from nnjit.report.formatting import percent
from nnjit.report.pages.data import balance, balance_words, columns
from tests.report.run_folders import write_run
from tests.report.test_report import words

COLUMNS = [
    {
        "name": "size",
        "kind": "number",
        "missing": "median",
        "fill": 2.5,
        "has_indicator": True,
        "missing_rows": 9,
    },
    {
        "name": "colour",
        "kind": "category",
        "categories": list("abcdef"),
        "has_missing": True,
        "missing_rows": 1,
    },
    {"name": "day", "kind": "date", "missing": "median", "fill": None, "has_indicator": False},
    {"name": "code", "kind": "id"},
]
FEATURES = ["size", "size=(missing)", *(f"colour={c}" for c in "abcdef"), "colour=(missing)", "day.year"]


def test_columns_are_listed_with_kind_content_and_missing_values(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", data={"columns": COLUMNS, "features": FEATURES})
    run = read_run(folder)
    rows = run.data.examples["train"]
    found = columns(run)
    assert found is not None
    assert found[1] == [
        ("size", "number, 2 inputs", "", f"9 ({percent(9 / rows)})", "median 2.5 and an indicator input"),
        (
            "colour",
            "category, 7 inputs",
            "6: a, b, c, d, …",
            f"1 ({percent(1 / rows)})",
            "a separate category",
        ),
        ("day", "date", "", "", ""),
        ("code", "id, left out", "", "", ""),
    ]
    write_report(folder)
    assert "kind content missing in training missing values become size number, 2 inputs" in words(folder)


def test_what_no_column_has_is_no_column_of_the_table(tmp_path: Path) -> None:
    plain = [{"name": name, "kind": "number", "missing": "median"} for name in "ab"]
    found = columns(read_run(write_run(tmp_path / "run", data={"columns": plain, "features": ["a", "b"]})))
    assert found == (("column", "kind"), [("a", "number"), ("b", "number")])


def test_missing_values_are_those_of_the_training_rows(tmp_path: Path) -> None:
    size = [str(k) if k % 4 else "" for k in range(60)]
    kind = ["ab"[k % 2] if k % 10 else "" for k in range(60)]
    lines = [f"{s},{k},{row % 3}" for row, (s, k) in enumerate(zip(size, kind, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(["size,kind,y", *lines]) + "\n")
    content = {
        "data": {
            "type": "table",
            "file": str(tmp_path / "t.csv"),
            "target": "y",
            "split": {"test": 0.5, "shuffle": False},
        },
        "model": ["dense"],
        "loss": "softmax_cross_entropy",
        "training": {"epochs": 1},
    }
    run = read_run(nnjit.fit(content, output=tmp_path / "run").path)
    found = columns(run)
    assert found is not None
    assert run.data.examples["train"] == 30
    assert [row[3] for row in found[1]] == ["8 (26.7 %)", "3 (10.0 %)"]


def test_the_balance_of_the_classes_is_that_of_each_part(tmp_path: Path) -> None:
    counts = {"train": [90, 10], "validation": [0, 0], "test": [15, 5]}
    folder = write_run(tmp_path / "run", data={"classes": ["no", "yes"], "class_counts": counts})
    run = read_run(folder)
    assert balance(run) == (
        ("class", "training", "test"),
        [("no", "90 (90.0 %)", "15 (75.0 %)"), ("yes", "10 (10.0 %)", "5 (25.0 %)")],
    )
    assert balance_words(run).startswith("“no” is 9 times as frequent as “yes”. `training.class_weights")


def test_values_have_no_balance(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "run", data={"task": "regression", "classes": None}))
    assert (balance(run), balance_words(run), columns(run)) == (None, "", None)
