"""Choose and format the values of an epoch to show in a line, a bar or a notebook."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np

Columns = Mapping[str, "np.ndarray"]
"""Rows of the history, by column."""

SPLITS = ("train", "validation")
NOT_METRICS = ("seconds", "loss")  # endings of `train_` columns that are not metrics
MOST = 6  # values of an epoch shown in addition to its losses


def last_row(columns: Columns) -> dict[str, float]:
    """The values of the last epoch by column, without its number."""
    return {name: float(values[-1]) for name, values in columns.items() if name != "epoch"}


def losses(row: Mapping[str, float]) -> dict[str, float]:
    """The losses of an epoch, for both parts and for several outputs."""
    return {name: value for name, value in row.items() if name.endswith("_loss") and _split(name)}


def metrics(row: Mapping[str, float], most: int = MOST) -> dict[str, float]:
    """The first metrics of an epoch, validation before training.

    >>> metrics({"train_loss": 1.0, "train_r2": 0.5, "validation_r2": 0.25, "train_seconds": 3.0})
    {'validation_r2': 0.25, 'train_r2': 0.5}
    """
    found = [n for n in row if _split(n) and n.partition("_")[2] not in NOT_METRICS and n not in losses(row)]
    found.sort(key=lambda name: SPLITS.index(_split(name)), reverse=True)  # stable
    return {name: row[name] for name in found[:most]}


def _split(column: str) -> str:
    """The part of the data that a column is about; empty if none."""
    split = column.partition("_")[0]
    return split if split in SPLITS and "_" in column else ""


def words(row: Iterable[tuple[str, float]]) -> str:
    """Names and values on one line.

    >>> words([("train_loss", 0.123456), ("learning_rate", 0.001)])
    'train_loss 0.1235, learning_rate 0.001'
    """
    return ", ".join(f"{name} {value:.4g}" for name, value in row)


def duration(seconds: float) -> str:
    """A waiting time in words.

    >>> duration(0.4), duration(59.6), duration(3725), duration(200_000)
    ('0 s', '1 min 0 s', '1 h 2 min', '2 d 7 h')
    """
    whole = round(seconds)
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    k = next((k for k, (_, size) in enumerate(units) if whole >= size), len(units) - 1)
    parts, rest = [], whole
    for name, size in units[k : k + 2]:
        count, rest = divmod(rest, size)
        parts.append(f"{count} {name}")
    return " ".join(parts)


class Pace:
    """The speed of a run in this session, and the time left.

    Args:
        first: number of epochs done before this session.
        total: the most epochs there will be.
    """

    def __init__(self, first: int, total: int) -> None:
        self.first, self.total, self.began = first, total, time.perf_counter()

    @classmethod
    def none(cls) -> Self:
        """The pace of a run without epochs."""
        return cls(0, 0)

    def rate(self, done: int) -> float:
        """Epochs per second, on average; nan before the first."""
        took = time.perf_counter() - self.began
        return (done - self.first) / took if took > 0 and done > self.first else math.nan

    def words(self, done: int) -> str:
        """The rate and the time left; empty before the first epoch has ended.

        Early stopping may shorten it.
        """
        rate = self.rate(done)
        if not math.isfinite(rate):
            return ""
        speed = f"{rate:.3g} epochs/s" if rate >= 1 else f"{1 / rate:.3g} s/epoch"
        return f"{speed}, {duration((self.total - done) / rate)} left"
