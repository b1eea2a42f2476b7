"""Replicas and folds: each is a separate run, and together they have a mean and a deviation."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit import api, config
from nnjit.config import dump
from nnjit.errors import ConfigError, Diverged, Interrupted, RunError
from nnjit.nn import Model
from nnjit.report import write_comparison, write_report
from nnjit.runs import file_names
from nnjit.runs.aggregate import mean_and_deviation
from nnjit.training import Study, members_of, train_members
from nnjit.training.setup.setup import set_up
from tests.training.conftest import IRIS, LINE, same_bits

FOLDERS = {"members": "folders"}
FOLDED = IRIS | {"data": IRIS["data"] | {"split": {"test": 0.2}}}


def study_of(options: dict[str, Any], **training: Any) -> Study:
    """Train a study in the folder `study`, with a folder for each member and without a report."""
    given = config.resolve(options | {"training": options["training"] | FOLDERS | training})
    members = members_of(given)
    assert members is not None
    return train_members(given, members, dump, output=Path("study"))


def metrics(folder: str = "study") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(folder, file_names.METRICS).read_text())
    return content


@pytest.mark.parametrize(
    ("options", "training", "kind"),
    [
        (IRIS, {"replicas": 3}, "replicas"),
        (FOLDED, {"folds": 3}, "folds"),
        (LINE, {"folds": 2}, "folds"),
    ],
)
def test_a_member_trained_alone_gives_the_same_bits(
    options: dict[str, Any], training: dict[str, Any], kind: str, folder: Path
) -> None:
    study = study_of(options, **training)
    for k in range(2, len(study.runs) + 1):
        alone = nnjit.fit(f"study/{kind}/{k}/config.yaml", output=f"alone{k}")
        same_bits(Path("study", kind, str(k)), alone.path)


def test_replicas_have_seeds_of_their_own_and_one_split(folder: Path) -> None:
    study = study_of(IRIS | {"seed": 5}, replicas=3)
    assert [row["seed"] for row in study.metrics["runs"]] == [5, 6, 7]
    assert len({run.theta.tobytes() for run in study.runs}) == 3
    targets = [np.load(run.path / file_names.PREDICTIONS)["target"] for run in study.runs]
    assert all(np.array_equal(targets[0], target) for target in targets)


def test_replicas_of_generated_data_have_the_same() -> None:
    adding = {"type": "adding", "examples": 8, "steps": 4}
    given = {"data": adding, "test_data": adding, "model": ["flatten", {"type": "dense"}], "loss": "huber"}
    members = members_of(config.resolve(given | {"training": {"replicas": 2}}))
    assert members is not None
    first, second = (set_up(experiment, Path()).data for experiment in members.experiments)
    assert first.test is not None
    assert second.test is not None
    np.testing.assert_array_equal(first.train.x, second.train.x)
    np.testing.assert_array_equal(first.test.x, second.test.x)
    assert not np.array_equal(first.train.x, first.test.x)


def test_a_seed_of_the_split_beats_that_of_the_experiment(folder: Path) -> None:
    split = IRIS["data"]["split"] | {"seed": 9}
    given = config.resolve(IRIS | {"data": IRIS["data"] | {"split": split}}, ["training.replicas=2"])
    members = members_of(given)
    assert members is not None
    assert [member.data.split.seed for member in members.experiments] == [9, 9]


def test_the_aggregates_are_those_of_the_runs(folder: Path) -> None:
    study = study_of(FOLDED, folds=4)
    assert (study.metrics["kind"], study.metrics["count"], study.metrics["finished"]) == ("folds", 4, 4)
    assert set(study.metrics["splits"]) == {"train", "validation", "test"}
    for split, values in study.metrics["splits"].items():
        assert set(values) == {"loss", "accuracy"}
        for name, found in values.items():
            each = [run.metrics["splits"][split][name] for run in study.runs]
            np.testing.assert_allclose(found["mean"], np.mean(each), rtol=1e-12)
            np.testing.assert_allclose(found["deviation"], np.std(each, ddof=1), rtol=1e-9, atol=1e-15)


def test_a_value_that_is_not_finite_counts_in_no_mean() -> None:
    found = mean_and_deviation([math.nan, math.inf])
    assert math.isnan(found.mean)
    assert math.isnan(found.deviation)


def test_the_networks_together_answer_with_their_mean(folder: Path) -> None:
    study_of(IRIS, replicas=3)
    study, x = nnjit.load("study"), np.random.default_rng(0).normal(5, 2, (40, 4))
    assert isinstance(study, Study)
    each = [nnjit.load(f"study/replicas/{k}").predict_probabilities(x) for k in (1, 2, 3)]
    np.testing.assert_allclose(study.predict_probabilities(x), np.mean(each, axis=0))
    np.testing.assert_array_equal(study.predict(x), np.mean(each, axis=0).argmax(axis=1))
    losses = [run.history["train_loss"] for run in study.runs]
    np.testing.assert_array_equal(study.history["train_loss"], np.median(losses, axis=0))


def test_values_are_averaged_too(folder: Path) -> None:
    study, x = study_of(LINE, replicas=2), np.linspace(-1, 1, 5)[:, None]
    np.testing.assert_allclose(study.predict(x), np.mean([run.predict(x) for run in study.runs], axis=0))


@pytest.fixture
def bad_seeds(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[int]], None]:
    """Let the training with some seeds start from weights that overflow."""

    def plan(seeds: set[int]) -> None:
        initialize = Model.initialize

        def overflow(self: Model, seed: int, dtype: object = "f32") -> np.ndarray:
            return initialize(self, seed, dtype) * (1e200 if seed in seeds else 1)

        monkeypatch.setattr(Model, "initialize", overflow)

    return plan


def test_one_that_diverges_stops_no_other_and_is_named(
    folder: Path, bad_seeds: Callable[[set[int]], None]
) -> None:
    bad_seeds({1})
    study = study_of(LINE, replicas=3)
    found = study.metrics
    assert (found["status"], found["finished"], found["diverged"]) == ("completed", 2, [2])
    assert [row["status"] for row in found["runs"]] == ["completed", "diverged", "completed"]
    assert "the training diverged in epoch 1" in found["runs"][1]["message"]
    assert [run.path.name for run in study.runs] == ["1", "3"]
    values = [run.metrics["splits"]["train"]["loss"] for run in study.runs]
    assert found["splits"]["train"]["loss"]["mean"] == np.mean(values)
    write_report(Path("study"))
    assert "1 replica diverged (2) and counts in no mean" in Path("study/report.html").read_text()


def test_when_all_diverge_so_does_the_study(folder: Path, bad_seeds: Callable[[set[int]], None]) -> None:
    bad_seeds({0, 1})
    with pytest.raises(
        Diverged, match="all 2 replicas diverged; the first: the training diverged in epoch 1"
    ):
        nnjit.fit(LINE | {"training": LINE["training"] | {"replicas": 2}}, output="study", report=True)
    assert metrics()["status"] == "diverged"
    assert "none of 2 replicas finished" in Path("study/report.html").read_text()
    with pytest.raises(RunError, match="none of its replicas finished"):
        nnjit.load("study")


def test_ctrl_c_stops_all(folder: Path, after_epoch: Callable[..., None]) -> None:
    pressed = threading.Event()

    def press(_: Path, done: int) -> None:
        if done == 2 and not pressed.is_set():
            pressed.set()
            os.kill(os.getpid(), signal.SIGINT)  # to the process, as a terminal does
        if pressed.is_set():
            interrupted.wait(5)

    interrupted = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    note = nnjit.training.loop.callbacks.Interruption._note

    def noted(self: Any, number: int, frame: Any) -> None:
        note(self, number, frame)
        interrupted.set()

    after_epoch(press)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nnjit.training.loop.callbacks.Interruption, "_note", noted)
        with pytest.raises(Interrupted, match=r"interrupted when 0 of 5 replicas were done") as caught:
            study_of(LINE, replicas=5, epochs=50, threads=2)
    assert caught.value.folder == Path("study")
    assert signal.getsignal(signal.SIGINT) == before
    found = metrics()
    assert (found["status"], found["finished"]) == ("interrupted", 0)
    assert 1 <= len(found["runs"]) <= 2
    write_report(Path("study"))
    assert "did not finish" in Path("study/report.html").read_text()
    resumed = api.run(config.read("study/config.yaml"), resume=Path("study"), quiet=True)
    assert (resumed.metrics["status"], resumed.metrics["finished"]) == ("completed", 5)
    nnjit.fit(LINE | {"training": LINE["training"] | FOLDERS | {"replicas": 5, "epochs": 50}}, output="whole")
    for k in range(1, 6):
        same_bits(Path("whole/replicas", str(k)), Path("study/replicas", str(k)))


# fmt: off
WRONG = [
    ({"data": IRIS["data"]},
        "training.folds: each fold is a validation part, but data.split has validation: 0.2 too; "
        "set data.split.validation: 0 and omit data.split.fold"),
    ({"data": IRIS["data"] | {"split": {"fold": {"number": 1, "of": 2}}}},
        "training.folds: each fold is a validation part, but data.split has fold too"),
    ({"data": IRIS["data"] | {"split": {"test": 0.9}}, "training": {"folds": 16}},
        "training.folds: 16 folds of 15 rows leave some empty"),
    ({"data": FOLDED["data"], "validation_data": {"type": "sklearn", "dataset": "iris"}},
        "training.folds: each fold is a validation part, but there is validation_data too; remove one"),
    ({"data": {"type": "inline", "task": "classification", "x": [1, 2, 3, 4], "y": ["a", "a", "a", "b"]}},
        'training.folds: class "b" has one row outside the test part'),
]
# fmt: on


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_folds_that_cannot_be_are_told_with_their_place(
    change: dict[str, Any], message: str, folder: Path
) -> None:
    with pytest.raises((ConfigError, nnjit.errors.DataError), match=f"^{re.escape(message)}"):
        nnjit.fit(IRIS | {"training": {"folds": 3}} | change, output="study")
    assert not Path("study").exists()


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"folds": 2}, "study holds a study of replicas, but the config asks for 2 folds; resume it"),
        (
            {},
            r"holds a study of replicas, but the config asks for a single run; .*omit .*training.replicas\)",
        ),
    ],
)
def test_another_study_is_not_resumed(training: dict[str, Any], message: str, folder: Path) -> None:
    Path("study/replicas").mkdir(parents=True)
    with pytest.raises(RunError, match=message):
        api.run(config.read(LINE | {"training": training}), resume=Path("study"))


def test_replicas_do_not_go_on_from_a_run(folder: Path) -> None:
    Path("run").mkdir()
    Path("run", file_names.MODEL).touch()
    with pytest.raises(RunError, match="run holds no study, but the config asks for 2 replicas; resume it"):
        api.run(config.read(LINE | {"training": {"replicas": 2}}), resume=Path("run"))


def test_a_study_and_its_members_have_one_writer(folder: Path, after_epoch: Callable[..., None]) -> None:
    words: list[str] = []
    given = {path: config.read(LINE | {"training": FOLDERS | {"replicas": 2}}) for path in ("study",)}
    given["study/replicas/1"] = config.read(LINE)

    def try_too(path: Path, done: int) -> None:
        if path.name == "1" and done == 2:
            for place, asked in given.items():
                with pytest.raises(RunError) as refused:
                    api.run(asked, resume=Path(place), quiet=True)
                words.append(str(refused.value))

    after_epoch(try_too)
    study = study_of(LINE, replicas=2)
    assert [message.split(" on ")[0] for message in words] == [f"{p}: process {os.getpid()}" for p in given]
    assert study.metrics["finished"] == 2


def test_an_existing_folder_is_never_written_over(folder: Path) -> None:
    Path("study").mkdir()
    with pytest.raises(RunError, match="study exists already"):
        study_of(LINE, replicas=2)


def test_a_defect_in_one_is_raised_and_ends_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("nnjit.training.study.trainers.describe", fail)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        study_of(LINE, replicas=3)


def test_reports_and_comparisons_take_a_replica(folder: Path) -> None:
    nnjit.fit(IRIS | {"training": IRIS["training"] | FOLDERS | {"replicas": 2}}, output="study", report=True)
    assert "Report of 2 replicas: iris" in Path("study/report.html").read_text()
    write_report(Path("study/replicas/2"))
    assert "Training report: iris" in Path("study/replicas/2/report.html").read_text()
    runs = {Path("study/replicas", k): {"seed": int(k)} for k in ("1", "2")}
    assert write_comparison(runs, Path("page.html")).labels == ("1", "2")
