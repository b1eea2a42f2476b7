"""Do pieces of work one after another, or side by side in copies of this process."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from nnjit.cores import usable_cores

Pieces = Sequence[Callable[[], Any]]
Results = dict[int, Any]
"""The results of pieces by their number."""

MOST = 4  # processes; of more, each draws too little to be worth its start
MOST_PIECES = 255  # whose numbers are a byte


def in_turn(pieces: Pieces) -> list[Any]:
    """The results of the pieces, in their order."""
    return [piece() for piece in pieces]


def side_by_side(pieces: Pieces) -> list[Any]:
    """The same, done by several processes, on a system that can copy a process as it is.

    Each takes the next piece that none has taken. What a copy does not deliver, for whatever reason, this
    process does itself, so that an error is raised here. Only for a process with a single thread: a copy has
    no other, and would wait for ever for what one of them holds.
    """
    processes = min(usable_cores(), MOST, len(pieces))
    if processes < 2 or len(pieces) > MOST_PIECES or not sys.platform.startswith("linux"):
        return in_turn(pieces)
    taken, numbers = os.pipe()
    os.write(numbers, bytes(range(len(pieces))))
    os.close(numbers)
    copies: list[tuple[int, int]] = []
    with suppress(OSError):  # the user has as many processes as are allowed
        copies.extend(_copy(pieces, taken) for _ in range(processes - 1))
    found = _work(pieces, taken)
    for child, results in copies:
        found |= _received(child, results)
    os.close(taken)
    return [found[k] if k in found else piece() for k, piece in enumerate(pieces)]


def _work(pieces: Pieces, taken: int) -> Results:
    """The results of the pieces that this process takes."""
    found: Results = {}
    while number := os.read(taken, 1):
        found[number[0]] = pieces[number[0]]()
    return found


def _copy(pieces: Pieces, taken: int) -> tuple[int, int]:
    """Start a copy of this process that takes pieces: its id, and the pipe that its results come from."""
    results, sent = os.pipe()
    child = os.fork()
    if child:
        os.close(sent)
        return child, results
    status = 1
    try:
        content = pickle.dumps(_work(pieces, taken))
        with open(sent, "wb") as stream:
            stream.write(content)
        status = 0
    finally:
        os._exit(status)  # nothing of the original is to be written or cleaned up twice


def _received(child: int, results: int) -> Results:
    """What a copy has done; nothing if it failed."""
    with open(results, "rb") as stream:
        content = stream.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(content) if status == 0 else {}
