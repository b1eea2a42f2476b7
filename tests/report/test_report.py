"""The report of made-up runs of every kind: complete, correct, self-contained and safe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from nnjit.errors import RunError
from nnjit.report import write_report
from nnjit.report.files import read_run
from nnjit.report.formatting import metric_value, number
from nnjit.report.pages.headline import result
from nnjit.report.pictures import loss_curve
from nnjit.report.pictures.axes import THIN_TO
from nnjit.report.pictures.style import Picture, new_figure, to_svg
from nnjit.runs import file_names
from tests.report.run_folders import KINDS, class_predictions, learning_curves, series, write_run

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
OF_CLASSES = ("confusion", "ranking", "calibration")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of each kind, with reports."""
    folder = tmp_path_factory.mktemp("runs")
    for name, make in KINDS.items():
        write_report(make(folder / name))
    return folder


def page(folder: Path) -> str:
    return (folder / file_names.REPORT).read_text(encoding="utf-8")


def tree(folder: Path) -> ElementTree.Element:
    """Parse the page as XML; raise an error if it is not well-formed."""
    return ElementTree.fromstring(page(folder).replace("<!DOCTYPE html>", "", 1).replace("<wbr/>", ""))


def words(folder: Path) -> str:
    """The text of the page without markup."""
    root = tree(folder)
    for parent in root.iter():
        for child in list(parent):
            if child.tag in ("style", f"{SVG}style"):
                parent.remove(child)
    return " ".join(" ".join(root.itertext()).split())


@pytest.mark.parametrize("kind", KINDS)
def test_loss_curve_is_a_picture_of_sane_size(kind: str, reports: Path) -> None:
    with Image.open(reports / kind / file_names.LOSS_CURVE) as image:
        image.load()
        assert image.format == "PNG"
        assert 800 < image.width < 2000
        assert 400 < image.height < 1200
        assert len(image.convert("RGB").getcolors(10**6) or []) > 5


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_well_formed_and_small(kind: str, reports: Path) -> None:
    root = tree(reports / kind)
    assert len(root.findall(f".//{SVG}svg")) >= 2
    assert (reports / kind / file_names.REPORT).stat().st_size < 400_000


@pytest.mark.parametrize("kind", KINDS)
def test_page_needs_nothing_else(kind: str, reports: Path) -> None:
    text = page(reports / kind)
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", text)
    for element in tree(reports / kind).iter():
        assert element.tag not in ("script", "link", "iframe", "object", "img")
        for name, value in element.attrib.items():
            if name.endswith(("href", "src")):
                assert value.startswith(("#", "data:image/png;base64,"))
            assert not name.startswith("on")


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_every_reference_has_its_target(kind: str, reports: Path) -> None:
    ids = [element.get("id") for element in tree(reports / kind).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page(reports / kind))) <= set(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_no_leftovers_of_missing_values(kind: str, reports: Path) -> None:
    assert not re.findall(r"\b(nan|None|inf|null|undefined)\b", words(reports / kind))


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_those_of_the_metrics(kind: str, reports: Path) -> None:
    metrics = json.loads((reports / kind / file_names.METRICS).read_text())
    rows = {
        row[0].text: [cell.text for cell in row[1:]]
        for row in tree(reports / kind).iter("tr")
        if len(row) > 1
    }
    names = {"train": "training", "validation": "validation", "test": "test"}
    for split, figures in metrics["splits"].items():
        values = {k: float("nan") if v is None else v for k, v in figures.items()}
        expected = [number(values.pop("examples")), number(values.pop("loss"))]
        expected += [metric_value(name, value) for name, value in values.items()]
        assert rows[names[split]] == expected
    assert rows["all"][-1] == f"{metrics['parameters']:,}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_is_in_the_graph_and_in_the_table(kind: str, reports: Path) -> None:
    model = json.loads((reports / kind / file_names.MODEL).read_text())
    figure = next(f for f in tree(reports / kind).iter("figure") if f.get("id") == "layers")
    drawn = [text.text for text in figure.iter(f"{SVG}text")]
    listed = [row[0].text for row in tree(reports / kind).iter("tr")]
    for layer in model["layers"]:
        assert layer["name"] in drawn
        assert layer["name"] in listed


@pytest.mark.parametrize(
    ("kind", "pictures"),
    [
        ("digits", [*OF_CLASSES, "loss", "metrics", "learning_rate", "layers"]),
        ("found_rate", ["loss", "metrics", "learning_rate", "rate_search", "layers"]),
        (
            "moons",
            [*OF_CLASSES, "regions", "loss", "metrics", "learning_rate", "layers"],
        ),
        ("regression", ["regression", "importance", "loss", "metrics", "learning_rate", "layers"]),
        ("labels", ["ranking", "calibration", "loss", "learning_rate", "layers"]),
        ("series", ["forecast", "regression", "loss", "learning_rate", "layers"]),
        ("surface", ["regression", "regions", "loss", "learning_rate", "layers"]),
        ("no_validation", ["loss", "learning_rate", "layers"]),
        ("full_batch", ["loss", "evaluations", "layers"]),
        ("diverged_at_once", ["loss", "layers"]),
        ("nothing_done", ["loss", "layers"]),
    ],
)
def test_pictures_are_those_that_the_run_calls_for(kind: str, pictures: list[str], reports: Path) -> None:
    assert [figure.get("id") for figure in tree(reports / kind).iter("figure")] == pictures


@pytest.mark.parametrize(
    ("kind", "phrase"),
    [
        ("two_classes", "97.4 % of the 270 test examples are classified correctly."),
        ("digits", "are classified correctly; always predicting “9” would be correct for 10.0 %."),
        ("digits", "test (baseline) – 10.0 %"),
        ("digits", "always predicts the class frequencies of the training part."),
        ("digits", "A network of 3 layers with 4,810 parameters was trained for 40 epochs on 1,257 examples"),
        ("digits", "compile time 2.13 s training time 430 ms"),
        ("digits", "compiling the network to machine code (little when cached) 2.13 s"),
        ("digits", "training, without compiling and evaluating 430 ms"),
        ("digits", "one epoch, mean of 40 10.7 ms"),
        ("digits", "those of the weights after the last epoch, epoch 40, as training.keep: last asks"),
        ("early_stopped", "the best epoch’s weights, epoch 32, which had the lowest validation loss."),
        ("found_rate", "The learning rate 0.0074 was found in a test of 170 updates"),
        ("found_rate", "Stopped after 40 epochs: the training had reached its target."),
        ("found_rate", "averaged over the updates (ema), which had the highest validation accuracy."),
        ("out_of_time", "Stopped after 12 epochs: the time was up."),
        ("out_of_time", "python -m nnjit.train --resume"),
        ("nothing_done", "No result: no epoch finished."),
        ("digits", "2.13 s"),
        (
            "regression",
            "R² 0.463 (baseline −0.007) on the 67 test examples; disease_progression is predicted with an "
            "average error of",
        ),
        ("series", "y+1: off by 0.125 on average"),
        ("series", "naive forecasts are off by 0.5 (last value)"),
        ("series", "Only the first of several series is drawn"),
        ("regression", ", in its own unit; always predicting the mean gives 68.2."),
        ("regression", "“s6” matters most"),
        ("regression", "It is computed on scaled targets"),
        (
            "labels",
            "of the labels of 300 test examples are correct; always giving a label’s more frequent",
        ),
        ("labels", "By label label precision recall F1 examples sport"),
        ("no_validation", "Loss 0.00213 on the 64 training examples"),
        ("no_validation", "No examples were held out, so this says nothing about new data."),
        ("early_stopped", "Stopped early, after 40 epochs: the validation loss no longer improved."),
        ("full_batch", "Converged after 60 epochs: no lower cost was found"),
        ("full_batch", "60 iterations took 120 evaluations to a cost of 10⁻⁹"),
        ("interrupted", "Interrupted after 12 epochs."),
        ("interrupted", "python -m nnjit.train --resume"),
        ("diverged", "No result: the training diverged in epoch 5."),
        ("diverged", "The layer dense_1 (multiply) gave a value that is not finite, in epoch 5, batch 3. "),
        ("diverged_at_once", "The training diverged: a value was no longer finite."),
        ("diverged_at_once", " throughout."),
        ("one_epoch", "After one epoch the training loss was"),
        ("twenty_thousand_epochs", "of 20,000"),
        ("residual", "32 · 2,080 parameters"),
        ("several_outputs", "price [$]: R² 0.96"),
        ("blobs", "日本"),
    ],
)
def test_page_says(kind: str, phrase: str, reports: Path) -> None:
    assert phrase in words(reports / kind)


def test_a_result_of_weighted_examples_says_so(tmp_path: Path) -> None:
    write_report(write_run(tmp_path / "run", data={"weighted": True}))
    phrase = "97.4 % of the 270 test examples, counted by weight, are classified correctly."
    assert phrase in words(tmp_path / "run")


def test_the_headline_has_the_first_metric_of_the_config(tmp_path: Path) -> None:
    splits = {"test": {"examples": 270, "loss": 0.1, "f1_macro": 0.9, "accuracy": 0.97}}
    metrics = {"splits": splits, "baseline": {"f1_macro": 0.02, "accuracy": 0.1}}
    write_report(write_run(tmp_path / "run", metrics=metrics))
    assert "F1 (macro) 0.900 (baseline 0.020) on the 270 test examples." in words(tmp_path / "run")


def test_the_headline_has_the_metric_of_each_target(tmp_path: Path) -> None:
    splits = {"test": {"examples": 20, "loss": 0.1, "mass_mae": 3.0, "width_mae": 0.25, "r2": 0.5}}
    data = {"task": "regression", "classes": None, "targets": ["mass", "width"]}
    write_report(write_run(tmp_path / "run", data=data, metrics={"splits": splits}))
    phrase = "Mass mean absolute error 3, width mean absolute error 0.25 on the 20 test examples."
    assert phrase in words(tmp_path / "run")


def test_confusion_matrix_states_the_pairs(reports: Path) -> None:
    run = read_run(reports / "digits")
    assert run.predictions is not None
    right = int((run.predictions.target == run.predictions.prediction).sum())
    assert f"{right} of 270 test examples are classified correctly" in words(reports / "digits")


def test_names_are_escaped(reports: Path) -> None:
    text = page(reports / "hostile")
    assert "<script" not in text
    assert text.count("</svg>") == text.count("<svg ")
    assert '<script>alert("1")</script> & $\\frac{' in words(reports / "hostile")


def test_colours_follow_the_theme_of_the_page(reports: Path) -> None:
    svg = page(reports / "digits").partition("<body>")[2]
    assert "var(--train)" in svg
    assert "#0072b2" not in svg


def test_same_run_gives_the_same_page(tmp_path: Path) -> None:
    folder = KINDS["moons"](tmp_path / "moons")
    write_report(folder)
    first = page(folder), (folder / file_names.LOSS_CURVE).read_bytes()
    write_report(folder)
    assert (page(folder), (folder / file_names.LOSS_CURVE).read_bytes()) == first


def test_settings_of_the_user_do_not_count_and_stay(tmp_path: Path) -> None:
    import matplotlib

    folder = KINDS["digits"](tmp_path / "digits")
    write_report(folder)
    first = page(folder)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.usetex": True}):
        write_report(folder)
        assert matplotlib.rcParams["font.size"] == 30
    assert page(folder) == first


@pytest.mark.parametrize("name", ["history.csv", "model.json", "data.json", "config.yaml"])
def test_folder_without_a_file_is_no_run(name: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(RunError, match=rf"not a complete run folder: {re.escape(name)} is missing"):
        write_report(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", "{", "not valid JSON"),
        ("metrics.json", "[]", "expected a JSON object, got list"),
        ("metrics.json", "{}", 'the entry "status" is missing'),
        ("history.csv", "epoch,train_loss\n1,0.5\n2,x\n", "history.csv:3: expected a number, got 'x'"),
        ("history.csv", "epoch,train_loss\n1,0.5\n2\n", "history.csv:3: expected 2 cells, got 1"),
        ("history.csv", "epoch,train_loss\n1\n2\n", "history.csv:2: expected 2 cells, got 1"),
        ("history.csv", "epoch,train_loss\n1,0.5\n,0.5\n", "history.csv:3: expected a number, got ''"),
        ("predictions.npz", "PK\x03\x04 and no more", "not predictions of nnjit"),
        ("config.yaml", b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_malformed_file_is_named(name: str, content: str | bytes, message: str, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=re.escape(message)):
        write_report(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not valid JSON"), ('{"found": 0.1}', 'the entry "rates" is missing')],
)
def test_malformed_search_for_a_rate_is_named(content: str, message: str, tmp_path: Path) -> None:
    folder = KINDS["found_rate"](tmp_path / "run")
    (folder / file_names.LEARNING_RATE_SEARCH).write_text(content)
    with pytest.raises(RunError, match=message):
        write_report(folder)


def test_cells_of_the_history_may_be_empty(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    (folder / file_names.HISTORY).write_text("epoch,a,b,c,d\n1,,,,\n2,0.5,,inf,1e-300\n3,,nan,,-7\n")
    table = np.column_stack(list(read_run(folder).history.columns.values()))
    nan = np.nan
    expected = [[1, nan, nan, nan, nan], [2, 0.5, nan, np.inf, 1e-300], [3, nan, nan, nan, -7]]
    np.testing.assert_array_equal(table, expected)


def test_a_spike_of_one_epoch_in_a_hundred_thousand_is_drawn(tmp_path: Path) -> None:
    curves = learning_curves(100_000, None, validation=False)
    curves["train_loss"][54_321] = 40.0
    folder = write_run(tmp_path / "run", curves=curves, epochs=100_000)
    before = (folder / file_names.HISTORY).read_bytes()
    (line,) = (x for x in loss_curve.draw(read_run(folder)).figure.axes[0].lines if len(x.get_xdata()) > 2)
    x, y = line.get_data()
    assert len(x) <= THIN_TO + 2
    assert (x[0], x[-1], x[np.argmax(y)], y.max()) == (1, 100_000, 54_322, 40.0)
    write_report(folder)
    assert (folder / file_names.HISTORY).read_bytes() == before
    assert (folder / file_names.REPORT).stat().st_size < 200_000
    assert "of 100,000" in words(folder)


def test_pickled_predictions_are_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    objects = np.array([{}], dtype=object)
    np.savez(folder / file_names.PREDICTIONS, split=np.array("test"), target=objects, prediction=objects)
    with pytest.raises(RunError, match=r"predictions\.npz: not predictions of nnjit"):
        write_report(folder)


def test_predictions_of_other_classes_are_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", predictions=class_predictions(3, 20))
    with pytest.raises(RunError, match=r"has probabilities of 3 classes, data\.json has 10; restore"):
        write_report(folder)


def test_commands_quote_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = KINDS["interrupted"](tmp_path / "my run's")
    monkeypatch.chdir(tmp_path)
    write_report(folder)
    assert """--resume 'my run'"'"'s'""" in words(folder)
    assert """nnjit.load("my run's")""" in words(folder)


def test_report_can_be_moved(reports: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(reports / "digits", tmp_path / "elsewhere")
    write_report(moved)
    assert str(reports) not in page(moved)


def test_importing_the_report_imports_nothing_slow() -> None:
    code = (
        "import sys, nnjit.report; print([m for m in ('matplotlib', 'jinja2', 'numba') if m in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


@pytest.mark.parametrize(("width", "least"), [(720, ""), (960, ""), (1400, ' style="min-width: 1050px"')])
def test_a_wide_picture_is_scrolled_instead_of_shrunk(width: int, least: str) -> None:
    svg = to_svg(Picture("layers", "network", "", "", new_figure(40, width=width)))
    assert svg[: svg.index(">")].endswith(f'width="{width}" height="40"{least}')


@pytest.mark.parametrize(("metrics", "headline"), [
    ({"mae": 0.125}, "absolute error 0.125 (repeating the last value has 0.25) on the 80 test examples."),
    ({}, "an average error of 0.125, in its own unit; repeating the last value has 0.25."),
])  # fmt: skip
def test_the_headline_of_a_series_has_the_naive_forecast(
    metrics: dict[str, float], headline: str, tmp_path: Path
) -> None:
    run = read_run(series(tmp_path / "run"))
    test = replace(run.metrics.splits["test"], metrics=metrics)
    data = replace(run.data, targets=("y+1",))
    one = replace(run, data=data, metrics=replace(run.metrics, splits={"test": test}))
    assert result(one).endswith(headline)
