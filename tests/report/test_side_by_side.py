"""Pieces of work are done once, by whichever process, and their results keep their order."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from nnjit.report import side_by_side as module
from nnjit.report.side_by_side import Pieces, in_turn, side_by_side

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux copies processes")


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "usable_cores", lambda: 4)


def note(folder: Path, number: int) -> int:
    (folder / f"{number}-{os.getpid()}").touch()
    return number**2


def kill_copies(own: int) -> int:
    """Kill this process unless it is the first."""
    if os.getpid() != own:
        os.kill(os.getpid(), signal.SIGKILL)
    return own


@pytest.mark.parametrize("do", [in_turn, side_by_side])
@pytest.mark.parametrize("count", [0, 1, 2, 30, 300])
def test_each_piece_is_done_once_and_results_are_in_order(do: object, count: int, tmp_path: Path) -> None:
    assert callable(do)
    assert do([partial(note, tmp_path, k) for k in range(count)]) == [k**2 for k in range(count)]
    assert sorted(int(file.name.partition("-")[0]) for file in tmp_path.iterdir()) == list(range(count))


@linux
def test_what_a_killed_copy_leaves_is_done_here() -> None:
    pieces: Pieces = [partial(kill_copies, os.getpid()) for _ in range(20)]
    assert side_by_side(pieces) == [os.getpid()] * 20


@linux
def test_an_error_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side([*(partial(divmod, 1, 1) for _ in range(20)), partial(divmod, 1, 0)])


@linux
def test_a_system_without_room_for_a_process_does_all_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert side_by_side([partial(divmod, 7, k) for k in (1, 2, 3)]) == [(7, 0), (3, 1), (2, 1)]


def test_results_larger_than_a_pipe_arrive() -> None:
    assert side_by_side([partial(bytes, 10**6)] * 8) == [bytes(10**6)] * 8
