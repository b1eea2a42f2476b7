"""Do pieces of work one after another, or in parallel in forked copies of this process."""

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
"""The results of pieces by number."""

MOST = 4  # processes; with more, each draws too little to be worth starting
MOST_PIECES = 255  # their numbers must fit a byte


def in_turn(pieces: Pieces) -> list[Any]:
    """Do the pieces one after another and return their results in order."""
    return [piece() for piece in pieces]


def side_by_side(pieces: Pieces) -> list[Any]:
    """Do the pieces in several processes on a system that can fork, and return their results in order.

    Each process takes the next free piece. This process redoes any piece that a copy fails to deliver, so
    that errors are raised here. Only for a single-threaded process: a copy has no other threads, and would
    wait forever for a lock that one of them holds.
    """
    processes = min(usable_cores(), MOST, len(pieces))
    if processes < 2 or len(pieces) > MOST_PIECES or not sys.platform.startswith("linux"):
        return in_turn(pieces)
    taken, numbers = os.pipe()
    os.write(numbers, bytes(range(len(pieces))))
    os.close(numbers)
    copies: list[tuple[int, int]] = []
    with suppress(OSError):  # the user's limit of processes is reached
        copies.extend(_copy(pieces, taken) for _ in range(processes - 1))
    found = _work(pieces, taken)
    for child, results in copies:
        found |= _received(child, results)
    os.close(taken)
    return [found[k] if k in found else piece() for k, piece in enumerate(pieces)]


def _work(pieces: Pieces, taken: int) -> Results:
    """Do pieces until none is left, and return the results of this process."""
    found: Results = {}
    while number := os.read(taken, 1):
        found[number[0]] = pieces[number[0]]()
    return found


def _copy(pieces: Pieces, taken: int) -> tuple[int, int]:
    """Start a copy of this process that does pieces; return its id and the pipe that carries its results."""
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
        os._exit(status)  # skip the original's cleanup and buffered output, which must not happen twice


def _received(child: int, results: int) -> Results:
    """Read the results of a copy; empty if it failed."""
    with open(results, "rb") as stream:
        content = stream.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(content) if status == 0 else {}
