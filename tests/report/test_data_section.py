"""What the report says of the data: its columns with their kinds, and how frequent the classes are."""

from __future__ import annotations

from pathlib import Path

from nnjit.report import write_report
from nnjit.report.files import read_run
from nnjit.report.pages.data import balance, balance_words, column_rows
from tests.report.run_folders import write_run
from tests.report.test_report import words

COLUMNS = [
    {"name": "size", "kind": "number", "missing": "median", "fill": 2.5, "has_indicator": True},
    {"name": "colour", "kind": "category", "categories": list("abcdef"), "has_missing": True},
    {"name": "day", "kind": "date", "missing": "median", "fill": None, "has_indicator": False},
    {"name": "code", "kind": "id"},
]
FEATURES = ["size", "size=(missing)", *(f"colour={c}" for c in "abcdef"), "colour=(missing)", "day.year"]


def test_columns_are_listed_with_kind_content_and_missing_values(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", data={"columns": COLUMNS, "features": FEATURES})
    assert column_rows(read_run(folder)) == [
        ("size", "number, 2 inputs", "", "median 2.5 and an input that says so"),
        ("colour", "category, 7 inputs", "6: a, b, c, d, …", "a category of their own"),
        ("day", "date", "", ""),
        ("code", "id, left out", "", ""),
    ]
    write_report(folder)
    assert "column kind content missing values are size number, 2 inputs" in words(folder)


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
    assert (balance(run), balance_words(run), column_rows(run)) == (None, "", [])
