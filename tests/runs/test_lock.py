"""One process at a time trains in a run folder."""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from nnjit.errors import RunError
from nnjit.runs import file_names, lock
from nnjit.runs.lock import check_unlocked, is_locked, lock_run

HOLD = """
import pathlib, nnjit.runs.lock
with nnjit.runs.lock.lock_run(pathlib.Path()):
    print(flush=True)
    input()
"""


def test_the_second_is_told_who_trains_and_leaves_all_alone(tmp_path: Path) -> None:
    with lock_run(tmp_path):
        before = (tmp_path / file_names.LOCK).read_bytes()
        owner = rf"process {os.getpid()} on {platform.node()}"
        who = rf"{owner} has been training here since \d{{4}}-\d\d-\d\d \d\d:"
        for attempt in (lock_run(tmp_path).__enter__, lambda: check_unlocked(tmp_path)):
            with pytest.raises(RunError, match=who):
                attempt()
        assert (tmp_path / file_names.LOCK).read_bytes() == before


def test_a_lock_is_free_once_it_is_left_and_leaves_no_file(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), lock_run(tmp_path):
            raise ZeroDivisionError
        check_unlocked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_asking_whether_a_folder_is_locked_takes_nothing_from_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with lock_run(tmp_path):
        assert is_locked(tmp_path)
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    (tmp_path / file_names.LOCK).touch()  # left by a killed process
    assert not is_locked(tmp_path)
    with lock_run(tmp_path):
        pass


def test_a_killed_process_blocks_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(RunError, match=f"process {process.pid} on "):
            check_unlocked(tmp_path)
        process.kill()
        process.wait()
    assert json.loads((tmp_path / file_names.LOCK).read_text())["pid"] == process.pid
    with lock_run(tmp_path):
        assert json.loads((tmp_path / file_names.LOCK).read_text())["pid"] == os.getpid()


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path) -> None:
    (tmp_path / file_names.CHECKPOINTS).mkdir()
    for name in (".metrics.json.12-34.tmp", "checkpoints/.epoch_2.safetensors.12-34.tmp", ".mine", "a"):
        (tmp_path / name).touch()
    with lock_run(tmp_path):
        left = {path.name for path in tmp_path.rglob("*")}
    assert left == {".mine", "a", file_names.CHECKPOINTS, file_names.LOCK}


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be removed elsewhere")
def test_a_lock_file_that_its_owner_removed_meanwhile_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, take, taken = tmp_path / file_names.LOCK, lock._lock, []

    def take_late(descriptor: int) -> None:
        if not taken:
            path.unlink()
        taken.append(descriptor)
        take(descriptor)

    monkeypatch.setattr(lock, "_lock", take_late)
    with lock_run(tmp_path):
        assert len(taken) == 2
        assert path.exists()


def test_a_file_system_without_locks_is_told_and_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock, "_lock", refuse)
    with pytest.warns(UserWarning, match="this file system has no locks"), lock_run(tmp_path):
        pass
