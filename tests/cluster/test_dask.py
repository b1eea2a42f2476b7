"""A search and studies on a Dask cluster of two worker processes."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnjit
from nnjit.cluster import dask
from nnjit.errors import UserError
from nnjit.runs import file_names
from nnjit.searching import loop
from nnjit.training.study.table import MembersTable
from tests.searching.conftest import CONFIG, RATES, searching

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'nnjit[dask]'")


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, host="127.0.0.1", silence_logs=100) as found:
        yield found


def address_of(workers: Any) -> str:
    return str(workers.scheduler_address).replace("tcp://", "dask://")


def kill_a_busy_one(workers: Any) -> bool:
    """Kill a worker that is running a call, if there is one."""
    busy = [state.address for state in workers.scheduler.workers.values() if state.processing]
    for nanny in workers.workers.values():
        if nanny.worker_address in busy[:1]:
            os.kill(nanny.pid, signal.SIGKILL)
    return bool(busy)


def test_trials_are_the_same_on_a_cluster(workers: Any, tmp_path: Path) -> None:
    config = searching(space=RATES | {"model[0].units": {"choices": [2, 4]}}, sampler="random", trials=6)
    here = nnjit.search(config, output=tmp_path / "here", workers=1)
    there = nnjit.search(config, output=tmp_path / "there", engine=address_of(workers), workers=1)
    assert [(t.number, t.options, t.value, t.curve) for t in here.trials] == [
        (t.number, t.options, t.value, t.curve) for t in there.trials
    ]
    assert np.array_equal(here.run.theta, there.run.theta)


def test_data_from_python_goes_to_the_workers(workers: Any, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    config = searching(CONFIG | {"data": {"type": "arrays", "split": {"validation": 0.3}}}, trials=3)
    config["model"] = [{"type": "dense", "units": 2}]
    data = (x, (x[:, 0] > 0).astype(int))
    found = nnjit.search(config, data=data, output=tmp_path / "s", engine=address_of(workers))
    assert all(math.isfinite(trial.value) for trial in found.trials)


def test_a_file_is_read_here_and_not_by_the_workers(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # not the workers' folder
    rows = "".join(f"{k},{k % 7},{'ab'[k % 2]}\n" for k in range(60))
    Path("data.csv").write_text("p,q,kind\n" + rows, encoding="utf-8")
    data = {"type": "table", "file": "data.csv", "target": "kind", "split": {"validation": 0.3}}
    config = searching(CONFIG | {"data": data}, trials=3)
    config["model"] = [{"type": "dense", "units": 2}]
    found = nnjit.search(config, output="s", engine=address_of(workers))
    assert all(math.isfinite(trial.value) for trial in found.trials)


def test_a_pruner_hears_of_trials_elsewhere(workers: Any, tmp_path: Path) -> None:
    config = CONFIG | {"training": {"epochs": 30}}
    options = {"pruner": "median", "startup": 3, "trials": 12, "sampler": "random"}
    options |= {"metric": "validation_loss"}
    given = searching(config, **options)
    here = nnjit.search(given, output=tmp_path / "here", workers=1)
    there = nnjit.search(given, output=tmp_path / "there", workers=1, engine=address_of(workers))
    assert [t.status for t in here.trials] == [t.status for t in there.trials]
    assert "pruned" in {t.status for t in there.trials}


def test_trials_of_a_killed_worker_are_done_again(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_killed, tell = False, loop.optuna_study.tell

    def kill_one(*given: Any) -> None:
        nonlocal is_killed
        is_killed = is_killed or kill_a_busy_one(workers)
        tell(*given)

    monkeypatch.setattr(loop.optuna_study, "tell", kill_one)
    config = searching(CONFIG | {"training": {"epochs": 1000}}, trials=8)
    found = nnjit.search(config, output=tmp_path / "s", engine=address_of(workers))
    assert is_killed
    assert sorted(trial.number for trial in found.trials) == list(range(8))
    assert {trial.status for trial in found.trials} == {"completed"}


STUDIES: tuple[dict[str, Any], ...] = (
    {"training": {"epochs": 4, "replicas": 3}},
    {"training": {"epochs": 4, "folds": 3}, "data": {"type": "sklearn", "dataset": "iris"}},
)


@pytest.mark.parametrize("study", STUDIES, ids=["replicas", "folds"])
def test_members_have_the_same_bits_on_a_cluster(study: dict[str, Any], workers: Any, tmp_path: Path) -> None:
    here = nnjit.fit(CONFIG | study, output=tmp_path / "here")
    there = nnjit.fit(CONFIG | study, output=tmp_path / "there", engine=address_of(workers))
    for mine, other in zip(here.runs, there.runs, strict=True):
        assert np.array_equal(mine.theta, other.theta)
        assert mine.metrics["splits"] == other.metrics["splits"]
    assert here.metrics["splits"] == there.metrics["splits"]


def test_a_study_goes_on_elsewhere(workers: Any, tmp_path: Path) -> None:
    config = CONFIG | {"training": {"epochs": 3, "replicas": 2}}
    longer = ["training.epochs=6"]
    whole = nnjit.fit(config, longer, output=tmp_path / "whole")
    nnjit.fit(config, output=tmp_path / "s")
    options: dict[str, Any] = {"output": tmp_path / "s", "resume_or_start": True}
    resumed = nnjit.fit(config, longer, **options, engine=address_of(workers))
    for mine, other in zip(whole.runs, resumed.runs, strict=True):
        assert np.array_equal(mine.theta, other.theta)


def test_members_of_a_killed_worker_are_done_again(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_killed, put = False, MembersTable.put

    def kill_one(*given: Any, **options: Any) -> None:
        nonlocal is_killed
        is_killed = is_killed or kill_a_busy_one(workers)
        put(*given, **options)

    monkeypatch.setattr(MembersTable, "put", kill_one)
    config = CONFIG | {"training": {"epochs": 1000, "replicas": 6}}
    found = nnjit.fit(config, output=tmp_path / "s", engine=address_of(workers))
    assert is_killed
    assert len(found.runs) == 6


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        ({}, {}, "a cluster trains the members of a study, and this is one training"),
        ({"replicas": 2}, {"on_epoch": print}, "on_epoch: a function here cannot follow members"),
        ({"replicas": 2}, {"output": False}, "a cluster's results are kept in a folder"),
        ({"replicas": 2, "members": "folders"}, {}, "a cluster only trains replicas that fit one table"),
    ],
)
def test_what_a_cluster_does_not_train_is_said(
    options: dict[str, Any], more: dict[str, Any], message: str, workers: Any, tmp_path: Path
) -> None:
    config = CONFIG | {"training": {"epochs": 4} | options}
    given = {"output": tmp_path / "s"} | more
    with pytest.raises(UserError, match=message):
        nnjit.fit(config, **given, engine=address_of(workers))
    assert not (tmp_path / "s").exists()


def test_ctrl_c_stops_the_trials_of_all_workers(
    workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, call = threading.Event(), dask.DaskEngine.call

    def interrupted(*given: Any, **options: Any) -> Any:
        if not begun.is_set():
            begun.set()
            os.kill(os.getpid(), signal.SIGINT)
        return call(*given, **options)

    monkeypatch.setattr(dask.DaskEngine, "call", interrupted)
    config = searching(CONFIG | {"training": {"epochs": 10_000_000}})
    with pytest.raises(nnjit.errors.Interrupted, match="interrupted after 0 trials"):
        nnjit.search(config, output=tmp_path / "s", engine=address_of(workers))
    assert (tmp_path / "s" / file_names.TRIALS).is_file()
    with distributed.Client(workers.scheduler_address, set_as_default=False) as client:
        assert not any(client.processing().values())


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("10.0.0.5", r'engine: expected dask://HOST:PORT, such as dask://10.0.0.5:8786, got "10.0.0.5"'),
        ("dask://127.0.0.1:1", "dask://127.0.0.1:1: no cluster can be reached there"),
    ],
)
def test_a_cluster_that_cannot_be_reached_is_said(
    address: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match=message):
        nnjit.search(searching(), output=tmp_path / "s", engine=address)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("constant", "path", "there"),
    [
        ("VERSION_OF", "nnjit.version:ABSENT", "no such nnjit"),
        ("VERSION_OF", "nnjit.version:__name__", "nnjit nnjit.version"),
        ("DIGEST_OF", "nnjit.version:__name__", "nnjit of source nnjit.version"),
    ],
)
def test_a_cluster_with_another_version_is_refused(
    constant: str, path: str, there: str, workers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, constant, path)
    with pytest.raises(UserError, match=f"and 1 other has {there}, and this machine has "):
        nnjit.search(searching(), output=tmp_path / "s", engine=address_of(workers))
    assert not (tmp_path / "s").exists()
