"""Decide when threads that share a batch must wait for each other."""

from __future__ import annotations


class Barrier:
    """Records what threads have written since they last waited for each other.

    A thread that has written to its own slice of a vector may go on with that slice. Writes anywhere else
    (*scattered*) must be complete before any other thread reads them, in a slice or not. The first thread may
    read at once what it alone has written.

    >>> barrier = Barrier()
    >>> barrier.passed()  # nothing is written yet
    False
    >>> barrier.wrote(is_scattered=True)
    >>> barrier.is_scattered, barrier.passed(), barrier.is_scattered
    (True, True, False)
    """

    def __init__(self) -> None:
        self._is_open = self._is_scattered = self._is_of_others = False

    @property
    def is_scattered(self) -> bool:
        """Whether something was written outside the threads' own slices."""
        return self._is_scattered

    @property
    def is_of_others(self) -> bool:
        """Whether threads other than the first have written."""
        return self._is_of_others

    def wrote(self, *, is_scattered: bool = False, by_first: bool = False) -> None:
        """Note that threads, or the first alone, have written, in their own slices or anywhere."""
        self._is_open = True
        self._is_scattered |= is_scattered
        self._is_of_others |= not by_first

    def passed(self) -> bool:
        """Note that all threads meet here; return whether they have to wait for each other."""
        is_needed = self._is_open
        self._is_open = self._is_scattered = self._is_of_others = False
        return is_needed
