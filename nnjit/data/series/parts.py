"""Cut a series into training, validation and test parts by time, and each part into windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnjit.data.series.order import Order
from nnjit.data.source import Split
from nnjit.data.splits import Rows
from nnjit.errors import ConfigPath, DataError, counted

_PARTS = ("training", "validation", "test")
_UNUSED = -1


@dataclass(frozen=True, eq=False)
class Cut:
    """The windows of a series.

    Args:
        starts: (n,) the position of each window's first row, in the order of `Order`.
        parts: (n,) the part of each window: 0 training, 1 validation, 2 test.
        left_out: the groups without a window.
    """

    starts: np.ndarray
    parts: np.ndarray
    left_out: tuple[int, ...]

    def rows(self, split: Split) -> Rows:
        """The windows of each part."""
        has_validation = split.validation > 0 or split.fold is not None
        if not has_validation and not split.test:
            return Rows(None, None, None)
        wanted = (True, has_validation, split.test > 0)
        train, validation, test = (
            np.flatnonzero(self.parts == k) if is_wanted else None for k, is_wanted in enumerate(wanted)
        )
        return Rows(train, validation, test)

    def keep(self, kept: np.ndarray) -> Cut:
        """Keep the windows of a mask."""
        return Cut(self.starts[kept], self.parts[kept], self.left_out)


def cut(order: Order, split: Split, *, window: int, ahead: int, step: int) -> Cut:
    """Cut a series into windows, each within one group and one part, including the rows that it predicts.

    Args:
        ahead: the most steps after its last one that a window predicts.
        step: rows from the start of one window to the next.

    Raises:
        DataError: no window fits in the series, or in a part.
    """
    parts, span = _part_of_each(order, split), window + ahead
    needs = f"a window of {counted(window, 'step')} and a horizon of {ahead} need {span} rows"
    longest = int(order.sizes.max())
    if longest < span:
        has = f"the longest of {len(order.names)} groups has" if order.names else "the series has"
        raise DataError(f"{needs}, but {has} {longest}; shorten the window", ("window",))
    ends = np.flatnonzero((np.diff(order.groups) != 0) | (np.diff(parts) != 0)) + 1
    stretches = list(zip([0, *ends], [*ends, len(parts)], strict=True))
    starts = [np.arange(a, b - span + 1, step) for a, b in stretches if parts[a] != _UNUSED]
    found = np.concatenate(starts) if starts else np.zeros(0, np.int64)
    _check_parts(parts, parts[found], stretches, split, needs)
    left_out = np.setdiff1d(np.arange(len(order.sizes)), order.groups[found])
    return Cut(found, parts[found], tuple(int(k) for k in left_out))


def _part_of_each(order: Order, split: Split) -> np.ndarray:
    """The part of each row: with times, cut at moments shared by all groups; else by position in its group.

    A fold is trained on everything before it, and on nothing after it.
    """
    if order.times is None:
        total = order.sizes[order.groups]
        before = np.arange(len(order.rows)) - order.begins[order.groups]
    else:
        total = np.full(len(order.rows), len(order.rows))
        before = np.searchsorted(np.sort(order.times), order.times)
    test = total - np.rint(split.test * total).astype(np.int64)
    parts = np.zeros(len(total), np.int64)
    if split.fold is None:
        parts[before >= test - np.rint(split.validation * total).astype(np.int64)] = 1
    else:
        begin, end = (test * (split.fold.number + k) // (split.fold.of + 1) for k in (0, 1))
        parts[before >= begin] = 1
        parts[before >= end] = _UNUSED
    parts[before >= test] = 2
    return parts


def _check_parts(
    parts: np.ndarray, found: np.ndarray, stretches: list[tuple[int, int]], split: Split, needs: str
) -> None:
    """Raise a DataError about a requested part without windows."""
    held_out: ConfigPath = ("split", "validation") if split.fold is None else ("split", "fold")
    paths: tuple[ConfigPath, ...] = (("split",), held_out, ("split", "test"))
    wanted = (True, split.validation > 0 or split.fold is not None, split.test > 0)
    for k, (name, path, is_wanted) in enumerate(zip(_PARTS, paths, wanted, strict=True)):
        if not is_wanted or (found == k).any():
            continue
        longest = max((b - a for a, b in stretches if parts[a] == k), default=0)
        mend = "hold out less" if k == 0 else "hold out more, or shorten the window"
        raise DataError(
            f"the {name} part has {counted(longest, 'row')} in a piece, but {needs}, and windows stay within "
            f"their part; {mend}",
            path,
        )
