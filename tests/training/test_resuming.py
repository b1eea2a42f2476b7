"""Resuming compares a run with its start and reports changes; a refusal writes nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnjit import api, config
from nnjit.data import contents_of, digest
from nnjit.errors import RunError, UserError
from nnjit.report import write_report
from nnjit.runs import file_names
from nnjit.runs.fingerprint import Change, Fingerprint
from nnjit.training import Run
from nnjit.training.loop.resuming import MAY_CHANGE
from tests.training.conftest import LINE

ROWS = [f"{k},{k * k % 7},{'ab'[k % 2]}" for k in range(12)]
TABLE: dict[str, Any] = {
    "name": "table",
    "data": {"type": "csv", "file": "table.csv", "target": "kind", "split": {"validation": 0.25}},
    "model": [{"type": "dense", "units": 2}],
    "loss": "softmax_cross_entropy",
    "training": {"epochs": 2},
}


def write_table(rows: list[str], name: str = "table.csv", header: str = "u,v,kind") -> None:
    Path(name).write_text("\n".join([header, *rows]) + "\n")


def resume(run: str | Path, *settings: str) -> Any:
    path = Path(run)
    return api.run(config.read(path / file_names.CONFIG, settings), resume=path, write_report=lambda _: None)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fit(given: dict[str, Any], output: Path) -> Any:
    return api.run(config.read(given), output=output, write_report=lambda _: None)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a table, and a run and studies trained on it or on a line."""
    path, here = tmp_path_factory.mktemp("trained"), Path.cwd()
    os.chdir(path)
    try:
        write_table(ROWS)
        fit(TABLE, Path("run"))
        fit(LINE, Path("line"))
        for study in ("replicas", "folds"):
            fit(LINE | {"training": LINE["training"] | {study: 2, "members": "folders"}}, Path(study))
        yield path
    finally:
        os.chdir(here)


@pytest.fixture
def copied(trained: Path, folder: Path) -> Path:
    """A copy of that folder as the working directory."""
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    return folder


# fmt: off
FILE = " (table.csv, "
NAMES = "data has other columns, classes or categories"
CHANGED = {
    "rows were added": (lambda: write_table([*ROWS, "1,2,a", "3,4,b"]), "data has 14 rows, and had 12"),
    "rows are missing": (lambda: write_table(ROWS[:-2]),                "data has 10 rows, and had 12"),
    "a value":   (lambda: write_table(["0.5,0,a", *ROWS[1:]]),      "data has other values in its inputs"),
    "a target":  (lambda: write_table(["0,0,b", *ROWS[1:]]),        "data has other values in its targets"),
    "a name":    (lambda: write_table(ROWS, header="u,w,kind"), NAMES),
    "the order": (lambda: write_table(ROWS[::-1]),                  "data has other values in its inputs"),
}
# fmt: on


@pytest.mark.parametrize("what", CHANGED)
def test_a_run_does_not_go_on_with_other_data(what: str, copied: Path) -> None:
    change, words = CHANGED[what]
    change()
    before = contents(copied / "run")
    with pytest.raises(RunError, match=re.escape(words + FILE)) as told:
        resume("run")
    assert "Restore the original data, or train anew in another folder, from its weights" in str(told.value)
    assert contents(copied / "run") == before


def test_data_that_has_moved_is_still_the_same(copied: Path) -> None:
    Path("table.csv").rename("moved.csv")
    os.utime("moved.csv", (0, 0))
    resume("run", "data.file=moved.csv")
    (change,) = Fingerprint.read(Path("run")).changes
    assert (change.option, change.after, change.has_effect) == ("data.file", "moved.csv", False)


def test_rows_that_stand_in_the_config_are_compared_too(copied: Path) -> None:
    with pytest.raises(
        RunError, match=r"line cannot be resumed .*: data has other values in its targets. Restore"
    ):
        resume("line", "data.y[2]=5.0")


def test_other_rows_in_a_part_are_told_though_nothing_else_differs(copied: Path) -> None:
    then = Fingerprint.read(Path("run"))
    replace(then, parts={**then.parts, "validation": digest(np.arange(3))}).write(Path("run"))
    with pytest.raises(RunError, match=r"other rows to its parts \(validation\); another version drew them"):
        resume("run")


@pytest.mark.parametrize(("dataset", "is_computed"), [("moons", True), ("iris", False)])
def test_generated_rows_are_known_by_their_options(dataset: str, is_computed: bool) -> None:
    source = config.resolve(TABLE | {"data": {"type": "sklearn", "dataset": dataset}}).data
    assert source.is_computed is is_computed
    data = config.resolve(LINE).data.load(Path())
    assert bool(contents_of(data, is_computed=is_computed).inputs) is not is_computed


@pytest.mark.parametrize(
    ("settings", "has_effect", "told"),
    [
        (["training.epochs=4"], False, "training.epochs: 4, was 3"),
        (["training.epochs=4", "name=other"], False, 'name: "other", was "line"'),
        (["training.epochs=4", "optimizer.learning_rate=0.1"], True, "rate: 0.1, was 0.05"),
        (["training.epochs=4", "schedule=cosine"], True, 'schedule.type: "cosine", was "constant"'),
        (["training.epochs=4", "optimizer.learning_rate_factors={only: 2.0}"], True,
         'learning_rate_factors: {"only": 2.0}, was null'),
        (["training.diagnosis=true"], False, 'training.diagnosis: true, was "auto"'),
        (["training.threads=1"], False, 'training.threads: 1, was "auto"'),
    ],
)  # fmt: skip
def test_what_changes_is_told_with_its_epoch(
    settings: list[str], has_effect: bool, told: str, copied: Path
) -> None:
    resume("line", *settings)
    found = Fingerprint.read(Path("line"))
    assert len(found.changes) == len(settings)
    assert found.is_repeatable is not has_effect
    text = Path("line", file_names.CONFIG).read_text()
    assert text.startswith("# This run was resumed with ")
    assert re.search(rf"^# after epoch 3: .*{re.escape(told)}$", text, re.MULTILINE)
    assert ("gives other weights" in text.partition("\n")[0]) is has_effect
    write_report(Path("line"))
    page = Path("line", file_names.REPORT).read_text()
    assert ("bit for bit" in page) is not has_effect
    assert "It was resumed with" in page


def test_changes_add_up_from_one_resumption_to_the_next(copied: Path) -> None:
    for epochs in (4, 5):
        resume("line", f"training.epochs={epochs}")
    epochs_changed = [(c.epoch, c.before, c.after) for c in Fingerprint.read(Path("line")).changes]
    assert epochs_changed == [(3, 3, 4), (4, 4, 5)]
    resume("line")
    assert len(Fingerprint.read(Path("line")).changes) == 2


def test_more_epochs_matter_where_the_schedule_depends_on_them(folder: Path) -> None:
    fit(LINE | {"schedule": "cosine"}, Path("run"))
    resume("run", "training.epochs=4")
    assert not Fingerprint.read(Path("run")).is_repeatable


def test_another_machine_is_told(copied: Path) -> None:
    then = Fingerprint.read(Path("line"))
    replace(then, environment={**then.environment, "cpu": "Z80"}).write(Path("line"))
    resume("line")
    (change,) = Fingerprint.read(Path("line")).changes
    assert (change.option, change.before, change.has_effect) == ("environment.cpu", "Z80", True)


def test_a_run_without_a_fingerprint_is_not_resumed(copied: Path) -> None:
    Path("line", file_names.FINGERPRINT).unlink()
    with pytest.raises(RunError, match=r"there is no fingerprint\.json, which records the data and options"):
        resume("line")


def test_a_run_begins_with_its_fingerprint(folder: Path, after_epoch: Callable[..., None]) -> None:
    seen: list[bool] = []
    after_epoch(lambda path, epoch: seen.append((path / file_names.FINGERPRINT).is_file()))
    fit(LINE, Path("run"))
    assert seen
    assert all(seen)


@pytest.mark.parametrize(
    ("study", "settings", "words"),
    [
        ("replicas", ["seed=3"], "replicas cannot be resumed .*: seed: 3, was 0"),
        ("replicas", ["metrics=[mae]"], r"replicas cannot be resumed .*: metrics: \[.*mae.*, was null"),
        ("folds", ["training.folds=3"], "folds cannot be resumed .*: training.folds: 3, was 2"),
        ("folds", ["data.y[0]=7.0"], "folds cannot be resumed .*: data has other values in its targets"),
    ],
)
def test_a_study_does_not_go_on_with_anything_else(
    study: str, settings: list[str], words: str, copied: Path
) -> None:
    before = contents(copied / study)
    with pytest.raises(RunError, match=words):
        resume(study, *settings)
    assert contents(copied / study) == before


@pytest.mark.parametrize("study", ["replicas", "folds"])
def test_every_member_is_checked_before_anything_is_written(study: str, copied: Path) -> None:
    checkpoint = copied / study / study / "2" / file_names.CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    before = contents(copied / study)
    with pytest.raises(RunError, match=rf"{study}/2/{file_names.CHECKPOINT}: not a checkpoint"):
        resume(study)
    assert contents(copied / study) == before


def test_a_study_can_have_more_replicas_and_epochs(copied: Path) -> None:
    study = resume("replicas", "training.replicas=3", "training.epochs=4")
    assert [len(run.history["epoch"]) for run in study.runs] == [4, 4, 4]
    changes = {c.option: (c.before, c.after) for c in Fingerprint.read(Path("replicas")).changes}
    assert changes == {"training.replicas": (2, 3), "training.epochs": (3, 4)}
    assert len(Fingerprint.read(Path("replicas/replicas/1")).changes) == 1
    assert Fingerprint.read(Path("replicas/replicas/3")).changes == ()


def test_weights_to_start_from_are_not_read_again(copied: Path) -> None:
    shutil.copy("line/last.safetensors", "start.safetensors")
    fit(LINE | {"model": {"layers": LINE["model"], "initial_weights": "start.safetensors"}}, Path("second"))
    Path("start.safetensors").unlink()
    assert isinstance(resume("second"), Run)


def test_the_options_that_may_change_are_those_of_a_config() -> None:
    known = config.resolve(LINE | {"training": {"early_stopping": {}, "target": None}}).model_dump()
    for pattern in MAY_CHANGE:
        *path, name = pattern.rstrip("*").split(".")
        if not pattern.startswith("*"):
            inner = known if not path else known[path[0]]
            assert name in inner, pattern


def test_a_comment_is_one_line_whatever_has_changed() -> None:
    change = Change(1, "name", "a\nb", "c\x85d", has_effect=False)
    found = Fingerprint({}, {}, {}, {}, (change,))
    assert len(found.comment.splitlines()) == 2
    assert found.comment.isascii()


@pytest.mark.parametrize(
    "array",
    [np.arange(70_000.0), np.arange(9, dtype=np.float32).reshape(3, 3), np.zeros((2, 0)), np.array([1, 2])],
    ids=str,
)
def test_a_digest_sees_every_bit_type_and_shape(array: np.ndarray) -> None:
    assert digest(array) == digest(array.copy(order="F"))
    assert digest(array) != digest(array.reshape(1, *array.shape))
    assert digest(array) != digest(array.astype(np.float16 if array.size < 99 else np.float32))
    for place in {0, array.size // 2, array.size - 1} if array.size else ():
        other = array.copy()
        other.view(f"u{array.itemsize}").flat[place] ^= 1
        assert digest(other) != digest(array)


def test_a_user_sees_one_message(copied: Path) -> None:
    with pytest.raises(UserError) as told:
        resume("line", "loss=huber", "seed=4")
    assert str(told.value) == (
        'line cannot be resumed with different options: seed: 4, was 0; loss.type: "huber", '
        'was "squared_error". Resume it with its own (omit --config and --set), or train anew in another '
        "folder, from its weights with model.initial_weights: line/last.safetensors"
    )
