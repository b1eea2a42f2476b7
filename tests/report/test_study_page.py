"""The page of made-up studies: the band, the values of all runs, and how they ended."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nnjit.errors import RunError
from nnjit.report import write_report
from nnjit.report.comparison.page import draw
from nnjit.report.comparison.summary import read_comparison
from nnjit.report.comparison.table import results
from nnjit.report.formatting import is_better_higher, mean_value, turned
from nnjit.report.study import pictures, summary
from nnjit.report.study.study import read_study
from nnjit.runs import file_names
from tests.report.run_folders import ENVIRONMENT, digits_metrics, learning_curves, write_run

ACCURACIES = (0.9, 1.0, 0.95, 1.0)


def write_study(
    folder: Path,
    *,
    kind: str = "replicas",
    lengths: tuple[int, ...] = (40, 30, 20, 40),
    statuses: tuple[str, ...] = ("completed", "early_stopped", "early_stopped", "completed"),
    count: int = 4,
    metric: str = "accuracy",
) -> Path:
    """Write a study as a training would, of runs that differ in length and result."""
    rows = []
    for k, (length, status) in enumerate(zip(lengths, statuses, strict=True)):
        splits = {s: {**f} for s, f in digits_metrics(length)["splits"].items()}
        for figures in splits.values():
            del figures["accuracy"]
            figures[metric] = ACCURACIES[k]
        curves = learning_curves(length, metric)
        curves |= {c: v * (1 + 0.2 * k) for c, v in curves.items() if c.endswith("loss")}
        own = {
            "status": status,
            "splits": splits,
            "message": "the training diverged in epoch 3" * (status == "diverged"),
        }
        write_run(folder / kind / str(k + 1), curves=curves, epochs=length, metrics=own)
        rows.append({"number": k + 1, "seed": 7 + k, "status": status})
    values = np.array(
        [a for a, s in zip(ACCURACIES, statuses, strict=False) if s in ("completed", "early_stopped")]
    )
    spread = None
    if len(values):
        deviation = float(values.std(ddof=1)) if len(values) > 1 else None
        spread = {"mean": float(values.mean()), "deviation": deviation}
    parts = ("train", "validation", "test") if spread else ()
    loss = {"mean": 0.09, "deviation": None}
    content = {
        "status": "completed", "kind": kind, "count": count, "runs": rows,
        "splits": {s: {"loss": loss, metric: spread} for s in parts},
        "seconds": {"train": 1.7, "compile": 0.1, "wall": 3.0},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file_names.METRICS).write_text(json.dumps(content))
    (folder / file_names.ENVIRONMENT).write_text(json.dumps(ENVIRONMENT))
    (folder / file_names.CONFIG).write_text("name: many & <few>\n")
    return folder


# fmt: off
KINDS: dict[str, dict[str, Any]] = {
    "replicas":    {},
    "folds":       {"kind": "folds"},
    "values":      {"metric": "r2"},
    "diverged":    {"statuses": ("completed", "diverged", "completed", "completed")},
    "all lost":    {"statuses": ("diverged",) * 4},
    "interrupted": {"lengths": (40, 3), "statuses": ("completed", "interrupted"), "count": 9},
    "not begun":   {"lengths": (), "statuses": ()},
}
PHRASES = [
    ("replicas",    "Accuracy 96.2 ± 4.8 % on the test examples, over 4 replicas; 2 of them "
                    "classify every test example correctly."),
    ("replicas",    "was trained with 4 seeds, 7 to 10"),
    ("folds",       "was cut into 4 parts; each run held out a different part"),
    ("values",      " ± 0.048 on the test examples, over 4 replicas."),
    ("diverged",    "1 replica diverged (2) and counts in no mean. The first: the training diverged in "
                    "epoch 3"),
    ("diverged",    "2 8 diverged 24 30 – –"),
    ("all lost",    "No result: none of 4 replicas finished."),
    ("interrupted", "Interrupted: 8 replicas did not finish and count in no mean."),
    ("not begun",   "No run was started."),
]
# fmt: on


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    for name, options in KINDS.items():
        write_report(write_study(folder / name, **options))
    return folder


def words(folder: Path) -> str:
    root = ElementTree.fromstring((folder / file_names.REPORT).read_text().replace("<!DOCTYPE html>", "", 1))
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith("}style"):
                parent.remove(child)
    return " ".join(" ".join(root.itertext()).split())


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_well_formed_without_leftovers(kind: str, studies: Path) -> None:
    assert not re.findall(r"\b(nan|None|inf|null|undefined)\b", words(studies / kind))
    assert (studies / kind / file_names.LOSS_CURVE).exists() == (kind != "not begun")


@pytest.mark.parametrize(("kind", "phrase"), PHRASES)
def test_page_says(kind: str, phrase: str, studies: Path) -> None:
    assert phrase in words(studies / kind)


def test_the_band_is_the_quartiles_of_the_runs_that_go_on(studies: Path) -> None:
    study = read_study(studies / "replicas")
    table = pictures.losses(study, "train_loss", 40)
    assert [int(np.isfinite(row).sum()) for row in table] == [40, 30, 20, 40]
    low, middle, high = pictures.quartiles(table)
    assert len(middle) == 40  # half of the runs reach the end
    np.testing.assert_allclose(middle[:20], np.median(table[:, :20], axis=0))
    np.testing.assert_allclose([low[35], high[35]], np.quantile(table[[0, 3], 35], [0.25, 0.75]))


def test_folds_are_judged_by_what_they_held_out_and_keep_their_order(studies: Path) -> None:
    study = read_study(studies / "folds")
    final = pictures.draw_final(study)
    assert final is not None
    assert final.title.startswith("Validation accuracy")
    (ax,) = final.figure.axes
    assert ax.lines[-1].get_ydata().tolist() == list(ACCURACIES)
    assert [text.get_text() for text in ax.texts[:-1]] == ["1", "2", "3", "4"]


def test_the_band_ends_where_most_runs_have_ended() -> None:
    table = np.ones((4, 10))
    table[1:, 6:] = np.nan
    assert pictures.quartiles(table).shape == (3, 6)


def test_every_run_is_a_thin_line_and_every_result_a_dot(studies: Path) -> None:
    study = read_study(studies / "replicas")
    (ax,) = pictures.draw_band(study).figure.axes
    assert sum(line.get_linewidth() == 0.8 for line in ax.lines) == 8
    assert sum(line.get_linewidth() == 2.2 for line in ax.lines) == 2
    final = pictures.draw_final(study)
    assert final is not None
    (ax,) = final.figure.axes
    assert ax.lines[-1].get_ydata().tolist() == sorted(ACCURACIES)
    assert [text.get_text() for text in ax.texts[:-1]] == ["1", "3", "2", "4"]


@pytest.mark.parametrize(
    ("figure", "is_score"),
    [
        ("accuracy", True),
        ("r2", True),
        ("width_r2", True),
        ("loss", False),
        ("rmse", False),
        ("mape", False),
        ("width_mae", False),
        ("kind_log_loss", False),
    ],
)
def test_the_best_is_the_highest_score_or_the_lowest_error(figure: str, is_score: bool) -> None:
    assert is_better_higher(figure) == is_score


def test_a_deviation_keeps_the_digits_that_it_needs() -> None:
    assert mean_value("accuracy", 0.999, 0.0) == "99.9 ± 0.0 %"
    assert mean_value("loss", float("nan"), float("nan")) == "not finite"


def test_a_replica_that_is_gone_is_named(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study")
    (folder / "replicas/3/history.csv").unlink()
    with pytest.raises(RunError, match=r"3 is not a complete run folder: history.csv is missing"):
        write_report(folder)


def test_a_study_that_was_killed_has_the_runs_that_were_begun(tmp_path: Path) -> None:
    """Its metrics.json is from its start; one of its runs had ended, and one was under way."""
    folder = write_study(tmp_path / "study", lengths=(40, 30), statuses=("completed", "early_stopped"))
    content = json.loads((folder / file_names.METRICS).read_text(encoding="utf-8"))
    started = json.dumps(content | {"runs": [], "splits": {}})
    (folder / file_names.METRICS).write_text(started, encoding="utf-8")
    (folder / "replicas/2" / file_names.METRICS).unlink()
    study = read_study(folder)
    assert [(m.number, m.run.is_killed, m.is_finished) for m in study.members] == [
        (1, False, True),
        (2, True, False),
    ]
    write_report(folder)
    text = (folder / file_names.REPORT).read_text(encoding="utf-8")
    assert "Accuracy 90.0 %" in text
    assert "over 1 replica." in text
    assert "Killed, or still running: 3 replicas did not finish" in text


def test_the_table_of_runs_has_a_row_for_each(studies: Path) -> None:
    columns, rows = summary.run_table(read_study(studies / "replicas"))
    assert columns == ("replica", "seed", "ended", "best epoch", "epochs", "test loss", "accuracy")
    assert rows[1] == ("2", "8", "early stopped", "24", "30", "0.09123", "100 %")


def test_few_runs_with_many_figures_have_a_column_each(tmp_path: Path) -> None:
    wide = summary.WIDEST_OF_RUNS
    rows = [tuple("a" * wide), tuple("b" * wide)]
    assert turned(rows[0], rows[1:], widest=wide) == (rows[0], rows[1:])
    columns, turned_rows = turned((*rows[0], "a"), [(*rows[1], "b")], widest=wide)
    assert (columns, len(turned_rows), turned_rows[0]) == (("a", "b"), wide, ("a", "b"))


def test_a_study_is_compared_by_its_medians_and_means(tmp_path: Path) -> None:
    study, run = write_study(tmp_path / "study"), write_run(tmp_path / "run")
    compared = read_comparison({study: {}, run: {}})
    columns, rows = results(compared)
    of_run, of_study = (dict(zip(columns, row, strict=True)) for row in rows)  # the best first
    table = {name: (of_study[name], of_run[name]) for name in columns}
    assert table["test accuracy"] == ("96.2 ± 4.8 %", "97.4 %")
    assert table["test loss"] == ("0.09", "0.09123")
    assert table["ended"] == ("4 of 4 finished", "completed")
    assert (table["epochs"][0], table["best epoch"][0]) == ("35", "28")
    ours = compared.entries[0].run.history["train_loss"]
    each = [member.run.history["train_loss"][0] for member in read_study(study).members]
    assert (len(ours), ours[0]) == (40, np.median(each))
    assert "The line of replicas or folds is their median." in draw(compared).caption


def test_a_study_without_runs_is_not_compared(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", lengths=(), statuses=(), count=4)
    with pytest.raises(RunError, match="no run of this study was started; resume it, or omit it"):
        read_comparison({study: {}, write_run(tmp_path / "run"): {}})
