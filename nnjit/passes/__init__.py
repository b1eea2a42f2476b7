"""Passes: functions from a valid graph to an equivalent valid graph.

Dead code needs no pass: a graph is what its outputs reach.
"""

from collections.abc import Callable

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
LAST = (trim_loops, *PASSES)  # loops that record less could no longer become one
MOST_ROUNDS = 8


@tracing(is_on=False)
def optimize(graph: Graph) -> Graph:
    """`graph` after all passes, in rounds until nothing changes."""
    for passes in (PASSES, LAST):
        for _ in range(MOST_ROUNDS):
            before = graph
            for run in passes:
                graph = run(graph)
            if graph.outputs == before.outputs:
                break
    return graph


__all__ = ["LAST", "PASSES", "Pass", "fold_constants", "fold_transposes", "join_pieces", "merge_loops",
           "optimize", "share_common", "simplify", "trim_loops"]  # fmt: skip
