"""Passes: functions from a valid graph to an equivalent valid graph.

Dead code needs no pass: a graph holds only what its outputs reach.
"""

from collections.abc import Callable, Sequence
from itertools import cycle, islice

from nnjit.ir import Graph, tracing
from nnjit.passes.fold_constants import fold_constants
from nnjit.passes.fold_transposes import fold_transposes
from nnjit.passes.join_pieces import join_pieces
from nnjit.passes.merge_loops import merge_loops
from nnjit.passes.share_common import share_common
from nnjit.passes.simplify import simplify
from nnjit.passes.trim_loops import trim_loops

Pass = Callable[[Graph], Graph]
PASSES: tuple[Pass, ...] = (share_common, fold_constants, simplify, fold_transposes, join_pieces, merge_loops)
LAST = (*PASSES, trim_loops)  # last, since trimmed loops cannot be merged
MOST_ROUNDS = 8


@tracing(is_on=False)
def optimize(graph: Graph) -> Graph:
    """Apply all passes to `graph`, in turn, until none changes it."""
    graph = _settled(graph, PASSES)
    trimmed = trim_loops(graph)
    return graph if trimmed.outputs == graph.outputs else _settled(trimmed, LAST)


def _settled(graph: Graph, passes: Sequence[Pass]) -> Graph:
    idle = 0  # passes since one changed the graph
    for run in islice(cycle(passes), MOST_ROUNDS * len(passes)):
        before, graph = graph, run(graph)
        idle = idle + 1 if graph.outputs == before.outputs else 0
        if idle == len(passes):
            break
    return graph


__all__ = ["LAST", "PASSES", "Pass", "fold_constants", "fold_transposes", "join_pieces", "merge_loops",
           "optimize", "share_common", "simplify", "trim_loops"]  # fmt: skip
