"""A study with its members in one table: each has its own bits, and no kill loses any."""

from __future__ import annotations

import itertools
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import api, config
from nnjit.errors import Interrupted, RunError
from nnjit.report import write_comparison
from nnjit.runs import file_names
from nnjit.runs.folder import has_ended
from nnjit.runs.members import read_members
from nnjit.training import Run, Study
from nnjit.training.loop import trainer
from nnjit.training.study import table
from tests.training.conftest import IRIS, LINE
from tests.training.test_kills import Killed, _prepare_once, kill_at, killer  # noqa: F401  # fixtures
from tests.training.test_study import FOLDED, FOLDERS

SCALED = LINE | {"data": LINE["data"] | {"scale_target": "standard"}, "metrics": ["r2"]}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "replicas":          (IRIS,   {"replicas": 3}),
    "folds":             (FOLDED, {"folds": 3}),
    "folds, scaled":     (SCALED, {"folds": 2}),
    "stopped early":     (IRIS,   {"replicas": 2, "early_stopping": {"patience": 2}, "epochs": 12}),
    "averages":          (IRIS | {"averaging": "ema"}, {"replicas": 2}),
    "full batch":        (LINE | {"optimizer": "lbfgs"}, {"replicas": 2, "batch_size": "full"}),
}  # fmt: skip


def fit(given: dict[str, Any], training: dict[str, Any], **options: Any) -> Study:
    study = nnjit.fit(given | {"training": given["training"] | training}, **options)
    assert isinstance(study, Study)
    return study


def same_run(one: Run, other: Run) -> None:
    """Assert that two runs have the same weights, metrics and history, except for the times."""
    np.testing.assert_array_equal(one.theta, other.theta)
    assert {**one.metrics, "seconds": 0} == {**other.metrics, "seconds": 0}
    assert list(one.history) == list(other.history)
    for name in one.history.keys() - {"train_seconds"}:
        np.testing.assert_array_equal(one.history[name], other.history[name], name)
    x = np.ones((3, *one.compiled.task.model.input_shape))
    np.testing.assert_array_equal(one.predict(x), other.predict(x))
    assert one.data == other.data


def same_study(one: Study, other: Study) -> None:
    assert len(one.runs) == len(other.runs)
    for pair in zip(one.runs, other.runs, strict=True):
        same_run(*pair)
    for key in ("splits", "finished", "status", "parameters"):
        assert one.metrics[key] == other.metrics[key]


@pytest.mark.parametrize(("given", "training"), CASES.values(), ids=CASES)
def test_its_members_are_those_with_a_folder_of_their_own(
    given: dict[str, Any], training: dict[str, Any], folder: Path
) -> None:
    ours = fit(given, training, output="table")
    assert {path.name for path in Path("table").iterdir()} == {
        file_names.CONFIG, file_names.FINGERPRINT, file_names.ENVIRONMENT, file_names.MODEL, file_names.DATA,
        file_names.METRICS, file_names.MEMBERS, file_names.KERNELS, file_names.LOCK,
    } - {file_names.LOCK} | {path.name for path in Path("table").glob("*.lock")}  # fmt: skip
    theirs = fit(given, training | FOLDERS, output="folders")
    same_study(ours, theirs)
    same_study(nnjit.load("table"), theirs)  # type: ignore[arg-type]  # it is a study
    same_study(fit(given, training, output=False), theirs)
    x = np.ones((4, *ours.runs[0].compiled.task.model.input_shape))
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


def test_one_in_memory_writes_nothing(folder: Path) -> None:
    study = fit(IRIS, {"replicas": 2}, output=False)
    assert list(folder.iterdir()) == []
    assert study.path is None
    assert repr(study).endswith("\n  in memory")
    with pytest.raises(RunError, match="only in memory"):
        study.report()


def test_a_member_says_where_it_is_and_predicts_elsewhere(folder: Path) -> None:
    run = fit(LINE, {"replicas": 2}, output="study").runs[1]
    assert repr(run).endswith("\n  replica 2 of the study study")
    with pytest.raises(RunError, match=r"train with training.members: folders"):
        run.save("own")
    again = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(again.predict([[1.0]]), run.predict([[1.0]]))


@pytest.mark.parametrize(
    "settings", ["training.checkpoints={every: 2}", "training.diagnosis=true", "optimizer.learning_rate=find"]
)
def test_what_needs_folders_has_them(settings: str, folder: Path) -> None:
    nnjit.fit(LINE, ["training.replicas=2", settings], output="study")
    assert Path("study/replicas/2", file_names.LAST).is_file()


def test_large_networks_have_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MOST_BYTES", 63)  # of two members, with three vectors of two numbers each: 96
    fit(LINE, {"replicas": 2}, output="study")
    assert Path("study/replicas/2", file_names.LAST).is_file()


def go_on(*settings: str) -> Study:
    found = api.run(config.read("study/config.yaml", settings), resume=Path("study"), quiet=True)
    assert isinstance(found, Study)
    return found


def test_it_goes_on_with_more_epochs_and_more_members(folder: Path) -> None:
    fit(IRIS | {"schedule": "constant"}, {"replicas": 2, "epochs": 3}, output="study")
    longer = go_on("training.epochs=5", "training.replicas=3")
    same_study(longer, fit(IRIS | {"schedule": "constant"}, {"replicas": 3, "epochs": 5}, output="whole"))
    assert api.is_done(config.read("study/config.yaml").experiment, Path("study"))
    opened = nnjit.fit("study/config.yaml", output="study", resume_or_start=True)
    assert opened.metrics == longer.metrics


def test_interrupted_it_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(IRIS, {"replicas": 3}, output="whole")
    run_epochs, begun = trainer.run_epochs, []

    def stop(*given: Any) -> Any:
        begun.append(1)
        setup, recorder, state, callbacks, began = given
        done = lambda: len(begun) > 1 and bool(recorder.spans)  # noqa: E731  # after an epoch of the second
        return run_epochs(setup, recorder, state, replace(callbacks, is_stopped=done), began)

    monkeypatch.setattr("nnjit.training.study.trainers.run_epochs", stop)
    monkeypatch.setattr("nnjit.training.loop.epochs.CALL_SECONDS", 0.0)
    with pytest.raises(Interrupted, match=r"interrupted when 1 of 3 replicas were done; they are in study"):
        fit(IRIS, {"replicas": 3, "threads": 1}, output="study")
    assert not has_ended(Path("study"))
    assert [e.record.facts["epoch"] for e in read_members(Path("study"))[1]] == [6, 1, 1]
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    same_study(go_on(), whole)


def test_a_kill_at_any_file_operation_loses_nothing(
    folder: Path,
    kill_at: Callable[[int], None],  # noqa: F811  # the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "SECONDS", 0.0)
    monkeypatch.setattr(table, "SHARE", 0)
    monkeypatch.setattr(trainer, "CHECKPOINT_SECONDS", 0.0)  # after each epoch
    given = config.read(LINE, ["training.epochs=3", "training.replicas=2"])
    options: dict[str, Any] = {"resume_or_start": True, "quiet": True}
    whole = api.run(given, output=Path("whole"), **options)
    for k in itertools.count(0, 3):
        kill_at(k)
        try:
            api.run(given, output=Path("run"), **options)
            break
        except Killed:
            kill_at(10**9)
        same_study(api.run(given, output=Path("run"), **options), whole)  # type: ignore[arg-type]  # studies
        shutil.rmtree("run")
    assert k > 25


def test_a_damaged_table_is_told(folder: Path) -> None:
    fit(LINE, {"replicas": 2}, output="study")
    path = Path("study", file_names.MEMBERS)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    for act in (lambda: nnjit.load("study"), go_on, lambda: nnjit.report.write_report(Path("study"))):
        with pytest.raises(RunError, match=r"members.safetensors: not the members of a study .*checksum"):
            act()


def test_a_state_of_another_shape_is_refused_before_anything_is_written(folder: Path) -> None:
    for name, options in (("study", {}), ("other", {"optimizer": "adam"})):
        fit(LINE | options, {"replicas": 2}, output=name)
    shutil.copy(Path("other", file_names.MEMBERS), Path("study"))
    with pytest.raises(RunError, match=r"members.safetensors: expected the arrays theta, best_theta"):
        go_on("training.epochs=9")


def test_reports_and_comparisons_take_it(folder: Path) -> None:
    fit(IRIS, {"replicas": 2}, output="study", report=True)
    fit(IRIS, {"replicas": 2, "members": "folders"}, output="folders", report=True)
    pages = [Path(name, file_names.REPORT).read_text(encoding="utf-8") for name in ("study", "folders")]
    assert "Report of 2 replicas: iris" in pages[0]
    assert pages[0].count("<tr>") == pages[1].count("<tr>")
    runs = {Path(name): {"name": name} for name in ("study", "folders")}
    assert write_comparison(runs, Path("page.html")).labels == ("study", "folders")
