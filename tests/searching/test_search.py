"""A search: its trials, its files, and that its best trial has the stated result."""

from __future__ import annotations

import csv
import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

import nnjit
from nnjit.config import load
from nnjit.errors import RunError
from nnjit.runs import file_names
from nnjit.runs.search import TrialStatus
from tests.searching.conftest import CONFIG, RATES, searching

UNITS = {"choices": [2, 4, 8]}
MAPPINGS = {"choices": ["adam", {"type": "momentum", "momentum": 0.8}]}


def test_the_best_trial_trained_anew_reaches_its_value(tmp_path: Path) -> None:
    space = RATES | {"model[0].units": UNITS}
    found = nnjit.search(searching(space=space, trials=6), output=tmp_path / "s", workers=1)
    values = [trial.value for trial in found.trials]
    assert values == sorted(values, reverse=True)
    assert found.run.metrics["splits"]["validation"]["accuracy"] == values[0]
    best = load(tmp_path / "s" / file_names.BEST_CONFIG)
    assert best.optimizer.learning_rate == found.best_options["optimizer.learning_rate"]
    assert best.model.layers[0].units == found.best_options["model[0].units"]
    assert best.search is None
    assert np.array_equal(nnjit.fit(best, output=False).theta, found.run.theta)


def test_one_worker_gives_the_same_trials_each_time(tmp_path: Path) -> None:
    first, second = (
        nnjit.search(searching(trials=12), output=tmp_path / name, workers=1).trials for name in "ab"
    )
    assert [(t.options, t.value, t.curve) for t in first] == [(t.options, t.value, t.curve) for t in second]


def test_the_table_has_a_row_for_each_trial_the_best_first(tmp_path: Path) -> None:
    found = nnjit.search(searching(space=RATES | {"optimizer": MAPPINGS}), output=tmp_path / "s")
    with (tmp_path / "s" / file_names.TRIALS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    for row, trial in zip(rows, found.trials, strict=True):
        assert float(row["validation_accuracy"]) == trial.value
        assert float(row["optimizer.learning_rate"]) == trial.options["optimizer.learning_rate"]
        option = trial.options["optimizer"]
        assert row["optimizer"] == (option if isinstance(option, str) else json.dumps(option))
    page = (tmp_path / "s" / file_names.REPORT).read_text(encoding="utf-8")
    assert "What the best trials have in common" in page


@pytest.mark.parametrize(
    ("options", "training", "trials"),
    [
        ({"sampler": "random"}, {}, 4),
        ({"sampler": "grid", "space": {"model[0].units": UNITS}}, {}, 3),
        ({"sampler": "cma", "startup": 2, "space": RATES | {"penalty.l2": {"uniform": [0, 1]}}}, {}, 4),
        ({"sampler": "tpe", "startup": 2, "space": {"model[0].units": {"log_integers": [1, 64]}}}, {}, 4),
        ({"space": {"training.batch_size": {"integers": [8, 4000]}}}, {}, 4),
        ({"replicas": 2}, {}, 4),
        ({"metric": "validation_loss"}, {}, 4),
        ({"metric": "train_loss", "pruner": "hyperband"}, {}, 4),
        ({}, {"folds": 2}, 4),
    ],
    ids=str,
)
def test_each_way_of_searching(
    options: dict[str, Any], training: dict[str, Any], trials: int, tmp_path: Path
) -> None:
    config = CONFIG | {"training": CONFIG["training"] | training}
    if training:
        config |= {"data": CONFIG["data"] | {"split": {}}}
    found = nnjit.search(searching(config, **options), output=tmp_path / "s", workers=1)
    assert len(found.trials) == trials
    assert len({str(trial.options) for trial in found.trials}) == trials
    assert all(math.isfinite(trial.value) for trial in found.trials if trial.status == "completed")


def test_replicas_count_with_their_mean(tmp_path: Path) -> None:
    config = searching(space={"model[0].units": {"choices": [4]}}, trials=1, replicas=3)
    (trial,) = nnjit.search(config, output=tmp_path / "s").trials
    study = CONFIG | {"training": CONFIG["training"] | {"replicas": 3}}
    mean = nnjit.fit(study, output=tmp_path / "r").metrics["splits"]["validation"]["accuracy"]["mean"]
    assert trial.value == pytest.approx(mean, rel=1e-12)  # sums in another order


def test_a_pruner_ends_trials_that_look_bad(tmp_path: Path) -> None:
    config = CONFIG | {"training": {"epochs": 30}}
    options = {
        "pruner": "median",
        "startup": 3,
        "trials": 16,
        "sampler": "random",
        "metric": "validation_loss",
    }
    found = nnjit.search(searching(config, **options), output=tmp_path / "s", workers=1)
    pruned = [trial for trial in found.trials if trial.status is TrialStatus.PRUNED]
    assert pruned
    assert all(trial.epochs < 30 for trial in pruned if trial.epochs)
    assert all(trial.curve[-1][0] < 30 for trial in pruned)


def test_options_that_do_not_fit_together_fail_their_trial_alone(tmp_path: Path) -> None:
    space = {
        "training.early_stopping": {"choices": [None, {"patience": 2}]},
        "training.early_stopping.monitor": {"choices": ["validation_loss", "validation_f1"]},
    }
    config = searching(space=space, sampler="grid", trials=9)
    found = nnjit.search(config, output=tmp_path / "s", workers=1)
    failed = [trial for trial in found.trials if trial.status is TrialStatus.FAILED]
    assert {trial.options["training.early_stopping.monitor"] for trial in failed} == {"validation_f1"}
    assert all("validation_f1" in trial.message for trial in failed)
    assert len(failed) == 2


def test_if_no_trial_completes_the_first_reason_is_told(tmp_path: Path) -> None:
    config = searching(space={"training.early_stopping.monitor": {"choices": ["validation_f1"]}}, trials=1)
    with pytest.raises(RunError, match=r"no trial completed \(1 failed\); the first: .*validation_f1"):
        nnjit.search(config, output=tmp_path / "s")
    assert (tmp_path / "s" / file_names.TRIALS).is_file()


def test_data_from_python_is_searched_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    config = searching(CONFIG | {"data": {"type": "arrays", "split": {"validation": 0.3}}}, trials=2)
    config["model"] = [{"type": "dense", "units": 2}]
    found = nnjit.search(config, data=(x, (x[:, 0] > 0).astype(int)), output=tmp_path / "s")
    assert len(found.trials) == 2


def test_a_search_goes_on_with_more_trials(tmp_path: Path) -> None:
    first = nnjit.search(searching(trials=2), output=tmp_path / "s", workers=1)
    more = nnjit.search(None, ["search.trials=5"], resume=tmp_path / "s", workers=1)
    assert len(more.trials) == 5
    known = {trial.number: trial.value for trial in more.trials}
    assert all(known[trial.number] == trial.value for trial in first.trials)


def test_a_search_that_is_killed_goes_on(tmp_path: Path) -> None:
    file, folder = tmp_path / "config.yaml", tmp_path / "s"
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(searching(CONFIG | {"training": {"epochs": 200}}, trials=400), stream)
    search = ["search", str(file), "--output", str(folder), "--quiet"]
    command = [sys.executable, "-c", "from nnjit.cli import main; main()", *search]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = folder / file_names.JOURNAL
    end = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b'"outcome"') >= 3):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with journal.open("ab") as torn:
        torn.write(b'{"op_code": 5, "tri')  # as left by a process killed while writing
    done = journal.read_bytes().count(b'"outcome"')
    found = nnjit.search(None, [f"search.trials={done + 2}"], resume=folder)
    assert len(found.trials) >= done
    assert all(trial.status is TrialStatus.COMPLETED for trial in found.trials)
