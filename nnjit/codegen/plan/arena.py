"""Place values with limited lifetimes in one array, each in the first part that is free."""

from __future__ import annotations

import heapq
from bisect import bisect_left

from nnjit.codegen.memory import ALIGNMENT
from nnjit.codegen.plan.liveness import Span


class Arena:
    """The free parts of an array over time; values must come in the order in which their spans begin.

    A freed part then stays free until it is taken, and only gaps between the parts in use are searched.

    >>> arena = Arena(itemsize=4)
    >>> [arena.take(20, span) for span in ((0, 1), (0, 2), (1, 3), (2, 3))], arena.size
    ([0, 32, 64, 0], 84)
    """

    def __init__(self, itemsize: int) -> None:
        self.size = 0  # elements up to the last one ever in use
        self._step = ALIGNMENT // itemsize
        self._gaps: list[list[int]] = [[0, -1]]  # begin, end; the last one has no end
        self._taken: list[tuple[int, int, int]] = []  # a heap of the last kernel, begin, end

    def take(self, length: int, span: Span) -> int:
        """Return the first element of a part that no other value uses during a span."""
        while self._taken and self._taken[0][0] < span[0]:
            self._free(*heapq.heappop(self._taken)[1:])
        place, start = next(
            (k, begin) for k, (begin, end) in enumerate(self._gaps) if end < 0 or end - begin >= length
        )
        stop = start - (-length // self._step) * self._step
        self._gaps[place][0] = stop
        if stop == self._gaps[place][1]:
            del self._gaps[place]
        heapq.heappush(self._taken, (span[1], start, stop))
        self.size = max(self.size, start + length)
        return start

    def _free(self, begin: int, end: int) -> None:
        """Turn a part into a gap, joined with its neighbours."""
        k = bisect_left(self._gaps, [begin])
        if self._gaps[k][0] == end:
            self._gaps[k][0] = begin
        else:
            self._gaps.insert(k, [begin, end])
        if k and self._gaps[k - 1][1] == begin:
            self._gaps[k - 1][1] = self._gaps[k][1]
            del self._gaps[k]
