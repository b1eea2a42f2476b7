"""Sorting in native code: the order of each row by merging, stable as NumPy's, NaN last."""

from __future__ import annotations

from typing import Any

from numba import njit

from nnjit.codegen.runtime.scratch import release, reserve
from nnjit.codegen.runtime.views import KERNEL, part

RUN = 16  # elements that are sorted by inserting each among those before it


@njit(**KERNEL)
def argsort_each(count: int, n: int, x: Any, out: Any) -> None:
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
def _insert(low: int, high: int, row: Any, order: Any) -> None:
    """Sort the indices from `low` to `high`."""
    for k in range(low, high):
        place = k
        while place > low and _is_before(row[k], row[order[place - 1]]):
            order[place] = order[place - 1]
            place -= 1
        order[place] = k


@njit(**KERNEL)
def _merge(low: int, middle: int, high: int, row: Any, order: Any, buffer: Any) -> None:
    """Make one sorted run of two that lie one behind the other."""
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
def _is_before(x: Any, y: Any) -> Any:
    return x < y or (x == x and y != y)
