"""Feed native epochs with rows: directly from memory, or from the disk one buffer at a time.

An epoch of rows on the disk fills a buffer with blocks of neighbouring rows, in random order, and trains on
the buffer's rows in random order. It moves leftover rows that do not fill a batch to the front before reading
more. So each row is used once, and there are as many updates as with all rows in memory.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from nnjit import codegen
from nnjit.data import DiskPart, Part
from nnjit.training.graphs.mixing import PARTNERS
from nnjit.training.setup.setup import Setup

if TYPE_CHECKING:
    from nnjit.codegen import Turns

BLOCK = 2**20  # bytes of a block of rows, read together
BLOCKS = 16  # the fewest blocks of a buffer, so it mixes rows from several places


@dataclass(frozen=True, eq=False)
class Piece:
    """Consecutive steps whose rows are in memory at the same time: of several epochs, or a part of one.

    Args:
        first: the index of its first step, counted from the first of the epochs.
        count: the number of steps.
        arrays: the rows, as x, y and w.
        order: i64, the indices of the rows in the order of use, epoch after epoch.
        rows: the number of rows that an epoch uses.
        steps: the steps of an epoch, or all steps of a part of one.
        batch: the rows of a step.
        stride: the distance between the orders of successive epochs; 0 if all share one.
        seconds: the time it took to read the rows.
        partners: i64, like `order`, the rows to mix these with; None without mixing.
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
    partners: np.ndarray | None = None

    def between(self, begin: int, end: int) -> Turns:
        """The steps `begin` to `end`, counted from its first."""
        return codegen.Turns(begin, end, self.steps, self.batch, self.rows, self.stride)

    def rows_of(self, turn: int, of_partners: bool = False) -> np.ndarray:
        """The indices of the rows of a step, counted from its first, or of their partners."""
        epoch, step = divmod(turn, self.steps)
        start = epoch * self.stride + step * self.batch
        order = self.partners if of_partners else self.order
        assert order is not None  # only steps with mixing ask for partners
        return order[start : min(start + self.batch, epoch * self.stride + self.rows)]

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The rows, and with mixing those of the partners too and their order."""
        if self.partners is None:
            return dict(self.arrays)
        of_partners = {partner: self.arrays[name] for partner, name in zip(PARTNERS, "xyw", strict=True)}
        return {**self.arrays, **of_partners, "partners": self.partners}


class Feed(Protocol):
    """Feeds the epochs of a training."""

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        """Yield the steps of `count` epochs after `epoch`; each piece is valid until the next one."""
        ...


def feed_of(setup: Setup) -> Feed:
    """Make a feed for a setup, with its own buffer."""
    train = setup.data.train
    return MemoryFeed(setup, train) if isinstance(train, Part) else DiskFeed(setup, train)


@dataclass(frozen=True)
class MemoryFeed:
    """Feeds rows that are in memory."""

    setup: Setup
    train: Part

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        setup, train, epochs = self.setup, self.train, range(epoch, epoch + count)
        identity, partners = np.arange(len(train), dtype=np.int64), None
        is_one = setup.in_order and setup.task.mixup is None  # one order for all epochs
        orders = [identity] * (1 if is_one else count)
        if not setup.in_order:
            orders = [_generator(setup, k).permutation(identity) for k in epochs]
        if setup.task.mixup is not None:
            partners = np.concatenate([_partners(setup, k).permutation(identity) for k in epochs])
        arrays, stride = {"x": train.x, "y": train.y, "w": train.w}, 0 if is_one else len(train)
        order, steps = np.concatenate(orders), setup.steps
        yield Piece(
            0, count * steps, arrays, order, len(train), steps, setup.batch, stride, partners=partners
        )


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
            yield from self._epoch(epoch + k, k * self._setup.steps)

    def _epoch(self, epoch: int, first: int) -> Iterator[Piece]:
        rng, of_partners = _generator(self._setup, epoch), _partners(self._setup, epoch)
        setup, blocks = self._setup, self._blocks(rng)
        last, read, held = first + setup.steps, 0, 0
        while first < last:
            began = time.perf_counter()
            end = min(read + self._size - held, len(self._train))
            self._fill(blocks, read, end, held)
            read, held = end, held + end - read
            order = np.arange(held) if setup.in_order else rng.permutation(held)
            partners = None if setup.task.mixup is None else of_partners.permutation(held)
            count = held // setup.batch if held == self._size else last - first
            arrays = {name: array[:held] for name, array in self._buffer.items()}
            seconds = time.perf_counter() - began
            yield Piece(
                first, count, arrays, order, held, count, setup.batch, seconds=seconds, partners=partners
            )
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
        """Read the rows `begin` to `end` of an epoch, block by block, into the buffer at `at`."""
        k = int(np.searchsorted(blocks.ends, begin, side="right"))
        while begin < end:
            start = int(blocks.starts[k] + begin - (blocks.ends[k] - blocks.sizes[k]))
            count = min(int(blocks.ends[k]), end) - begin
            found = self._train.take(slice(start, start + count))
            for name, array in self._buffer.items():
                array[at : at + count] = getattr(found, name)
            begin, at, k = begin + count, at + count, k + 1


class _Blocks(NamedTuple):
    """The blocks of an epoch in reading order.

    Args:
        starts: the first row of each block.
        sizes: the number of its rows.
        ends: the number of rows up to its end.
    """

    starts: np.ndarray
    sizes: np.ndarray
    ends: np.ndarray


def _generator(setup: Setup, epoch: int) -> np.random.Generator:
    """The generator of an epoch's order."""
    return np.random.default_rng([setup.experiment.seed, epoch])


def _partners(setup: Setup, epoch: int) -> np.random.Generator:
    """The generator of an epoch's partners."""
    return np.random.default_rng([setup.experiment.seed, epoch, 1])
