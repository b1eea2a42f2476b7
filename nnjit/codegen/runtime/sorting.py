"""Sort rows in native code: a stable merge sort, as NumPy's, with NaN last."""

from __future__ import annotations

from numba import njit

from nnjit.codegen.numba.types import View
from nnjit.codegen.runtime.scratch import release, reserve
from nnjit.codegen.runtime.views import KERNEL, part

RUN = 16  # elements sorted by insertion


@njit(**KERNEL)
def argsort_each(count: int, n: int, x: View, out: View) -> None:
    """The indices that sort each of `count` rows of `n` elements; equal elements keep their order."""
    buffer = reserve(out, n)
    for i in range(count):
        row, order = part(x, i, 1, n), part(out, i, 1, n)
        for start in range(0, n, RUN):
            _insert(start, min(start + RUN, n), row, order)
        width = RUN
        while width < n:
            for low in range(0, n - width, 2 * width):
                _merge(low, low + width, min(low + 2 * width, n), row, order, buffer)
            width *= 2
    release(buffer)


@njit(**KERNEL)
def _insert(low: int, high: int, row: View, order: View) -> None:
    """Sort the indices from `low` to `high` by insertion."""
    for k in range(low, high):
        place = k
        while place > low and _is_before(row[k], row[order[place - 1]]):
            order[place] = order[place - 1]
            place -= 1
        order[place] = k


@njit(**KERNEL)
def _merge(low: int, middle: int, high: int, row: View, order: View, buffer: View) -> None:
    """Merge two adjacent sorted runs."""
    if not _is_before(row[order[middle]], row[order[middle - 1]]):
        return
    size = middle - low
    for k in range(size):
        buffer[k] = order[low + k]
    left, right, place = 0, middle, low
    while left < size:
        if right < high and _is_before(row[order[right]], row[buffer[left]]):
            order[place] = order[right]
            right += 1
        else:
            order[place] = buffer[left]
            left += 1
        place += 1


@njit(**KERNEL)
def _is_before(x: float, y: float) -> bool:
    """Whether x comes before y: NaN after everything else."""
    return x < y or (x == x and y != y)
