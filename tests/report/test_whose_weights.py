"""The report says which weights its metrics belong to, and why."""

# ruff: noqa: E501  a row is a run and its sentence

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nnjit.report.files import RunFiles, read_run
from nnjit.report.pages import summary
from nnjit.runs.status import Status
from tests.report import run_folders

LAST = "Metrics and predictions are those of the weights after the last epoch, epoch 40"
BEST = "Metrics and predictions are those of the best epoch’s weights, epoch 32"

# fmt: off
ROWS: list[tuple[dict[str, Any], str]] = [
    ({"weights": "best"},                                        f"{BEST}, which had the lowest validation loss."),
    ({"weights": "best", "mode": "max", "monitor": "validation_accuracy"},
     f"{BEST}, which had the highest validation accuracy."),
    ({"weights": "best", "averaging": "swa"},
     f"{BEST}, averaged over the updates (swa), which had the lowest validation loss."),
    ({"weights": "last", "best_epoch": None, "monitor": ""},
     f"{LAST}: without a validation part, no epoch is chosen unless `training.keep: best` asks for it."),
    ({"weights": "last"},
     f"{LAST}, as `training.keep: last` asks; epoch 32 had the lowest validation loss."),
    ({"weights": "last", "status": Status.TARGET_REACHED},       f"{LAST}, with which the training reached its target."),
    ({"weights": "last", "best_epoch": None},                    f"{LAST}: no epoch had a finite validation loss."),
    ({"weights": "last", "epochs": 0, "best_epoch": None},       "Metrics and predictions are those of the untrained weights."),
]
# fmt: on


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFiles:
    return read_run(run_folders.digits(tmp_path_factory.mktemp("runs") / "run"))


@pytest.mark.parametrize(("changes", "sentence"), ROWS)
def test_the_report_says_whose_values_it_shows(run: RunFiles, changes: dict[str, Any], sentence: str) -> None:
    assert summary.whose(replace(run, metrics=replace(run.metrics, **changes))) == sentence


@pytest.mark.parametrize(("weights", "is_kept"), [("best", True), ("last", False)])
def test_early_stopping_says_that_the_best_weights_were_kept_if_they_were(
    run: RunFiles, weights: Any, is_kept: bool
) -> None:
    metrics = replace(run.metrics, status=Status.EARLY_STOPPED, weights=weights)
    notice = summary.notice(replace(run, metrics=metrics))
    assert notice is not None
    assert ("The weights of epoch 32, the best one, were kept." in notice.text) is is_kept
