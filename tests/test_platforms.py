"""Other systems and processors, simulated on this one (ARCHITECTURE.md lists where they differ)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nnjit import durable, memory, ranks
from nnjit.cli.streams import OutputError, say
from nnjit.codegen.library import matrix_product
from nnjit.durable import replace_file, replacing
from nnjit.errors import RunError, UserError, shell_word
from nnjit.report.comparison import summary
from nnjit.runs.lock import lock_run
from nnjit.training.loop.trainer import check_output


@contextmanager
def windows() -> Iterator[None]:
    """The system says that it is Windows. No path can be made of text meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "name", "nt")
        yield


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A file is read by another process: it is replaced when this list is empty, one entry a try."""
    left, replace = ["", ""], os.replace

    def refuse(*paths: Path) -> None:
        if left:
            left.pop()
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(*paths)

    monkeypatch.setattr(os, "replace", refuse)
    return left


def test_windows_replaces_a_file_that_another_process_has_read(tmp_path: Path, refusals: list[str]) -> None:
    with windows():
        replace_file(tmp_path / "a", b"1")
        refusals.append("")
        with replacing(tmp_path / "b") as path:
            path.write_bytes(b"2")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_a_file_that_may_not_be_replaced_is_an_error(
    tmp_path: Path, refusals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PermissionError):  # at once
        replace_file(tmp_path / "a", b"1")
    assert len(refusals) == 1
    monkeypatch.setattr(durable, "_PATIENCE", -1.0)
    with windows(), pytest.raises(PermissionError):
        replace_file(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_windows_closes_the_lock_file_before_it_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, close, unlink = [], os.close, Path.unlink

    def closed(descriptor: int) -> None:
        done.append("close")
        close(descriptor)

    def removed(path: Path, **options: Any) -> None:
        done.append("remove")
        unlink(path, **options)

    monkeypatch.setattr(os, "close", closed)
    monkeypatch.setattr(Path, "unlink", removed)
    with lock_run(tmp_path):
        pass
    with windows(), lock_run(tmp_path):
        pass
    assert done == ["remove", "close", "close", "remove"]
    assert list(tmp_path.iterdir()) == []


def test_a_closed_pipe_is_an_invalid_argument_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **options: Any) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("builtins.print", refuse)
    monkeypatch.setattr("nnjit.cli.streams.abandon", lambda stream: None)
    with windows():
        assert not say("more")
    with pytest.raises(OutputError, match="Invalid argument"):
        say("more")


@pytest.mark.parametrize(
    ("path", "on_windows", "elsewhere"),
    [
        (r"runs\a", r"runs\a", r"'runs\a'"),
        ("C:\\my runs\\a", '"C:\\my runs\\a"', "'C:\\my runs\\a'"),
        ("a&b", '"a&b"', "'a&b'"),
        ("runs/a", "runs/a", "runs/a"),
    ],
)
def test_a_command_is_quoted_for_the_shell_of_the_system(path: str, on_windows: str, elsewhere: str) -> None:
    assert shell_word(path) == elsewhere
    with windows():
        assert shell_word(path) == on_windows


def test_a_drive_that_is_not_there_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    with pytest.raises(RunError, match="/x/y: the run folder cannot be made"):
        check_output(Path("/x/y"))


def test_runs_on_two_drives_are_told_apart_by_their_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(paths: Any) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", refuse)
    folders = [tmp_path / name / "run" for name in "ab"]
    assert summary._labels(folders) == {folder: str(folder) for folder in folders}


def test_windows_is_asked_for_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(kib: Any) -> int:
        kib._obj.value = 2**20
        return known

    monkeypatch.setattr(sys, "platform", "win32")
    kernel32 = SimpleNamespace(GetPhysicallyInstalledSystemMemory=installed)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    monkeypatch.setattr(memory, "LIMITS", ())
    known = 1
    assert memory.usable_memory() == 2**30
    known = 0
    assert memory.usable_memory() is None


def test_ranks_are_refused_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("PMI_SIZE", "2")
    with pytest.raises(UserError, match=r"2 processes were started together, and they cannot .* Windows"):
        ranks.join()


def test_all_arm_processors_have_the_tile_of_neon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_product, "is_arm", lambda: True)
    for bits in (32, 64):
        assert matrix_product.tile_for(bits, {}).rows == 8  # macOS tells LLVM no features
