"""A user's function called after each epoch: its argument, how it stops a run, and its exceptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.errors import UserError
from nnjit.progress.on_epoch import FinishedEpoch
from nnjit.runs import file_names

pytestmark = pytest.mark.small

CONFIG: dict[str, Any] = {
    "name": "lines",
    "data": {
        "type": "inline",
        "x": [[k / 8] for k in range(8)],
        "y": [2 * k / 8 for k in range(8)],
        "split": {"validation": 0.25},
    },
    "model": [{"type": "dense", "units": 3, "activation": "tanh"}, {"type": "dense", "units": 1}],
    "loss": "squared_error",
    "metrics": ["mae"],
    "training": {"epochs": 12, "batch_size": 2},
}
FULL_BATCH = CONFIG | {"optimizer": "gauss_newton", "training": {"epochs": 5, "batch_size": "full"}}


def with_training(**options: Any) -> dict[str, Any]:
    return CONFIG | {"training": CONFIG["training"] | options}


@pytest.mark.parametrize("config", [CONFIG, FULL_BATCH], ids=["steps", "full-batch"])
def test_it_sees_each_epoch_once_with_its_row_of_the_history(config: dict[str, Any], tmp_path: Path) -> None:
    seen: list[FinishedEpoch] = []
    run = nnjit.fit(config, output=tmp_path / "run", on_epoch=seen.append)
    assert [epoch.number for epoch in seen] == run.history["epoch"].tolist()
    assert {epoch.epochs for epoch in seen} == {config["training"]["epochs"]}
    assert {(epoch.folder, epoch.member) for epoch in seen} == {(tmp_path / "run", None)}
    for name in ("train_loss", "validation_loss", "validation_mae", "train_mae"):
        assert [epoch.values[name] for epoch in seen] == run.history[name].tolist(), name


def test_it_changes_no_bit_of_the_training(tmp_path: Path) -> None:
    followed = nnjit.fit(CONFIG, output=tmp_path / "a", on_epoch=lambda epoch: None)
    alone = nnjit.fit(CONFIG, output=tmp_path / "b")
    assert np.array_equal(followed.theta, alone.theta)
    for name in alone.history.keys() - {"train_seconds"}:
        assert np.array_equal(followed.history[name], alone.history[name]), name


def test_it_ends_the_training_after_an_epoch(tmp_path: Path) -> None:
    run = nnjit.fit(
        CONFIG,
        output=tmp_path / "run",
        report=True,
        on_epoch=lambda epoch: epoch.number == 4 and epoch.stop(),
    )
    assert (run.metrics["status"], run.metrics["epochs"]) == ("stopped", 4)
    assert "on_epoch" in (tmp_path / "run" / file_names.REPORT).read_text(encoding="utf-8")
    opened = nnjit.fit(CONFIG, output=tmp_path / "run", resume_or_start=True)
    assert opened.metrics["epochs"] == 4  # it has ended, so there is nothing left to do


def test_stopping_after_the_last_epoch_is_completing(tmp_path: Path) -> None:
    run = nnjit.fit(
        CONFIG, output=tmp_path / "run", on_epoch=lambda epoch: epoch.number == 12 and epoch.stop()
    )
    assert run.metrics["status"] == "completed"


class Mine(Exception):
    """A user's exception."""


def test_what_it_raises_is_raised_once_the_run_is_saved(tmp_path: Path) -> None:
    def fail(epoch: FinishedEpoch) -> None:
        if epoch.number == 5:
            raise Mine("no more") from KeyError("a cause")

    with pytest.raises(Mine, match="no more") as caught:
        nnjit.fit(CONFIG, output=tmp_path / "run", on_epoch=fail, report=True)
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.traceback[-1].name == "fail"
    assert nnjit.load(tmp_path / "run").metrics["status"] == "interrupted"
    assert (tmp_path / "run" / file_names.REPORT).is_file()
    resumed = nnjit.fit(CONFIG, output=tmp_path / "run", resume_or_start=True)
    assert np.array_equal(resumed.theta, nnjit.fit(CONFIG, output=tmp_path / "other").theta)


def test_in_a_study_it_knows_the_member_and_stops_it_alone(tmp_path: Path) -> None:
    seen: list[tuple[int | None, int]] = []

    def look(epoch: FinishedEpoch) -> None:
        seen.append((epoch.member, epoch.number))
        if epoch.member == 2 and epoch.number == 3:
            epoch.stop()

    study = nnjit.fit(with_training(replicas=3), output=tmp_path / "study", on_epoch=look)
    ended = [(run["status"], run["epochs"]) for run in study.metrics["runs"]]
    assert ended == [("completed", 12), ("stopped", 3), ("completed", 12)]
    assert sorted(seen) == [(k, n) for k, last in ((1, 12), (2, 3), (3, 12)) for n in range(1, last + 1)]


def test_what_it_raises_stops_all_members_of_a_study(tmp_path: Path) -> None:
    def fail(epoch: FinishedEpoch) -> None:
        raise Mine

    with pytest.raises(Mine):
        nnjit.fit(with_training(replicas=3), output=tmp_path / "study", on_epoch=fail)
    study = nnjit.fit(with_training(replicas=3), output=tmp_path / "study", resume_or_start=True)
    assert [run["status"] for run in study.metrics["runs"]] == ["completed"] * 3


def test_what_is_not_a_function_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    wrong: Any = 3
    with pytest.raises(UserError, match=r"^on_epoch: expected a function of one argument, got int$"):
        nnjit.fit(CONFIG, output=tmp_path / "run", on_epoch=wrong)
    assert not (tmp_path / "run").exists()
