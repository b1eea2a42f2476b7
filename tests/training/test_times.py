"""The times of a run include all its sessions, and the parts add up to at most the total."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nnjit
from nnjit import api, config
from nnjit.errors import Interrupted
from nnjit.report import formatting
from nnjit.report.files import read_run
from nnjit.report.pages import summary
from nnjit.runs import file_names
from nnjit.runs.history import read_history
from nnjit.runs.metrics import RunMetrics, earlier_seconds
from nnjit.runs.status import Status
from nnjit.runs.study import StudyMetrics
from nnjit.training import Run
from nnjit.training.loop import recorders
from nnjit.training.setup import state
from nnjit.training.study import parallel
from tests.training.conftest import IRIS

Plan = Callable[[int], None]


def begin(path: Path) -> None:
    nnjit.fit(IRIS, output=path)


def go_on(path: Path) -> Run:
    made = api.run(config.read(path / file_names.CONFIG), resume=path, quiet=True)
    assert isinstance(made, Run)
    return made


def test_the_times_of_all_sessions_add_up(folder: Path, interrupt_after: Plan) -> None:
    def seconds() -> dict[str, float]:
        return dict(RunMetrics.read(folder / "run").seconds)

    interrupt_after(2)
    with pytest.raises(Interrupted):
        begin(folder / "run")
    first = seconds()
    slow = read_history(folder / "run")["train_seconds"].sum()
    interrupt_after(4)
    with pytest.raises(Interrupted):
        go_on(folder / "run")
    second, done = seconds(), go_on(folder / "run").metrics["seconds"]
    for earlier, later in ((first, second), (second, done)):
        assert all(later[name] > earlier[name] for name in ("train", "wall"))
        assert later["compile"] >= earlier["compile"]
    for spent in (first, second, done):
        assert spent["compile"] + spent["train"] <= spent["wall"] + 1e-5  # the file has six digits
    assert first["train"] == pytest.approx(slow, abs=1e-5)
    times = {fact.label.partition(",")[0]: fact.value for fact in summary.times(read_run(folder / "run"))}
    assert times["total"] == formatting.seconds(done["wall"])
    assert times["training"] == formatting.seconds(done["train"])


def test_epochs_of_a_killed_session_count_as_part_of_everything(
    folder: Path, interrupt_after: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (state, recorders):  # the history changes below
        monkeypatch.setattr(module, "checksum", lambda content: "")
    interrupt_after(4)
    with pytest.raises(Interrupted):
        begin(folder / "run")
    (folder / "run" / file_names.METRICS).unlink()  # as if killed after its checkpoint
    text = (folder / "run" / file_names.HISTORY).read_text(encoding="utf-8").splitlines()
    rows = [line.rpartition(",")[0] + ",25.0" for line in text[1:]]
    (folder / "run" / file_names.HISTORY).write_text("\n".join([text[0], *rows]) + "\n", encoding="utf-8")
    spent = go_on(folder / "run").metrics["seconds"]
    assert spent["train"] > 100
    assert spent["compile"] + spent["train"] <= spent["wall"] + 1e-5


def test_the_times_of_a_study_count_all_sessions(folder: Path, interrupt_after: Plan) -> None:
    interrupt_after(2)
    with pytest.raises(Interrupted):
        nnjit.fit(
            IRIS, ["training.replicas=2", "training.members=folders", "training.threads=1"], output="run"
        )
    first = StudyMetrics.read(Path("run")).seconds
    api.run(config.read(Path("run") / file_names.CONFIG), resume=Path("run"), quiet=True)
    done = StudyMetrics.read(Path("run")).seconds
    assert done["wall"] > first["wall"] > 0
    assert done["compile"] > first["compile"] > 0
    assert done["train"] > first["train"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"seconds": 3}', '{"seconds": {"wall": "long"}}', '{"seconds": {"wall": null}}'],
)
def test_times_that_are_damaged_count_as_none(tmp_path: Path, text: str) -> None:
    """The metrics are rewritten when training ends."""
    (tmp_path / file_names.METRICS).write_text(text, encoding="utf-8")
    assert earlier_seconds(tmp_path / file_names.METRICS) == {"compile": 0.0, "wall": 0.0}


def test_a_study_killed_in_its_second_session_keeps_the_times_of_the_first(
    folder: Path, interrupt_after: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_after(2)
    with pytest.raises(Interrupted):
        nnjit.fit(
            IRIS, ["training.replicas=2", "training.members=folders", "training.threads=1"], output="run"
        )
    first = StudyMetrics.read(Path("run"))

    def be_killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "_train_all", be_killed)
    with pytest.raises(KeyboardInterrupt):
        api.run(config.read(Path("run") / file_names.CONFIG), resume=Path("run"), quiet=True)
    second = StudyMetrics.read(Path("run"))
    assert second.seconds == first.seconds
    assert second.status is Status.INTERRUPTED
