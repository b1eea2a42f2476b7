"""Choose how many rows a block has: those whose values are in memory at once."""

from __future__ import annotations

from nnjit.codegen.rewrite.legalize import is_computed
from nnjit.ir import Graph
from nnjit.primitives import scan_p
from nnjit.primitives.elementwise import copy_p

# A block of rows as large as a convolution's should stay in the cache (LeNet: 9.6 → 5.7 ms a step).
LARGE_BLOCK, CACHED = 2**24, 2**22  # bytes
# A thread takes one group at a time, or two if their values stay in a cache (LeNet: −2 %).
MOST_THREADS, SMALL_GROUP = 8, 2**21  # the most threads that a block of groups serves; bytes


def block_rows(graph: Graph, block: int) -> int:
    """Return the rows of a block: `block`, or a power of two, at least 8, if that many do not fit the cache.

    A loop needs at least 16, since the products of a step have no other rows (LSTM: 2.1 → 1.7 ms).
    """
    size = _row_bytes(graph)
    if block * size <= LARGE_BLOCK:
        return block
    least = 16 if any(n.primitive is scan_p for n in graph.nodes) else 8
    return min(block, max(least, 1 << max(CACHED // size, 1).bit_length() - 1))


def block_groups(groups: int, lanes: int, block: int) -> int:
    """Return the groups of a block: as many as its rows fill, but no more than the threads take at a time.

    Args:
        groups: that a thread takes at a time.
        lanes: examples of a group.
        block: rows of a block.
    """
    return min(max(block // lanes, 1), MOST_THREADS * groups)


def groups_at_once(graph: Graph) -> int:
    """The groups that a thread takes at a time."""
    return 1 + (_row_bytes(graph) <= SMALL_GROUP)


def _row_bytes(graph: Graph) -> int:
    """Estimate the bytes kept of a row: those of values that are not computed where they are used."""
    kept = [n for n in graph.nodes if n.type.is_batched and is_computed(n)]
    kept = [n for n in kept if n.primitive.kind != "elementwise" or n.primitive is copy_p]
    return sum(n.type.row_size * n.dtype.itemsize for n in kept)
