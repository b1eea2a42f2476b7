"""Feed native epochs with rows: those in memory as they are, those on the disk a buffer at a time.

An epoch of rows on the disk takes blocks of neighbouring rows in random order. It fills a buffer with them,
trains on the rows of the buffer in random order, and moves those that do not fill a batch to its front before
more are read. So each row has its turn once, and there are as many updates as with all rows in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from nnjit import codegen
from nnjit.data import DiskPart, Part
from nnjit.training.setup.setup import Setup

if TYPE_CHECKING:
    from nnjit.codegen import Turns

BLOCK = 2**20  # bytes of a block of rows that are read together
BLOCKS = 16  # of a buffer, at least, so that it mixes rows from several places


@dataclass(frozen=True, eq=False)
class Piece:
    """Consecutive steps whose rows are in memory at the same time: those of some epochs, or some of an epoch.

    Args:
        first: its first step, counted from the first of the epochs.
        count: its steps.
        arrays: the rows, as x, y and w.
        order: i64, the indices of the rows in the order to take them, of each epoch after the other.
        rows: how many rows an epoch takes of them.
        steps: of an epoch, or all if there is only a piece of one.
        batch: rows of a step.
        stride: how far apart the orders of successive epochs begin; 0 if all share one.
        seconds: how long it took to read the rows.
    """

    first: int
    count: int
    arrays: Mapping[str, np.ndarray]
    order: np.ndarray
    rows: int
    steps: int
    batch: int
    stride: int = 0
    seconds: float = 0.0

    def between(self, begin: int, end: int) -> Turns:
        """The steps `begin` to `end`, counted from its first."""
        return codegen.Turns(begin, end, self.steps, self.batch, self.rows, self.stride)

    def rows_of(self, turn: int) -> np.ndarray:
        """The indices of the rows of a step, counted from its first."""
        epoch, step = divmod(turn, self.steps)
        start = epoch * self.stride + step * self.batch
        return self.order[start : min(start + self.batch, epoch * self.stride + self.rows)]


class Feed(Protocol):
    """Feeds the epochs of a training."""

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        """The steps of `count` epochs after `epoch`; a piece is there until the next one is asked for."""
        ...


def feed_of(setup: Setup) -> Feed:
    """What feeds the trainings of a setup; it has a buffer of its own."""
    train = setup.data.train
    return MemoryFeed(setup, train) if isinstance(train, Part) else DiskFeed(setup, train)


@dataclass(frozen=True)
class MemoryFeed:
    """Feeds rows that are in memory."""

    setup: Setup
    train: Part

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        setup, train = self.setup, self.train
        identity = np.arange(len(train), dtype=np.int64)
        orders = [identity]
        if not setup.in_order:
            orders = [_generator(setup, k).permutation(identity) for k in range(epoch, epoch + count)]
        arrays, stride = {"x": train.x, "y": train.y, "w": train.w}, 0 if setup.in_order else len(train)
        order, steps = np.concatenate(orders), setup.steps
        yield Piece(0, count * steps, arrays, order, len(train), steps, setup.batch, stride)


class DiskFeed:
    """Feeds rows that are on the disk, through a buffer."""

    def __init__(self, setup: Setup, train: DiskPart) -> None:
        self._setup, self._train = setup, train
        self._size = min(train.most_at_once, len(train))
        fit = max(1, BLOCK // max(1, train.x.row_bytes))
        self._block = min(fit, max(1, self._size // BLOCKS))
        arrays = {"x": train.x, "y": train.y, "w": train.w}
        self._buffer = {k: np.empty((self._size, *a.shape[1:]), a.dtype) for k, a in arrays.items()}

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        for k in range(count):
            yield from self._epoch(_generator(self._setup, epoch + k), k * self._setup.steps)

    def _epoch(self, rng: np.random.Generator, first: int) -> Iterator[Piece]:
        setup, blocks = self._setup, self._blocks(rng)
        last, read, held = first + setup.steps, 0, 0
        while first < last:
            began = time.perf_counter()
            end = min(read + self._size - held, len(self._train))
            self._fill(blocks, read, end, held)
            read, held = end, held + end - read
            order = np.arange(held) if setup.in_order else rng.permutation(held)
            count = held // setup.batch if held == self._size else last - first
            arrays = {name: array[:held] for name, array in self._buffer.items()}
            seconds = time.perf_counter() - began
            yield Piece(first, count, arrays, order, held, count, setup.batch, seconds=seconds)
            rest = order[count * setup.batch :]
            for array in self._buffer.values():
                array[: len(rest)] = array[rest]
            first, held = first + count, len(rest)

    def _blocks(self, rng: np.random.Generator) -> _Blocks:
        starts = np.arange(0, len(self._train), self._block)
        if not self._setup.in_order:
            starts = rng.permutation(starts)
        sizes = np.minimum(self._block, len(self._train) - starts)
        return _Blocks(starts, sizes, np.cumsum(sizes))

    def _fill(self, blocks: _Blocks, begin: int, end: int, at: int) -> None:
        """Read the rows `begin` to `end` of an epoch, block after block, to a place in the buffer."""
        k = int(np.searchsorted(blocks.ends, begin, side="right"))
        while begin < end:
            start = int(blocks.starts[k] + begin - (blocks.ends[k] - blocks.sizes[k]))
            count = min(int(blocks.ends[k]), end) - begin
            found = self._train.take(slice(start, start + count))
            for name, array in self._buffer.items():
                array[at : at + count] = getattr(found, name)
            begin, at, k = begin + count, at + count, k + 1


class _Blocks(NamedTuple):
    """The blocks of an epoch in the order to read them.

    Args:
        starts: the first row of each.
        sizes: the rows of each.
        ends: how many rows there are up to the end of each.
    """

    starts: np.ndarray
    sizes: np.ndarray
    ends: np.ndarray


def _generator(setup: Setup, epoch: int) -> np.random.Generator:
    """What draws the order of an epoch."""
    return np.random.default_rng([setup.experiment.seed, epoch])
