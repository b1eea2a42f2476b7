"""Files are replaced as a whole, and reach the disk before anything relies on them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from nnjit import durable
from nnjit.durable import is_temporary, replace_file, replace_files, replacing


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Records writes to the disk and renames, in order."""
    seen: list[tuple[str, str]] = []
    replace = os.replace

    def renamed(source: Path, to: Path) -> None:
        seen.append(("rename", Path(to).name))
        replace(source, to)

    def synced(path: Path, *mode: int) -> None:
        is_written = path.is_dir() or path.stat().st_size > 0
        seen.append(("sync" if is_written else "sync of nothing", path.name if path.is_dir() else "file"))

    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(durable, "_sync", synced)
    return seen


def test_contents_are_on_the_disk_before_a_file_has_its_name_and_names_before_it_returns(
    tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    replace_files(tmp_path, {"a": b"1", "b": b"2"})
    end = [("rename", "a"), ("rename", "b")] + [("sync", tmp_path.name)] * (os.name == "posix")
    assert events == [("sync", "file"), ("sync", "file"), *end]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_a_disk_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail(*given: Any) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(durable, "_sync", fail)
    for contents in ({"a": b"new"}, {"a": b"new", "b": b"new"}):
        with pytest.raises(OSError, match=f"the disk is broken: '{tmp_path}'"):
            replace_files(tmp_path, contents)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_the_error_names_the_file_and_not_what_was_written_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        replace_file(tmp_path / "missing" / "a", b"1")
    assert raised.value.filename == str(tmp_path / "missing" / "a")


def test_what_a_kill_leaves_is_told_from_a_file_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", lambda *given: None)
    monkeypatch.setattr(Path, "unlink", lambda *given, **options: None)
    replace_file(tmp_path / "metrics.json", b"{}")
    (left,) = tmp_path.iterdir()
    assert is_temporary(left.name)
    assert not any(map(is_temporary, ("metrics.json", ".gitignore", ".a.tmp")))


def test_a_file_that_is_written_piece_by_piece_appears_as_a_whole(
    tmp_path: Path, events: list[tuple[str, str]]
) -> None:
    with replacing(tmp_path / "a") as path:
        assert is_temporary(path.name)
        path.write_bytes(b"new")
        assert not (tmp_path / "a").exists()
    assert events == [("sync", "file"), ("rename", "a")] + [("sync", tmp_path.name)] * (os.name == "posix")
    full = OSError(errno.ENOSPC, "No space left", str(path))  # the same name in the same thread
    for error in (KeyError("a"), full):
        with pytest.raises(type(error)):
            break_off(tmp_path / "a", error)
    assert full.filename == str(tmp_path / "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"new"}


def break_off(path: Path, error: Exception) -> None:
    """Fail in the middle of writing a file."""
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise error
