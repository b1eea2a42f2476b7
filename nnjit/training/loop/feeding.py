"""Feed native epochs with rows: directly from memory, or from the disk one buffer at a time.

An epoch of rows on the disk fills a buffer with blocks of neighbouring rows, in random order, and draws
batches from it at random. It moves leftover rows that do not fill a batch to the front before reading more.
So each row is used once, and there are as many updates as with all rows in memory.

The rows of a batch are in the order of the buffer. So the slices of a rank come from the same blocks, batch
after batch, and it reads few others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from nnjit import codegen
from nnjit.data import DiskPart, Part
from nnjit.ranks import world
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
        order = self.partners if of_partners else self.order
        assert order is not None  # only steps with mixing ask for partners
        return order[self.places_of(turn)]

    def places_of(self, turn: int) -> slice:
        """The places in the order of the rows of a step."""
        epoch, step = divmod(turn, self.steps)
        start = epoch * self.stride + step * self.batch
        return slice(start, min(start + self.batch, epoch * self.stride + self.rows))

    def batch_of(self, turn: int) -> dict[str, np.ndarray]:
        """The rows of a step, counted from the first step, and those of their partners."""
        batch = {name: np.take(array, self.rows_of(turn), axis=0) for name, array in self.arrays.items()}
        if self.partners is not None:
            rows = self.rows_of(turn, of_partners=True)
            batch |= _named(PARTNERS, {name: np.take(a, rows, axis=0) for name, a in self.arrays.items()})
        return batch

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The rows, and with mixing those of the partners too and their order."""
        if self.partners is None:
            return dict(self.arrays)
        return {**self.arrays, **_named(PARTNERS, self.arrays), "partners": self.partners}


@dataclass(frozen=True, eq=False)
class SlicedPiece(Piece):
    """A piece with only the rows of this rank; its orders are 0 elsewhere.

    Args:
        train: the training part.
        taken: for all ranks, its rows in the order of the piece, and their partners.
    """

    train: DiskPart = field(kw_only=True)
    taken: Sequence[np.ndarray] = field(kw_only=True)

    def batch_of(self, turn: int) -> dict[str, np.ndarray]:
        batch: dict[str, np.ndarray] = {}
        for names, rows in zip((("x", "y", "w"), PARTNERS), self.taken, strict=False):
            batch |= _named(names, _arrays(self.train.take(rows[self.places_of(turn)])))
        return batch


class Feed(Protocol):
    """Feeds the epochs of a training."""

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        """Yield the steps of `count` epochs after `epoch`; each piece is valid until the next one."""
        ...


def feed_of(setup: Setup) -> Feed:
    """Make a feed for a setup, with its own buffer."""
    train = setup.data.train
    if isinstance(train, Part):
        return MemoryFeed(setup, train)
    return DiskFeed(setup, train) if world().size == 1 else SlicedFeed(setup, train)


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
        stride, order, steps = 0 if is_one else len(train), np.concatenate(orders), setup.steps
        yield Piece(
            0, count * steps, _arrays(train), order, len(train), steps, setup.batch, stride, partners=partners
        )


class DiskFeed:
    """Feeds rows that are on the disk, through a buffer."""

    def __init__(self, setup: Setup, train: DiskPart) -> None:
        self._setup, self._train, self._fillings = setup, train, Fillings(setup, train)
        arrays = {"x": train.x, "y": train.y, "w": train.w}
        size = self._fillings.size
        self._buffer = {k: np.empty((size, *a.shape[1:]), a.dtype) for k, a in arrays.items()}

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        for filling in self._fillings.of(epoch, count):
            began, held = time.perf_counter(), len(filling.order)
            self._fill(filling)
            yield Piece(
                filling.first, filling.steps, {name: array[:held] for name, array in self._buffer.items()},
                filling.order, held, filling.steps, self._setup.batch,
                seconds=time.perf_counter() - began, partners=filling.partners,
            )  # fmt: skip

    def _fill(self, filling: Filling) -> None:
        at = len(filling.kept)
        for array in self._buffer.values():
            array[:at] = array[filling.kept]
        for rows in filling.read:
            count, found = rows.stop - rows.start, _arrays(self._train.take(rows))
            for name, array in self._buffer.items():
                array[at : at + count] = found[name]
            at += count


class SlicedFeed:
    """Feeds a rank with its slices of batches from the disk, and reads no other rows."""

    def __init__(self, setup: Setup, train: DiskPart) -> None:
        self._setup, self._train, self._fillings = setup, train, Fillings(setup, train)

    def pieces(self, epoch: int, count: int) -> Iterator[Piece]:
        held = np.empty(0, np.int64)  # the rows that the buffer of one process would hold
        for filling in self._fillings.of(epoch, count):
            began = time.perf_counter()
            held = np.concatenate([held[filling.kept], *(np.arange(r.start, r.stop) for r in filling.read)])
            orders = [filling.order, *([] if filling.partners is None else [filling.partners])]
            taken, own = [held[order] for order in orders], self._own(filling)
            needed = np.unique(np.concatenate([rows[own] for rows in taken]))
            arrays = _arrays(self._train.take(needed))
            order, *partners = (_places(needed, rows, own) for rows in taken)
            yield SlicedPiece(
                filling.first, filling.steps, arrays, order, len(held), filling.steps, self._setup.batch,
                seconds=time.perf_counter() - began, partners=partners[0] if partners else None,
                train=self._train, taken=taken,
            )  # fmt: skip

    def _own(self, filling: Filling) -> np.ndarray:
        """The places in the order of this rank's slices of the batches."""
        batch, lanes = self._setup.batch, self._setup.compiled.epoch.interface.lanes
        starts = range(0, filling.steps * batch, batch)
        places = []
        for start in starts:
            own = world().slice_of(min(batch, len(filling.order) - start), lanes)
            places.append(np.arange(start + own.start, start + own.stop))
        return np.concatenate(places)


class Filling(NamedTuple):
    """The content of the buffer for a piece.

    Args:
        first: the first step of the piece, counted from the first of the epochs.
        steps: how many it has.
        kept: the places of the rows that stay from before, and move to the front.
        read: the rows that follow them, as slices of the part.
        order: i64, the places of the rows in the order to take them.
        partners: i64, those of the rows that these are mixed with; None if they are not.
    """

    first: int
    steps: int
    kept: np.ndarray
    read: Sequence[slice]
    order: np.ndarray
    partners: np.ndarray | None


class Fillings:
    """Draws the content of the buffer, piece after piece."""

    def __init__(self, setup: Setup, train: DiskPart) -> None:
        self._setup, self._rows = setup, len(train)
        self.size = min(train.most_at_once, len(train))
        fit = max(1, BLOCK // max(1, train.x.row_bytes))
        self._block = min(fit, max(1, self.size // BLOCKS))

    def of(self, epoch: int, count: int) -> Iterator[Filling]:
        """The fillings of `count` epochs after `epoch`; each epoch begins with an empty buffer."""
        for k in range(count):
            yield from self._epoch(epoch + k, k * self._setup.steps)

    def _epoch(self, epoch: int, first: int) -> Iterator[Filling]:
        setup, rng, of_partners = self._setup, _generator(self._setup, epoch), _partners(self._setup, epoch)
        blocks, last, read, kept = self._blocks(rng), first + setup.steps, 0, np.empty(0, np.int64)
        while first < last:
            end = min(read + self.size - len(kept), self._rows)
            held = len(kept) + end - read
            order = np.arange(held) if setup.in_order else rng.permutation(held)
            partners = None if setup.task.mixup is None else of_partners.permutation(held)
            count = held // setup.batch if held == self.size else last - first
            _sort_batches(order[: count * setup.batch], setup.batch)
            yield Filling(first, count, kept, list(blocks.between(read, end)), order, partners)
            read, first, kept = end, first + count, order[count * setup.batch :]

    def _blocks(self, rng: np.random.Generator) -> _Blocks:
        starts = np.arange(0, self._rows, self._block)
        if not self._setup.in_order:
            starts = rng.permutation(starts)
        sizes = np.minimum(self._block, self._rows - starts)
        return _Blocks(starts, sizes, np.cumsum(sizes))


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

    def between(self, begin: int, end: int) -> Iterator[slice]:
        """The rows `begin` to `end` of the epoch, block after block."""
        k = int(np.searchsorted(self.ends, begin, side="right"))
        while begin < end:
            start = int(self.starts[k] + begin - (self.ends[k] - self.sizes[k]))
            count = min(int(self.ends[k]), end) - begin
            yield slice(start, start + count)
            begin, k = begin + count, k + 1


def _sort_batches(order: np.ndarray, batch: int) -> None:
    """Put the rows of each batch into the order of their places."""
    whole = len(order) // batch * batch
    order[:whole].reshape(-1, batch).sort(axis=1)
    order[whole:].sort()


def _places(needed: np.ndarray, rows: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The places of own rows among the needed ones; 0 for all others."""
    places = np.zeros(len(rows), np.int64)
    places[own] = np.searchsorted(needed, rows[own])
    return places


def _arrays(part: Part) -> dict[str, np.ndarray]:
    return {"x": part.x, "y": part.y, "w": part.w}


def _named(names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays x, y and w under other names."""
    return dict(zip(names, (arrays[name] for name in "xyw"), strict=True))


def _generator(setup: Setup, epoch: int) -> np.random.Generator:
    """The generator of an epoch's order."""
    return np.random.default_rng([setup.experiment.seed, epoch])


def _partners(setup: Setup, epoch: int) -> np.random.Generator:
    """The generator of an epoch's partners."""
    return np.random.default_rng([setup.experiment.seed, epoch, 1])
