"""Comparisons of made-up runs: the page, its tables, and what cannot be compared."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from nnjit.cli import main
from nnjit.errors import RunError
from nnjit.report import write_comparison
from nnjit.report.comparison.differences import differing
from nnjit.report.comparison.page import draw, draw_evaluations
from nnjit.report.comparison.summary import caveat, differences, read_comparison
from nnjit.report.comparison.table import headline, results
from nnjit.report.pictures.style import CLASS_COLORS
from tests.report.run_folders import chain, digits_metrics, learning_curves, write_run

DIGITS: dict[str, Any] = {
    "name": "digits",
    "seed": 0,
    "model": ({"type": "dense", "units": 64}, {"type": "dense", "units": 10}),
    "optimizer": {"type": "adam", "learning_rate": 1e-3},
    "training": {"epochs": 40, "early_stopping": None},
}


def runs(folder: Path) -> dict[Path, dict[str, Any]]:
    """Write two runs on digits; the second is wider, longer and worse."""
    splits = digits_metrics(40)["splits"] | {"test": {"examples": 270, "loss": 0.5, "accuracy": 0.9}}
    splits["validation"] = {"examples": 270, "loss": 0.4}
    write_run(folder / "small")
    write_run(folder / "wide", layers=chain(64, 128, 10), epochs=60, metrics={"splits": splits})
    wide = DIGITS | {"model": ({"type": "dense", "units": 128}, "relu"), "training": {"epochs": 60}}
    return {folder / "small": DIGITS, folder / "wide": wide}


def words(page: Path) -> str:
    text = page.read_text(encoding="utf-8").replace("<wbr/>", "")
    root = ElementTree.fromstring(text.replace("<!DOCTYPE html>", "", 1))
    return " ".join(" ".join(root.itertext()).split())


def test_page_is_one_well_formed_file_with_the_figures_of_all_runs(tmp_path: Path) -> None:
    write_comparison(runs(tmp_path), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|<img|@import|url\(\s*['\"]?(?!#)", text)
    assert "small has the lowest validation loss, 0.08713." in words(tmp_path / "page.html")
    assert "model[0].units 64 128" in words(tmp_path / "page.html")


def test_results_have_a_row_for_each_run_the_best_first(tmp_path: Path) -> None:
    columns, rows = results(read_comparison(dict(reversed(runs(tmp_path).items()))))
    assert columns == (
        *("run", "validation loss", "test loss", "test accuracy", "validation accuracy"),
        *("best epoch", "epochs", "training time", "parameters"),
    )
    assert rows == [
        ("small", "0.08713", "0.09123", "97.4 %", "97.8 %", "32", "40", "430 ms", "4,810"),
        ("wide", "0.4", "0.5", "90.0 %", "–", "48", "60", "430 ms", "9,610"),
    ]


def test_the_file_has_all_values_of_all_runs(tmp_path: Path) -> None:
    write_comparison(dict(reversed(runs(tmp_path).items())), tmp_path / "page.html")
    with (tmp_path / "page.csv").open(encoding="utf-8", newline="") as file:
        small, wide = csv.DictReader(file)
    assert (small["run"], small["folder"], wide["run"]) == ("small", str(tmp_path / "small"), "wide")
    assert float(small["validation_accuracy"]) == 0.977777
    assert (float(wide["test_loss"]), wide["validation_accuracy"]) == (0.5, "")
    assert float(small["train_loss"]) == 0.0041237
    assert (wide["epochs"], wide["parameters"]) == ("60", "9610")


# fmt: off
SORTED = [  # the metrics of the test part of both runs, and the labels in their order
    ([{"accuracy": 0.5, "loss": 0.1}, {"accuracy": 0.9, "loss": 0.9}],            ("b", "a")),
    ([{"loss": 0.1, "mae": 3.0}, {"loss": 0.9, "mae": 2.0}],                      ("b", "a")),
    ([{"loss": 0.1}, {"loss": None}],                                            ("a", "b")),
    ([{"loss": 0.2, "f1": 0.1}, {"loss": 0.1, "r2": 0.1}],                        ("b", "a")),
]
# fmt: on


@pytest.mark.parametrize(("values", "order"), SORTED)
def test_runs_are_sorted_by_the_first_metric_that_all_have(
    values: list[dict[str, Any]], order: tuple[str, ...], tmp_path: Path
) -> None:
    for label, given in zip("ab", values, strict=True):
        write_run(tmp_path / label, metrics={"splits": {"test": {"examples": 270} | given}})
    compared = read_comparison({tmp_path / label: DIGITS for label in "ab"})
    assert tuple(row[0] for row in results(compared)[1]) == order


def test_only_what_differs_in_the_configs_is_listed(tmp_path: Path) -> None:
    assert differences(read_comparison(runs(tmp_path))) == [
        ("model[0].units", "64", "128"),
        ("model[1], only in small", "{type: dense, units: 10}", "–"),
        ("model[1], only in wide", "–", "relu"),
        ("training.epochs", "40", "60"),
        ("training.early_stopping", "null", "–"),
    ]


def wide(units: int) -> dict[str, Any]:
    return {"type": "dense", "units": units, "bias": True}


DROP = {"type": "dropout", "rate": 0.5}
REPEAT = {"type": "repeat", "times": 2}
# fmt: off
DIFFERING = [  # a list for each run, and the rows
    ([(wide(8), wide(3)), (wide(8), DROP, wide(3))],
     [("model[1], only in b", "–", "{type: dropout, rate: 0.5}")]),
    ([(wide(8), wide(3)), (DROP, wide(8), wide(4))],
     [("model[0], only in b", "–", "{type: dropout, rate: 0.5}"), ("model[1 / 2].units", "3", "4")]),
    ([(wide(3),), (wide(8), wide(3)), (wide(9), DROP, wide(3))],
     [("model[0], only in b, c", "–", *(f"{{type: dense, units: {n}, bias: true}}" for n in (8, 9))),
      ("model[1], only in c", "–", "–", "{type: dropout, rate: 0.5}")]),
    ([({**REPEAT, "layers": (wide(8), "relu")},), ({**REPEAT, "layers": (wide(8),)},)],
     [("model[0].layers[1], only in a", "relu", "–")]),
    ([("relu", "flatten"), ("flatten",)], [("model", "[relu, flatten]", "[flatten]")]),
    ([(wide(8),), (DROP,)],
     [("model[0], only in a", "{type: dense, units: 8, bias: true}", "–"),
      ("model[0], only in b", "–", "{type: dropout, rate: 0.5}")]),
]
# fmt: on


@pytest.mark.parametrize(("models", "rows"), DIFFERING)
def test_a_layer_that_others_lack_is_one_row(models: list[Any], rows: list[Any]) -> None:
    assert list(differing("abc"[: len(models)], [{"model": model} for model in models])) == rows


def test_every_run_has_its_colour_on_one_axis(tmp_path: Path) -> None:
    (ax,) = draw(read_comparison(runs(tmp_path))).figure.axes
    lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
    assert [line.get_color() for line in lines] == [c for c in CLASS_COLORS[:2] for _ in range(2)]
    assert len({line.get_linestyle() for line in lines}) == 2
    assert ax.get_xlim()[1] > 59


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({}, ""),
        ({"seed": 1}, "Their seeds differ"),
        ({"data": {"description": "others"}}, "their metrics are not comparable"),
    ],
)
def test_what_keeps_runs_from_being_compared_is_said(
    change: dict[str, Any], phrase: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", data=change.pop("data", None))
    said = caveat(read_comparison({tmp_path / "a": DIGITS, tmp_path / "b": DIGITS | change}))
    assert phrase in said
    assert bool(phrase) == bool(said)


def test_losses_of_different_kinds_have_no_winner(tmp_path: Path) -> None:
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", loss="hinge")
    compared = read_comparison(dict.fromkeys([tmp_path / "a", tmp_path / "b"], DIGITS))
    assert headline(compared) == "2 runs with different losses: hinge, softmax cross entropy."


# fmt: off
NO_WINNER = [  # the options of both runs, the data of the second, and the headline
    ({"loss": {"label_smoothing": 0.0}},         {"loss": {"label_smoothing": 0.1}}, None,
     "2 runs whose losses are different functions: loss.label_smoothing differs."),
    ({"training": {"class_weights": "balanced"}}, {},                                None,
     "2 runs whose losses are different functions: training.class_weights differs."),
    ({},                                         {},               {"description": "others"},
     "2 runs on different data."),
]
# fmt: on


@pytest.mark.parametrize(("first", "second", "data", "said"), NO_WINNER)
def test_figures_that_cannot_be_compared_have_no_winner(
    first: dict[str, Any], second: dict[str, Any], data: dict[str, Any] | None, said: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", data=data)
    assert headline(read_comparison({tmp_path / "a": first, tmp_path / "b": second})) == said


# fmt: off
EVALUATED = [  # options, whether the runs counted evaluations, the ends of the lines drawn, the scale
    ([{"batch_size": "full"}, {"batch_size": "full"}], [False, True],  [200, 60], "linear"),
    ([{"batch_size": "full"}, {"batch_size": "full"}], [False, False], None,     ""),
    ([{"batch_size": 32},     {"batch_size": "full"}], [False, True],  None,     ""),
    ([{"batch_size": "full"}, {"batch_size": "full"}], [True, False],  [400, 40], "log"),
]
# fmt: on


@pytest.mark.parametrize(("training", "counted", "ends", "scale"), EVALUATED)
def test_methods_are_compared_by_their_evaluations(
    training: list[dict[str, Any]],
    counted: list[bool],
    ends: list[int] | None,
    scale: str,
    tmp_path: Path,
) -> None:
    lengths = ends or [200, 60]
    for k, (is_counted, length) in enumerate(zip(counted, lengths, strict=True)):
        epochs = length // 2 if is_counted else length
        curves = learning_curves(epochs, None, validation=False)
        if is_counted:
            curves["gradient_evaluations"] = 2.0 * curves["epoch"]
        write_run(tmp_path / str(k), curves=curves, epochs=epochs)
    given = {tmp_path / str(k): {"training": options} for k, options in enumerate(training)}
    picture = draw_evaluations(read_comparison(given))
    if ends is None:
        assert picture is None
        return
    assert picture is not None
    (ax,) = picture.figure.axes
    assert [line.get_xdata()[-1] for line in ax.lines if len(line.get_xdata()) > 2] == ends
    assert ax.get_xscale() == scale


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    for place in ("a", "b"):
        write_run(tmp_path / place / "run", curves=learning_curves(5, None, validation=False), epochs=5)
    compared = read_comparison(dict.fromkeys([tmp_path / "a/run", tmp_path / "b/run"], DIGITS))
    assert compared.labels == ("a/run", "b/run")
    assert "no run set examples aside" in draw(compared).caption


def test_a_comparison_replaces_a_comparison_and_no_other_file(tmp_path: Path) -> None:
    given, page = runs(tmp_path), tmp_path / "page.html"
    write_comparison(given, page)
    write_comparison(given, page)
    page.write_text("mine")
    with pytest.raises(RunError, match="exists already and is not a comparison; choose another --output"):
        write_comparison(given, page)
    assert page.read_text() == "mine"
    page.unlink()
    page.with_suffix(".csv").write_text("mine")
    with pytest.raises(RunError, match="is not the table of a comparison; choose another --output"):
        write_comparison(given, page)
    assert (page.exists(), page.with_suffix(".csv").read_text()) == (False, "mine")
    with pytest.raises(RunError, match=r"is for the page.s table; choose a file such as .*other\.html"):
        write_comparison(given, tmp_path / "other.csv")
    with pytest.raises(RunError, match="is a folder; choose a file"):
        write_comparison(given, tmp_path)
    with pytest.raises(RunError, match="the page cannot be written"):
        write_comparison(given, tmp_path / "no" / "page.html")


# fmt: off
WRONG = [
    ("a",         "a comparison takes two or more runs, got 1 run; give more run folders"),
    ("a b a",     "a: this run is given twice; give each run once"),
    ("a b ./b",   "b: this run is given twice; give each run once"),
    ("a nowhere", "nowhere is not the folder of a run: there is no config.yaml"),
    ("a study",   "study is not a complete run folder: environment.json is missing"),
    ("a b half",  "half: the training was killed before it began, so there is nothing to compare"),
]
# fmt: on


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `nnjit compare` in a folder with the runs a and b and half a run; status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "a")
    write_run(tmp_path / "b", epochs=20)
    Path("study").mkdir()
    Path("study/config.yaml").write_text("seed: 1\n")
    study = {"status": "completed", "kind": "folds", "count": 2, "splits": {}, "seconds": {}, "runs": []}
    Path("study/metrics.json").write_text(json.dumps(study))
    Path("half").mkdir()
    Path("half/config.yaml").write_text("seed: 1\n")

    def run(*given: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nnjit", "compare", *given])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return run


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_cannot_be_compared_is_one_message(given: str, message: str, command: Any) -> None:
    assert command(*given.split()) == (2, "", f"{message}\n")
    assert not Path("comparison.html").exists()


def test_the_command_prints_the_tables_and_writes_the_page(command: Any) -> None:
    status, out, err = command("a", "b")
    assert (status, err) == (0, "")
    assert re.search(r"^a +97\.8 % +0\.09123 +97\.4 % .* 40 ", out, re.MULTILINE)
    assert re.search(r"^b +97\.8 % .* 20 ", out, re.MULTILINE)
    assert re.search(r"^training\.epochs +40 +20$", out, re.MULTILINE)
    assert out.endswith("page        comparison.html\ntable       comparison.csv\n")
    assert "Comparison of 2 runs" in words(Path("comparison.html"))
    assert command("a", "b", "--output", "other.html")[0] == 0
    assert Path("other.html").exists()
