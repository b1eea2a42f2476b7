"""Lower graphs to plans: rewrite them, group their examples, and choose how many rows there is memory for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnjit.codegen.library.vector_loops import WIDTH
from nnjit.codegen.plan.kernels import Plan, plan_kernels
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.lanes import in_lanes
from nnjit.codegen.rewrite.legalize import is_computed, legalize
from nnjit.codegen.rewrite.sparse_rows import with_lists
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.sparse_updates import plan_tables
from nnjit.ir import Graph, Node, new_input, rebuild
from nnjit.ir.graph import constant_p
from nnjit.primitives import scan_p
from nnjit.primitives.elementwise import copy_p

# If rows are as large as those of a convolution, as many as stay in the cache (LeNet: 9.6 → 5.7 ms a step).
LARGE_BLOCK, CACHED = 2**24, 2**22  # bytes
# A thread takes a group at a time, or two if what they compute stays in a cache (LeNet: −2 %).
MOST_THREADS, SMALL_GROUP = 8, 2**21  # threads that a block of groups is enough for; bytes
MOST_IDLE = 1.25  # the most places that a batch of groups may have, as a multiple of its examples


def in_groups(
    graphs: list[Graph], interface: Interface, most_rows: int, is_shared: bool
) -> tuple[list[Graph], int]:
    """A step, and its evaluation, for groups of examples, and a group's size; 1 if groups are no gain."""
    if interface.weight is None:
        return graphs, 1
    lanes = WIDTH // graphs[0].input(interface.weight).dtype.itemsize
    groups = -(-most_rows // lanes)
    if groups < 1 + is_shared or groups * lanes > MOST_IDLE * most_rows:
        return graphs, 1
    names = (interface.weight, interface.evaluation_weight)
    weights = [graph.input(name) for graph, name in zip(graphs, names, strict=False) if name is not None]
    grouped = [in_lanes(g, w, lanes) for g, w in zip(graphs, weights, strict=True)]
    made = [g for g in grouped if g is not None]
    return (made, lanes) if len(made) == len(graphs) else (graphs, 1)


def plan_step(
    graph: Graph, interface: Interface, most_rows: int, is_shared: bool
) -> tuple[Plan, list[np.ndarray]]:
    """The kernels of a step, and the arrays of its constants."""
    step = with_lists(graph, range(len(interface.updates)), most_rows)
    if step is not None:
        lowered, constants = lower(step.graph)
        plan = plan_tables(lowered, step, is_shared=is_shared)
        if plan is not None:
            return plan, constants
    lowered, constants = lower(graph)
    return plan_kernels(lowered, is_shared=is_shared), constants


def block_rows(graph: Graph, block: int) -> int:
    """The rows of a block: `block`, or a power of two, at least 8, if so many do not fit into the cache.

    A loop needs a few more, since the products of a step have no other rows (LSTM: 2.1 → 1.7 ms).
    """
    size = row_bytes(graph)
    if block * size <= LARGE_BLOCK:
        return block
    least = 16 if any(n.primitive is scan_p for n in graph.nodes) else 8
    return min(block, max(least, 1 << max(CACHED // size, 1).bit_length() - 1))


def block_groups(interface: Interface, block: int) -> int:
    """The groups of a block: as many as its rows fill, but no more than the threads take at a time."""
    return min(max(block // interface.lanes, 1), MOST_THREADS * interface.groups)


def row_bytes(graph: Graph) -> int:
    """About how many bytes of a row are kept: those of the values that are not computed where used."""
    kept = [n for n in graph.nodes if n.type.is_batched and is_computed(n)]
    kept = [n for n in kept if n.primitive.kind != "elementwise" or n.primitive is copy_p]
    return sum(n.type.row_size * n.dtype.itemsize for n in kept)


def lower(graph: Graph, prefix: str = "") -> tuple[Graph, list[np.ndarray]]:
    """A legal graph whose constant arrays are additional inputs, and those arrays."""
    graph = legalize(expand(graph))
    constants = [n for n in graph.nodes if n.primitive is constant_p and n.shape != ()]
    replace: Mapping[Node, Node] = {n: new_input(n.type) for n in constants}
    names = (*graph.names, *(f"{prefix}constant{k}" for k in range(len(constants))))
    lifted = Graph((*graph.inputs, *replace.values()), rebuild(graph.outputs, replace), names)
    return lifted, [n.params["value"].array for n in constants]


def constants_of(lowered: Graph, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The constants of a lowered graph, its last inputs, by name."""
    return dict(zip(lowered.names[len(lowered.names) - len(arrays) :], arrays, strict=True))
