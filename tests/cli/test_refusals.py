"""Refusals of the operating system: a full disk, a deleted folder, a name that is too long."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nnjit import api, config
from nnjit.errors import Incomplete, RunError
from nnjit.report import write_report
from nnjit.runs import file_names
from nnjit.training.loop import recorders
from tests.cli.command import SMALLEST, run
from tests.report.run_folders import write_run

resource = pytest.importorskip("resource")  # not on Windows

CONFIG = SMALLEST + "training: {epochs: 40}\n"
RESULTS = ("history.csv", "checkpoint.safetensors", "best.safetensors", "last.safetensors", "metrics.json")


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> config.Config:
    """A small experiment with compiled kernels, and its folder as the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(CONFIG, encoding="utf-8")
    found = config.read(Path("a.yaml"))
    api.run(found, output=Path("first"), quiet=True, write_report=lambda folder: None)
    return found


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit the size of files in bytes: like a full disk, it fails in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def train(given: config.Config, **options: Any) -> None:
    api.run(given, output=Path("run"), quiet=True, **options)


def saved(message: str) -> set[str]:
    """The files that a message lists as saved."""
    return set(message.partition("run holds ")[2].partition("\n")[0].split(", "))


def test_a_full_disk_before_the_first_epoch_is_one_message(given: config.Config) -> None:
    with largest_file(100), pytest.raises(RunError, match=r"^run/config.yaml: File too large$"):
        train(given)
    assert os.listdir("run") == []


def test_a_full_disk_while_it_trains_names_what_is_saved(given: config.Config) -> None:
    size = Path("first/history.csv").stat().st_size - 100
    with largest_file(size), pytest.raises((RunError, Incomplete)) as caught:
        train(given)
    assert "File too large" in str(caught.value)
    assert "run holds best.safetensors" in str(caught.value)


def test_a_disk_that_is_full_at_the_end_has_the_results_first(given: config.Config) -> None:
    sizes = {name: (Path("first") / name).stat().st_size for name in (*RESULTS, file_names.EXPLANATION)}
    size = max(sizes[name] for name in RESULTS) + 300  # the seconds in them vary in length
    assert size < sizes[file_names.EXPLANATION]
    with largest_file(size), pytest.raises(Incomplete) as caught:
        train(given, write_report=write_report)
    results, report = str(caught.value).splitlines()
    assert results.startswith("the training is done, but not all results could be written (run/")
    assert "run/explanation.json: File too large); run holds " in results
    assert set(RESULTS) <= saved(results)
    assert report == (
        "its report could not be written: the page cannot be written (run/report.html: File too large); "
        "to write it: nnjit report run"
    )
    assert api.load("run").predict([[0.5]]).shape == (1, 1)
    write_report(Path("run"))  # when there is room again


def test_a_full_disk_in_a_study_names_the_run(given: config.Config) -> None:
    study = config.read(
        Path("a.yaml"), ["training.replicas=2", "training.members=folders", "training.epochs=1000"]
    )  # a long history
    api.run(study, output=Path("study"), quiet=True, write_report=lambda folder: None)
    size = Path("study/replicas/1/history.csv").stat().st_size // 2
    with largest_file(size), pytest.raises(RunError, match=r"run/replicas/[12] holds ") as caught:
        api.run(study, output=Path("run"), quiet=True)
    assert "File too large" in str(caught.value)


def test_a_report_that_fails_leaves_the_training_done(given: config.Config) -> None:
    def fail(folder: Path) -> None:
        raise RunError("ZeroDivisionError: a defect")

    with pytest.raises(Incomplete) as caught:
        train(given, write_report=fail)
    assert str(caught.value) == (
        "the training is done and saved in run, but its report could not be written: ZeroDivisionError: a "
        "defect; to write it: nnjit report run"
    )
    assert (Path("run") / file_names.METRICS).is_file()


def test_a_folder_that_is_deleted_is_one_message(
    given: config.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders.FileRecorder, "write", lambda self, *_: shutil.rmtree(self.path, True))
    with pytest.raises(Incomplete) as caught:
        train(given, write_report=write_report)
    results, report = str(caught.value).splitlines()
    assert "No such file or directory" in results
    assert results.endswith("; run holds no result")
    assert report.startswith("its report could not be written: run is not a complete run folder")


def test_a_working_directory_that_is_gone_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    run_folder = write_run(tmp_path / "run")
    assert run("report", "run") == 2
    assert run("train", "--config", "a.yaml") == 2
    assert capsys.readouterr().err.splitlines() == [
        "run: no such folder",
        "a.yaml: cannot read this config: No such file or directory",
    ]
    assert run("report", str(run_folder)) == 0


LONG = "x" * 300


# fmt: off
WRONG = [
    (f"train --config a.yaml --output {LONG}", f"{LONG}: File name too long"),
    (f"train --config {LONG}",                 f"{LONG}: cannot read this config: File name too long"),
    (f"train --resume {LONG}",                 f"{LONG}: File name too long"),
    ("train --config a.yaml --output a.yaml/x", "a.yaml/x: the run folder cannot be made (Not a directory)"),
    ("train --config a.yaml --output /dev/full", "/dev/full exists already, and a run is never overwritten; "
        "choose another --output"),
    (f"report {LONG}",                         f"{LONG}: File name too long"),
    (f"compare first second --output {LONG}",  f"{LONG}: File name too long"),
    ("compare first second --output no/a.html", "the page cannot be written (no/a.html: No such file or "
        "directory)"),
    ("compare first second --output /dev/zero", "/dev/zero exists already and is not a comparison; choose "
        "another --output"),
    (f"explain --config {LONG}",               f"{LONG}: cannot read this config: File name too long"),
    (f"check --config {LONG}",                 f"{LONG}: cannot read this config: File name too long"),
]
# fmt: on


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_a_path_that_cannot_be_is_one_message(
    words: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text(CONFIG, encoding="utf-8")
    if words.startswith("compare"):
        write_run(tmp_path / "first")
        write_run(tmp_path / "second")
    assert run(*words.split()) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"{message}\n")


def test_a_backend_that_matplotlib_does_not_know_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    assert run("report", str(write_run(tmp_path / "run"))) == 0
    assert "MPLBACKEND" not in os.environ
