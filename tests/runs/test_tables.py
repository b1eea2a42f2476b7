"""Errors about a damaged history or diagnosis name its line, and neither file is ever half-written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nnjit.errors import RunError
from nnjit.runs import file_names, table_file
from nnjit.runs.diagnosis import DiagnosisFile, read_diagnosis
from nnjit.runs.history import HistoryFile, read_history
from nnjit.runs.table_file import TableFile

COLUMNS = ["epoch", "train_loss", "validation_loss", "train_seconds"]
HISTORY = b"epoch,train_loss,validation_loss,train_seconds\n1,0.5,,0.1\n2,0.25,,0.1\n3,nan,,0.1\n"
DIAGNOSIS = (
    b"epoch,layer,gradient_norm,param_norm,update_ratio,dead,saturated\n"
    b"1,a,0.5,1.0,0.1,,0.25\n1,b,0.5,1.0,0.1,,\n3,a,0.5,1.0,0.1,,0.5\n"
)

# fmt: off
DAMAGED_HISTORIES = [  # replaced text, replacement, message
    (b"2,0.25,,0.1\n",   b"2,0.25\n",         r":3: expected 4 cells, got 2"),
    (b"3,nan,,0.1\n",    b"3,nan,,0.1",       r":4: the row is truncated"),
    (b"3,nan,,0.1\n",    b"3,na",             r":4: the row is truncated"),
    (b"2,0.25,,0.1",     b"2,0.25,,0.1,7",    r":3: expected 4 cells, got 5"),
    (b"2,0.25,",         b"2,low,",           r":3: expected a number, got 'low'"),
    (b"2,0.25,,0.1",     b"\0\0\0\0\0\0",     r":3: expected 4 cells, got 1"),
    (b"2,0.25",          b"2,\0\0\0\0",       r":3: expected a number, got '\\x00\\x00\\x00\\x00'"),
    (b"2,0.25,,0.1\n",   b"",                 r":3: expected epoch 2, got 3"),
    (b"2,0.25,,0.1\n",   b"\n",               r":3: expected 4 cells, got 1"),
    (b"2,0.25",          b"1,0.25",           r":3: expected epoch 2, got 1"),
    (b"epoch,",          b"",                 r':1: expected column names, "epoch" among them'),
    (HISTORY,            b"",                 r':1: expected column names, "epoch" among them'),
    (b"2,0.25",          b"2,\xff",           r": not UTF-8 text"),
]
DAMAGED_DIAGNOSES = [
    (b"1,b,0.5,1.0,0.1,,\n", b"1,b,0.5,1\n",  r":3: expected an epoch, a layer and 5 numbers"),
    (b"1,b,0.5",         b"1,b,0.5,0.5",      r":3: expected an epoch, a layer and 5 numbers"),
    (b"1,b,0.5",         b"1,b,much",         r":3: expected an epoch, a layer and 5 numbers"),
    (b"1,b",             b"\0,b",             r":3: expected an epoch, a layer and 5 numbers"),
    (b",,0.5\n",         b",,0.",             r":4: expected an epoch, a layer and 5 numbers"),
    (b"dead",            b"dad",              r":1: expected epoch,layer,"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "message"), DAMAGED_HISTORIES)
def test_a_damaged_history_is_told_by_the_reader(
    old: bytes, new: bytes, message: str, tmp_path: Path
) -> None:
    assert old in HISTORY
    path = tmp_path / file_names.HISTORY
    path.write_bytes(HISTORY)
    assert len(read_history(tmp_path)["epoch"]) == 3
    path.write_bytes(HISTORY.replace(old, new, 1))
    with pytest.raises(RunError, match=rf"history\.csv{message}"):
        read_history(tmp_path)


def test_a_resumed_history_keeps_its_epochs_to_the_last_digit_and_drops_what_is_trained_again(
    tmp_path: Path,
) -> None:
    (tmp_path / file_names.HISTORY).write_bytes(HISTORY.replace(b"3,nan,,0.1\n", b"3,na"))
    history = HistoryFile(tmp_path, COLUMNS, keep=2)
    np.testing.assert_array_equal(history.kept["train_loss"], [0.5, 0.25])
    history.write({"epoch": np.array([3]), "train_loss": np.array([0.1 + 0.2])})
    rows = b"1,0.5,,0.1\n2,0.25,,0.1\n3,0.30000000000000004,,\n"
    assert history.contents == {file_names.HISTORY: HISTORY[: HISTORY.index(b"1,")] + rows}


MEND = "; restore it from a copy, or start a new run in another folder"


@pytest.mark.parametrize(
    ("content", "keep", "message"),
    [
        (None, 2, f"is missing, but the checkpoint is of epoch 2{MEND}"),
        (HISTORY, 4, f"ends after epoch 3, before the checkpoint's 4{MEND}"),
        (HISTORY[:-1], 3, f"ends after epoch 2, before the checkpoint's 3{MEND}"),
        (HISTORY.replace(b"2,0.25", b"2,x"), 3, f":3: expected a number, got 'x'{MEND}"),
        (HISTORY.replace(b"train_loss", b"loss"), 3, ": expected the columns epoch, train_loss, "),
    ],
)
def test_a_history_that_lacks_what_a_checkpoint_needs_is_told_with_the_mend(
    content: bytes | None, keep: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / file_names.HISTORY
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=re.escape(message)):
        HistoryFile(tmp_path, COLUMNS, keep=keep)
    assert (path.read_bytes() if path.exists() else None) == content


@pytest.mark.parametrize(("old", "new", "message"), DAMAGED_DIAGNOSES)
def test_a_damaged_diagnosis_is_told(old: bytes, new: bytes, message: str, tmp_path: Path) -> None:
    assert old in DIAGNOSIS
    path = tmp_path / file_names.DIAGNOSIS
    path.write_bytes(DIAGNOSIS)
    found = read_diagnosis(tmp_path)
    assert found is not None
    assert found.epochs.tolist() == [1, 3]
    assert DiagnosisFile(tmp_path, keep=2).contents[path.name] == DIAGNOSIS[: DIAGNOSIS.index(b"3,a")]
    path.write_bytes(DIAGNOSIS.replace(old, new, 1))
    for read in (lambda: read_diagnosis(tmp_path), lambda: DiagnosisFile(tmp_path, keep=9)):
        with pytest.raises(RunError, match=rf"diagnosis\.csv{message}.*or delete it to continue without"):
            read()


def test_a_table_is_replaced_seldom_and_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, path, replaced = [0.0], tmp_path / "a.csv", table_file.replace_file

    def replace_slowly(path: Path, data: bytes) -> None:
        replaced(path, data)
        now[0] += 2.0

    monkeypatch.setattr(table_file, "replace_file", replace_slowly)
    monkeypatch.setattr(table_file.time, "monotonic", lambda: now[0])
    table, sizes = TableFile(path, ["k"]), []
    for k in range(100):
        table.append([str(k)])
        now[0] += 0.5
        sizes.append(path.read_text().count("\n") if path.exists() else 0)
    assert sorted(set(sizes)) == [0, 4, 84]  # at 1 s, and after 20 times the 2 s that it took
    assert table.contents == {"a.csv": "".join(f"{k}\n" for k in ("k", *range(100))).encode()}
