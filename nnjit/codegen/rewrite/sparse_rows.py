"""Find tables: matrices of params in which a step updates only the rows that its batch used.

A step marks them with `where_used`, which is defined as a selection by row. If a batch uses few rows of a
large table, the step really updates no others: the loops over the batch list the rows they use, the
gradient's other rows stay 0 from step to step, and the update runs row by row (`source/sparse_updates.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnjit.ir import Graph, Node, apply, constant
from nnjit.primitives import broadcast, concat, less, reduce_sum, reshape, scatter_add, select
from nnjit.primitives.tables import Segment, listed_p, used_p, where_used_p

FEW = 8  # a table with fewer than this many times the rows that a batch can use is updated as a whole
SMALL = 4096  # and so is one of fewer elements


@dataclass(frozen=True)
class Table:
    """A matrix of params in which a step updates only the used rows.

    Args:
        listed: the list of the used rows.
        gradient: of the table, a sum over the batch.
        start: its offset in the vector of params.
        most: the most examples of a batch.
    """

    listed: Node
    gradient: Node
    start: int
    entries: int
    size: int
    most: int

    @property
    def uses(self) -> int:
        """How many rows an example uses."""
        return self.listed.inputs[0].type.row_size


@dataclass(frozen=True)
class Listed:
    """A step that computes the update of all rows, with the lists of used rows as its last outputs.

    Args:
        vectors: the outputs as long as the params.
        most: the most examples of a batch.
    """

    graph: Graph
    segments: Sequence[Segment]
    vectors: Sequence[int]
    most: int


def with_lists(graph: Graph, updates: Sequence[int], most: int) -> Listed | None:
    """Add lists of the used rows to a step; None if no table is large and little used by a batch.

    Its other tables get lists too, unless updating them as a whole gives the same.

    Args:
        updates: the outputs that overwrite arguments.
        most: the most examples of a batch.

    Returns:
        Also None if a vector as long as the params, such as their average, changes in all rows.
    """
    chosen = [graph.outputs[k] for k in updates if graph.outputs[k].primitive is where_used_p]
    if not chosen:
        return None
    first, used = chosen[0], chosen[0].inputs[2:]
    vectors = [k for k in updates if graph.outputs[k].type.row_size == first.type.row_size]
    if len(vectors) != len(chosen) or any(n.inputs[2:] != used for n in chosen):
        return None
    tables = list(zip(used, first.params["segments"], strict=True))
    large = [(node, segment) for node, segment in tables if _is_large(node, segment, most)]
    if not large:
        return None
    tables = large if first.params["is_exact"] else tables
    outputs = [n.inputs[0] if k in vectors else n for k, n in enumerate(graph.outputs)]
    lists = [apply(listed_p, *node.inputs, **node.params) for node, _ in tables]
    listed = Graph(graph.inputs, (*outputs, *lists), graph.names)
    return Listed(listed, [segment for _, segment in tables], vectors, most)


def _is_large(used: Node, segment: Segment, most: int) -> bool:
    """Whether a table is large, and a batch uses little of it."""
    _, entries, size = segment
    return entries >= FEW * most * used.inputs[0].type.row_size and entries * size >= SMALL


def dense(node: Node) -> Any:
    """Express `used` and `where_used` in operations that loops support; keep any other node."""
    if node.primitive is used_p:
        (index,), entries = node.inputs, node.params["entries"]
        flat = reshape(index, shape=(index.shape[0], index.type.row_size))
        ones = broadcast(constant(1, np.int32), shape=flat.shape, axes=())
        counts = scatter_add(ones, flat, axis=1, size=entries)
        none = broadcast(constant(0, np.int32), shape=(entries,), axes=())
        return less(none, reduce_sum(counts, axes=(0,)))
    if node.primitive is not where_used_p:
        return node
    new, old, *used = node.inputs
    if node.params["is_exact"]:
        return new
    pieces, end = [], 0
    for is_used, (start, entries, size) in zip(used, node.params["segments"], strict=True):
        pieces += [_all(start - end)] * (start > end)
        rows = broadcast(is_used, shape=(entries, size), axes=(0,))
        pieces.append(reshape(rows, shape=(entries * size,)))
        end = start + entries * size
    length = new.type.row_size
    pieces += [_all(length - end)] * (length > end)
    return select(pieces[0] if len(pieces) == 1 else concat(*pieces, axis=0), new, old)


def _all(count: int) -> Any:
    return broadcast(constant(True), shape=(count,), axes=())
