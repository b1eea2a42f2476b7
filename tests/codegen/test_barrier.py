"""When threads that share a batch wait for each other."""

from __future__ import annotations

import pytest

from nnjit.codegen.plan.barrier import Barrier

# Events in order (a write in slices, a write anywhere, a barrier), and whether each barrier is needed.
ROWS = (
    ("",               []),
    ("barrier",        [False]),
    ("slices barrier", [True]),
    ("anywhere barrier", [True]),
    ("slices slices barrier barrier", [True, False]),
    ("slices barrier anywhere barrier barrier", [True, True, False]),
    ("barrier slices", [False]),
)  # fmt: skip


@pytest.mark.parametrize(("done", "needed"), ROWS)
def test_threads_wait_if_one_has_written_since_the_last_barrier(done: str, needed: list[bool]) -> None:
    barrier, found = Barrier(), []
    for what in done.split():
        if what == "barrier":
            found.append(barrier.passed())
        else:
            barrier.wrote(is_scattered=what == "anywhere")
    assert found == needed


def test_a_write_anywhere_counts_until_the_next_barrier() -> None:
    barrier = Barrier()
    barrier.wrote()
    assert not barrier.is_scattered
    barrier.wrote(is_scattered=True)
    barrier.wrote()  # in slices again: the write elsewhere still waits
    assert barrier.is_scattered
    barrier.passed()
    assert not barrier.is_scattered
