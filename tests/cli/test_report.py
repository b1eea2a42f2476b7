"""`nnjit report` on finished runs, and on runs killed at any moment."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from nnjit.report.files import read_run
from nnjit.runs import file_names
from tests.cli.command import run
from tests.report.run_folders import learning_curves, write_run

LACKS = "best.safetensors, last.safetensors, predictions.npz, explanation.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of 40 epochs in a folder below the working directory."""
    monkeypatch.chdir(tmp_path)
    return write_run(Path("a run"))


def page(folder: Path) -> str:
    """The text of a report, checked to be well-formed."""
    text = (folder / file_names.REPORT).read_text(encoding="utf-8")
    ElementTree.fromstring(text.partition("<!DOCTYPE html>")[2])
    words = re.sub(r"<style.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", words))


def kill(folder: Path, *names: str) -> None:
    """Turn a finished run into one that was killed before it wrote some files."""
    for name in (file_names.METRICS, *names):
        (folder / name).unlink()


def test_a_finished_run_is_drawn_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", str(folder)) == 0
    assert capsys.readouterr().out == "report      a run/report.html\n"
    assert (folder / file_names.LOSS_CURVE).is_file()
    assert "killed" not in page(folder)


# fmt: off
KILLED = [
    ((),                                              "after epoch 40"),
    (("history.csv",),                                "before its first epoch ended"),
    (("history.csv", "model.json"),                   "before its first epoch ended"),
    (("history.csv", "model.json", "data.json", "environment.json"), "before its first epoch ended"),
]
# fmt: on


@pytest.mark.parametrize(("names", "when"), KILLED, ids=lambda value: " ".join(value) or "ended none")
def test_the_report_of_a_killed_run_says_what_is_missing_and_how_to_go_on(
    names: tuple[str, ...], when: str, folder: Path
) -> None:
    kill(folder, *names)
    assert run("report", str(folder)) == 0
    text = page(folder)
    assert f"The training was killed {when}, or is still running." in text
    assert f"Its folder lacks metrics.json, {LACKS}." in text
    assert "this starts over (no checkpoint): python -m nnjit.train --resume 'a run'" in text
    assert "nnjit.load" not in text  # it has no weights
    assert "No result" in text


def test_a_killed_run_with_a_checkpoint_goes_on_from_it(folder: Path) -> None:
    kill(folder)
    (folder / file_names.CHECKPOINT).touch()
    assert run("report", str(folder)) == 0
    assert "this continues from its last checkpoint:" in page(folder)


def test_a_run_that_was_resumed_and_killed_has_no_old_results(tmp_path: Path) -> None:
    """Its metrics and predictions belong to the weights before it was resumed."""
    arrays = {"split": np.array("test"), "target": np.zeros(2), "prediction": np.zeros(2)}
    folder = write_run(tmp_path / "run", predictions=arrays, curves=learning_curves(60, "accuracy"))
    metrics = json.loads((folder / file_names.METRICS).read_text(encoding="utf-8"))
    assert metrics["epochs"] == 40
    found = read_run(folder)
    assert (found.is_killed, found.metrics.epochs) == (True, 60)
    assert (found.metrics.splits, found.predictions) == ({}, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nowhere", "nowhere: no such folder\n"),
        (".", ". is not the folder of a run: there is no config.yaml\n"),
        (
            "half",
            "half/metrics.json: empty; restore it, or resume the run (nnjit train --resume half), which "
            "rewrites it\n",
        ),
    ],
)
def test_what_is_no_run_is_one_message(
    words: str, message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("half").mkdir()
    Path("half/config.yaml").write_text("seed: 1\n", encoding="utf-8")
    Path("half/metrics.json").touch()
    assert run("report", words) == 2
    assert capsys.readouterr().err == message
