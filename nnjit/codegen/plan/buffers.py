"""Storage of values: arrays, and the part of an array that holds one value."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from nnjit.codegen.memory import ALIGNMENT
from nnjit.codegen.rewrite.legalize import offset, root
from nnjit.ir import Node
from nnjit.ir.types import DTYPES


class Owner(Enum):
    """The provider of an array, and the threads that see it."""

    CALLER = "caller"  # an argument or a result, given by the caller
    ALL = "work"  # work memory shared by all threads
    EACH = "own"  # work memory of each thread: values that every thread computes itself
    SUMS = "sums"  # work memory of each thread: its part of each sum


class Storage(NamedTuple):
    """An array.

    Args:
        name: in the source.
        dtype: its short name.
    """

    name: str
    dtype: str
    owner: Owner = Owner.CALLER

    @classmethod
    def work(cls, owner: Owner, dtype: str) -> Storage:
        """The work memory's array of a dtype."""
        return cls(f"{owner.value}_{dtype}", dtype, owner)

    @property
    def is_each_threads(self) -> bool:
        """Whether every thread has its own copy of the array."""
        return self.owner in (Owner.EACH, Owner.SUMS)


class Buffer(NamedTuple):
    """Where a value's elements are.

    Args:
        storage: the array.
        start: the index of its first element.
        size: its number of elements, of one row if `rows`.
        rows: whether every row of the block has its own.
        gap: elements between the end of a row and the beginning of the next.
    """

    storage: Storage
    start: int
    size: int
    rows: bool
    gap: int = 0

    @property
    def stride(self) -> int:
        """The distance between successive rows, in elements."""
        return self.size + self.gap


def buffer_of(node: Node, buffers: Mapping[Node, Buffer]) -> Buffer:
    """The buffer of a value, which may be an alias of other memory."""
    base = buffers[root(node)]
    if node is root(node):
        return base
    size = node.type.row_size
    gap = base.stride - size if base.gap else 0  # rows stay as far apart
    return Buffer(base.storage, base.start + offset(node), size, base.rows, gap)


def aligned(size: int, dtype: str) -> int:
    """Round a number of elements up to whole cache lines."""
    step = ALIGNMENT // DTYPES[dtype].itemsize
    return -(-size // step) * step
