"""Choose how many rows a block has, whose values are in memory at once."""

from __future__ import annotations

from nnjit.codegen.rewrite.legalize import is_computed
from nnjit.ir import Graph
from nnjit.primitives import scan_p
from nnjit.primitives.elementwise import copy_p

# If rows are as large as those of a convolution, as many as stay in the cache (LeNet: 9.6 → 5.7 ms a step).
LARGE_BLOCK, CACHED = 2**24, 2**22  # bytes
# A thread takes a group at a time, or two if what they compute stays in a cache (LeNet: −2 %).
MOST_THREADS, SMALL_GROUP = 8, 2**21  # threads that a block of groups is enough for; bytes


def block_rows(graph: Graph, block: int) -> int:
    """The rows of a block: `block`, or a power of two, at least 8, if so many do not fit into the cache.

    A loop needs a few more, since the products of a step have no other rows (LSTM: 2.1 → 1.7 ms).
    """
    size = _row_bytes(graph)
    if block * size <= LARGE_BLOCK:
        return block
    least = 16 if any(n.primitive is scan_p for n in graph.nodes) else 8
    return min(block, max(least, 1 << max(CACHED // size, 1).bit_length() - 1))


def block_groups(groups: int, lanes: int, block: int) -> int:
    """The groups of a block: as many as its rows fill, but no more than the threads take at a time.

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
    """About how many bytes of a row are kept: those of the values that are not computed where used."""
    kept = [n for n in graph.nodes if n.type.is_batched and is_computed(n)]
    kept = [n for n in kept if n.primitive.kind != "elementwise" or n.primitive is copy_p]
    return sum(n.type.row_size * n.dtype.itemsize for n in kept)
