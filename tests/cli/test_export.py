"""`nnjit export`: the exported files of a network, and refusals."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.export import FORMATS, export
from nnjit.export.numpy.emitter import MOVING
from tests.cli.command import SMALLEST, run

CONFIG = SMALLEST + "training: {epochs: 2}\n"
STUDY = SMALLEST + "training: {epochs: 1, replicas: 2, members: folders}\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; a study is in the same folder."""
    folder = tmp_path_factory.mktemp("export")
    for name, config in (("run", CONFIG), ("study", STUDY)):
        (folder / f"{name}.yaml").write_text(config, encoding="utf-8")
        nnjit.fit(folder / f"{name}.yaml", output=folder / name)
    return folder / "run"


def module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("network", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_an_export_predicts_in_another_program(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", str(trained), "--to", "numpy", "--output", str(tmp_path / "new" / "net")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["written", str(tmp_path / "new" / "net" / name)] for name in ("network.py", "network.npz")
    ]
    made, x = module(tmp_path / "new" / "net" / "network.py"), np.array([[0.0], [0.25], [3.0]])
    np.testing.assert_allclose(made.predict(x), nnjit.load(trained).predict(x), rtol=1e-6)


def test_c_says_how_much_memory_it_takes(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("export", str(trained), "--to", "c", "--output", str(tmp_path / "net")) == 0
    memory = r"memory      \d+ bytes of constants, \d+ bytes of static buffers, no heap"
    assert re.fullmatch(memory, capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize("to", [name for name, format in FORMATS.items() if not format.needs])
def test_a_folder_that_is_empty_is_filled(to: str, trained: Path, tmp_path: Path) -> None:
    files = export(nnjit.load(trained), to, tmp_path)
    assert sorted(files) == sorted(tmp_path.iterdir())


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """The message of a command that ends with status 2."""
    assert run("export", *map(str, words)) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    return streams.err


def test_what_exists_is_not_overwritten(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("file", "folder/file"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine", encoding="utf-8")
    for to, name in (("numpy", "folder"), ("numpy", "file"), ("onnx", "file"), ("onnx", "folder")):
        message = refused(capsys, trained, "--to", to, "--output", tmp_path / name)
        assert message == f"--output: {tmp_path / name} exists already; choose another path, or remove it\n"
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_what_is_not_a_finished_run_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed, rest = tmp_path / "killed", ("--to", "numpy", "--output", tmp_path / "new")
    shutil.copytree(trained, killed)
    (killed / "metrics.json").unlink()
    study = trained.parent / "study"
    cases = {
        tmp_path / "none": f"{tmp_path / 'none'}: no such folder\n",
        killed: f"the training in {killed} has not ended; to resume it: nnjit train --resume {killed}\n",
        study: f"{study} is a study of several replicas; give the folder of one of them, such as "
        f"{study / 'replicas' / '1'}\n",
    }
    for path, message in cases.items():
        assert refused(capsys, path, *rest) == message
    assert not (tmp_path / "new").exists()


def test_an_unknown_format_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, trained, "--to", "onx", "--output", tmp_path / "new")
    assert message == '--to: unknown format "onx"; did you mean "onnx"?\n'


def test_without_its_library_the_message_says_what_to_install(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnjit.export.formats.find_spec", lambda name: None)
    message = refused(capsys, trained, "--to", "onnx", "--output", tmp_path / "new")
    assert message == 'this export needs onnx, which is not installed; pip install "nnjit[onnx]"\n'


def test_an_export_that_fails_leaves_nothing(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(MOVING, "matmul")
    message = refused(capsys, trained, "--to", "numpy", "--output", tmp_path / "new")
    assert message == 'layer "dense_1": the primitive matmul cannot be written with NumPy\n'
    assert not (tmp_path / "new").exists()


def test_a_training_that_was_interrupted_is_said_to_be(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    text = (copy / "metrics.json").read_text(encoding="utf-8")
    (copy / "metrics.json").write_text(text.replace('"completed"', '"interrupted"'), encoding="utf-8")
    assert run("export", str(copy), "--to", "numpy", "--output", str(tmp_path / "new")) == 0
    note = "note        its training was interrupted: these are its weights so far\n"
    assert capsys.readouterr().out.endswith(note)
