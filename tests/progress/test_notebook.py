"""Notebook output: values that draw themselves, and progress of a run."""

from __future__ import annotations

import itertools
import pickle
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
import nnjit.numpy as nnp
from nnjit.progress.curve import HEIGHT, Line, curve_svg
from tests.progress.test_on_epoch import CONFIG, with_training

LARGEST = 20_000  # bytes that a value adds to a notebook


def parsed(html: str) -> ET.Element:
    """Parse a value's HTML, which is small and has no script."""
    assert len(html.encode()) < LARGEST
    assert not re.search(r"<script|\bon\w+=|<link|url\((?!#)", html)
    return ET.fromstring(html)


def words(element: ET.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.small
def test_a_run_shows_its_values_and_the_curve_of_its_loss(tmp_path: Path) -> None:
    run = nnjit.fit(CONFIG, output=tmp_path / "a < b")
    shown = parsed(run._repr_html_())
    assert "Run lines: 1 input → " in words(shown)
    assert str(tmp_path / "a < b") in words(shown)
    assert f"{run.metrics['splits']['validation']['mae']:.4g}" in words(shown)
    assert len(shown.findall(".//{*}polyline")) == 2  # training and validation


@pytest.mark.small
def test_a_run_without_its_folder_shows_its_values_alone(tmp_path: Path) -> None:
    run = nnjit.fit(CONFIG, output=tmp_path / "run")
    sent = pickle.loads(pickle.dumps(run))
    (tmp_path / "run").rename(tmp_path / "moved")
    shown = parsed(sent._repr_html_())
    assert "mae" in words(shown)
    assert shown.find(".//{*}svg") is None


@pytest.mark.small
def test_a_study_shows_means_and_deviations(tmp_path: Path) -> None:
    study = nnjit.fit(with_training(replicas=3), output=tmp_path / "study")
    shown = parsed(study._repr_html_())
    mean = study.metrics["splits"]["validation"]["loss"]
    assert f"{mean['mean']:.4g} ± {mean['deviation']:.4g}" in words(shown)


@pytest.mark.small
def test_a_comparison_shows_the_best_first_and_what_differs(tmp_path: Path) -> None:
    run = nnjit.fit(CONFIG, output=tmp_path / "short")
    nnjit.fit(with_training(epochs=40), output=tmp_path / "long")
    compared = nnjit.compare([run, tmp_path / "long"])
    assert repr(compared).startswith(
        "Comparison of short, long: long has the lowest validation mean absolute"
    )
    shown = parsed(compared._repr_html_())
    text = words(shown)
    assert text.startswith("long has the lowest validation mean absolute error")
    assert "training.epochs 12 40" in text
    assert len(shown.findall(".//{*}polyline")) == 2


def test_a_graph_draws_itself() -> None:
    graph = nnjit.make_graph(lambda w, x: nnp.sum(nnp.tanh(w * x)))(np.ones(3), np.ones(3))
    assert "tanh" in words(parsed(graph._repr_html_()))


def test_a_graph_that_is_too_large_to_draw_is_left_to_its_text() -> None:
    def long(x: Any) -> Any:
        for _ in range(100):
            x = nnp.sin(x)
        return x

    assert nnjit.make_graph(long)(1.0)._repr_html_() is None


def line(name: str, *y: float) -> Line:
    return Line(name, "#000000", np.arange(1, len(y) + 1), np.array(y))


# fmt: off
CURVES: dict[str, Sequence[Line]] = {
    "one epoch":    [line("a", 1.0)],
    "a gap":        [line("a", 1.0, np.nan, 2.0)],
    "infinite":     [line("a", 1.0, np.inf, 2.0)],
    "constant":     [line("a", 3.0, 3.0)],
    "zero":         [line("a", 0.0, 0.0)],
    "logarithmic":  [line("a", 1e3, 1.0, 1e-9)],
    "many points":  [line("a", *np.sin(np.arange(1e4)))],
    "equal ends":   [line(f"line {k}", 1.0, 2.0) for k in range(9)],
    "markup":       [line("a < b & c", 1.0, 2.0)],
    "equal names":  [line("a", 1.0, 2.0), Line("a", "#ffffff", np.arange(1, 3), np.array([3.0, 4.0]))],
}
# fmt: on


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_stays_in_its_picture(name: str) -> None:
    shown = parsed(curve_svg(CURVES[name]))
    assert "nan" not in ET.tostring(shown, encoding="unicode")
    heights = [float(text.get("y", "nan")) for text in shown.findall(".//{*}text")]
    points = " ".join(found.get("points", "") for found in shown.findall(".//{*}polyline"))
    heights += [float(point.partition(",")[2]) for point in points.split()]
    assert all(0 <= y <= HEIGHT for y in heights)
    labels = [t for t in shown.findall(".//{*}text") if t.get("fill")]
    ys = sorted(float(label.get("y", "nan")) for label in labels)
    assert all(b - a >= 12 for a, b in itertools.pairwise(ys))
    assert len(labels) == len(CURVES[name])
    assert {label.text.rpartition(" ")[0] for label in labels if label.text} == {x.name for x in CURVES[name]}


def test_without_a_finite_value_there_is_no_curve() -> None:
    assert curve_svg([line("a", np.nan), line("b")]) == ""


CELLS = (
    f"import nnjit\nrun = nnjit.fit({CONFIG}, output='run')",
    "run",
    "nnjit.make_graph(lambda x: x * x)(1.0)",
)


def test_a_notebook_runs_and_shows_bar_curve_run_and_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    from nbformat import v4

    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    training, run, graph = ([*cell.outputs] for cell in notebook.cells)
    assert re.search(r"12/12.*val_mae=", str(notebook))  # as text, or as widgets if available
    curves = [o.data["text/html"] for o in training if "text/html" in o.get("data", {})]
    assert len(parsed(curves[-1]).findall(".//{*}polyline")) == 2
    for (output,) in (run, graph):
        assert parsed(output.data["text/html"]).find(".//{*}svg") is not None or "svg" in str(output.data)
