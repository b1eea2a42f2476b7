"""`nnjit predict`, `nnjit evaluate` and `run.predict` with image files."""

# ruff: noqa: E501  a row is one mistake and what becomes of it

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

import nnjit
from tests.cli.command import run as command

CONFIG: dict[str, Any] = {
    "data": {"type": "images", "folder": "train"},
    "model": ["flatten", {"type": "dense", "units": 2}],
    "loss": "softmax_cross_entropy",
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "training": {"epochs": 30, "batch_size": 10, "diagnosis": False},
}
SHADES = {"black": 40, "white": 200}


def save(path: Path, shade: int, shape: tuple[int, ...] = (4, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(shape, shade, np.uint8)).save(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images of two shades, and two runs on them; the second one resizes."""
    folder = tmp_path_factory.mktemp("images")
    for name, shade in SHADES.items():
        for k in range(10):
            save(folder / "train" / name / f"{k}.png", shade + 3 * k)
        save(folder / "test" / name / "a.png", shade + 10)
    save(folder / "new" / "1.png", 210)
    save(folder / "new" / "0.png", 50)
    save(folder / "new" / ".hidden.png", 0)
    save(folder / "large" / "0.png", 200, (40, 60, 3))
    (folder / "new.txt").write_text("1,2\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        nnjit.fit(CONFIG, output="own")
        nnjit.fit(CONFIG, ["data.size=[4,6]"], output="resized")
    return folder


@pytest.fixture(autouse=True)
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


# fmt: off
PREDICTED = [
    # run, input: files and their classes
    ("own",     "new",             {"new/0.png": "black", "new/1.png": "white"}),
    ("own",     "new/1.png",       {"new/1.png": "white"}),
    ("own",     "test",            {"test/black/a.png": "black", "test/white/a.png": "white"}),
    ("resized", "large",           {"large/0.png": "white"}),
]
REFUSED = [
    # arguments, the message
    (("predict", "own", "large"),                    "large/0.png: 40×60 pixels, but the network takes 4×6; resize the image"),
    (("predict", "own", "gone"),                     "gone: no such file"),
    (("predict", "own", "own"),                      "own/kernels"),
    (("predict", "own", "new", "--with-inputs"),     "new: images have no columns; omit --with-inputs"),
    (("predict", "own", "own/config.yaml"),          "own/config.yaml: not an image that Pillow can read"),
    (("evaluate", "own", "new"),                     "new: no sub-folders; expected one per class"),
    (("evaluate", "own", "new/1.png"),               "new/1.png: an image has no target; give a folder"),
]
# fmt: on


@pytest.mark.parametrize(("name", "given", "found"), PREDICTED)
def test_images_are_predicted_by_their_files(
    name: str, given: str, found: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("predict", name, given, "--probabilities") == 0
    table = pl.read_csv(StringIO(capsys.readouterr().out))
    assert table.columns == ["row", "file", "class", "class=black", "class=white"]
    assert table["row"].to_list() == list(range(1, len(found) + 1))
    assert dict(zip(table["file"], table["class"], strict=True)) == found
    run = nnjit.load(name)
    assert run.predict(list(found), names=True).tolist() == list(found.values())
    assert run.predict([Path(path) for path in found]).shape == (len(found),)


def test_folders_of_classes_are_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("evaluate", "own", "test", "--output", str(tmp_path / "out")) == 0
    assert "test" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (found["examples"], found["accuracy"]) == (2, 1.0)
    files = [f"test/{name}/a.png" for name in SHADES]
    assert nnjit.load("own").evaluate(files, list(SHADES))["accuracy"] == 1.0


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_what_cannot_be_predicted_is_one_message(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
