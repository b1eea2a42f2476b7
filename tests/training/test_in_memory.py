"""Training with `output=False` writes nothing and is otherwise the same."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.errors import Diverged, RunError
from nnjit.runs import file_names
from nnjit.training import Run
from tests.training.conftest import IRIS, LINE, same_bits

FULL_BATCH: dict[str, Any] = LINE | {"optimizer": "lbfgs", "training": {"epochs": 3, "batch_size": "full"}}
CASES = {"iris": IRIS, "line": LINE, "full batch": FULL_BATCH}


@pytest.fixture(params=CASES)
def pair(request: pytest.FixtureRequest, folder: Path) -> tuple[Run, Run]:
    """The same training in a folder and in memory."""
    given = CASES[request.param]
    return nnjit.fit(given, output="run"), nnjit.fit(given, output=False)


def untimed(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metrics.items() if name != "seconds"}


def test_it_writes_nothing(folder: Path) -> None:
    run = nnjit.fit(IRIS, output=False)
    assert list(folder.iterdir()) == []
    assert run.path is None
    assert repr(run).endswith("\n  in memory")


def test_it_has_all_that_a_run_in_a_folder_has(pair: tuple[Run, Run]) -> None:
    theirs, ours = pair
    np.testing.assert_array_equal(ours.theta, theirs.theta)
    assert untimed(ours.metrics) == untimed(theirs.metrics)
    assert ours.metrics["seconds"].keys() == theirs.metrics["seconds"].keys()
    assert list(ours.history) == list(theirs.history)
    for name in ours.history.keys() - {"train_seconds"}:
        np.testing.assert_array_equal(ours.history[name], theirs.history[name], name)
    assert ours.data == theirs.data
    x = np.ones((3, *ours.compiled.task.model.input_shape))
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


def test_a_pickled_one_predicts(pair: tuple[Run, Run]) -> None:
    _, run = pair
    again = pickle.loads(pickle.dumps(run))
    x = np.ones((3, *run.compiled.task.model.input_shape))
    np.testing.assert_array_equal(again.predict(x), run.predict(x))
    np.testing.assert_array_equal(again.history["train_loss"], run.history["train_loss"])
    assert again.metrics == run.metrics
    assert repr(again) == repr(run)


def test_saved_it_is_the_folder_that_the_training_would_have_left(pair: tuple[Run, Run]) -> None:
    theirs, ours = pair
    saved = ours.save("saved")
    assert saved.folder == Path("saved")
    same_bits(theirs.folder, saved.folder)
    files = {str(p.relative_to(theirs.folder)) for p in theirs.folder.rglob("*")}
    assert {str(p.relative_to("saved")) for p in Path("saved").rglob("*")} == files
    assert untimed(nnjit.load("saved").metrics) == untimed(theirs.metrics)
    assert saved.report() == Path("saved", file_names.REPORT)
    assert "Training report" in Path("saved", file_names.REPORT).read_text(encoding="utf-8")


def test_saved_it_goes_on_as_any_other(folder: Path) -> None:
    nnjit.fit(IRIS, ["training.epochs=3", "schedule=constant"], output=False).save("run")
    longer = nnjit.fit(IRIS, ["schedule=constant"], output="run", resume_or_start=True)
    same_bits(longer.folder, nnjit.fit(IRIS, ["schedule=constant"], output="whole").folder)


def test_a_run_in_a_folder_is_saved_as_a_copy(folder: Path) -> None:
    run = nnjit.fit(LINE, output="run")
    same_bits(run.folder, run.save("copy").folder)


def test_nothing_is_overwritten(folder: Path) -> None:
    Path("run").mkdir()
    with pytest.raises(RunError, match="run exists already"):
        nnjit.fit(LINE, output=False).save("run")


def test_a_pickled_run_is_saved_without_what_needs_its_data(folder: Path) -> None:
    run = nnjit.fit(LINE, output=False)
    saved = pickle.loads(pickle.dumps(run)).save("run")
    assert saved.report().is_file()
    assert not (folder / "run" / "predictions.npz").exists()
    opened, x = nnjit.load("run"), [[0.5], [2.0]]
    np.testing.assert_array_equal(opened.predict(x), run.predict(x))
    np.testing.assert_equal(opened.history, run.history)
    assert opened.metrics == run.metrics


def test_what_needs_a_folder_says_so(folder: Path) -> None:
    run = nnjit.fit(LINE, output=False)
    with pytest.raises(RunError, match=r"only in memory; save it first"):
        run.report()
    for option in ("report", "resume_or_start"):
        with pytest.raises(RunError, match=r"output=False leaves no folder"):
            nnjit.fit(LINE, output=False, **{option: True})


def test_a_divergence_is_told_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(Diverged, match=r"diverged in epoch 1, batch 1 of 3") as caught:
        nnjit.fit(LINE, ["data.y[0]=1e200"], output=False)
    assert caught.value.folder is None
    assert list(folder.iterdir()) == []
