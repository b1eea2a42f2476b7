"""Lower graphs to plans: rewrite them, group their examples, and lift their constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnjit.codegen.library.vector_loops import WIDTH
from nnjit.codegen.plan.kernels import Plan, plan_kernels
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.lanes import in_lanes
from nnjit.codegen.rewrite.legalize import legalize
from nnjit.codegen.rewrite.sparse_rows import with_lists
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.sparse_updates import plan_tables
from nnjit.ir import Graph, Node, new_input, rebuild
from nnjit.ir.graph import constant_p

MOST_IDLE = 1.25  # the most places in a batch of groups, as a multiple of its examples


def in_groups(
    graphs: list[Graph], interface: Interface, most_rows: int, is_shared: bool
) -> tuple[list[Graph], int]:
    """Return a step and its evaluation for groups of examples, and a group's size: 1 if groups do not pay."""
    if not interface.weights:
        return graphs, 1
    lanes = WIDTH // graphs[0].input(interface.weights[0]).dtype.itemsize
    groups = -(-most_rows // lanes)
    if groups < 1 + is_shared or groups * lanes > MOST_IDLE * most_rows:
        return graphs, 1
    held_out = () if interface.evaluation_weight is None else (interface.evaluation_weight,)
    named = zip(graphs, (interface.weights, held_out), strict=False)
    grouped = [in_lanes(g, [g.input(name) for name in names], lanes) for g, names in named]
    made = [g for g in grouped if g is not None]
    return (made, lanes) if len(made) == len(graphs) else (graphs, 1)


def plan_step(
    graph: Graph, interface: Interface, most_rows: int, is_shared: bool
) -> tuple[Plan, list[np.ndarray]]:
    """Plan the kernels of a step; return them with the arrays of its constants."""
    # Ranks use different rows of a table, so they combine its whole gradient.
    step = None if interface.has_ranks else with_lists(graph, range(len(interface.updates)), most_rows)
    if step is not None:
        lowered, constants = lower(step.graph)
        plan = plan_tables(lowered, step, is_shared=is_shared)
        if plan is not None:
            return plan, constants
    lowered, constants = lower(graph)
    return plan_kernels(lowered, is_shared=is_shared), constants


def lower(graph: Graph, prefix: str = "") -> tuple[Graph, list[np.ndarray]]:
    """Return a legal graph with its constant arrays as additional inputs, and the arrays."""
    graph = legalize(expand(graph))
    constants = [n for n in graph.nodes if n.primitive is constant_p and n.shape != ()]
    replace: Mapping[Node, Node] = {n: new_input(n.type) for n in constants}
    names = (*graph.names, *(f"{prefix}constant{k}" for k in range(len(constants))))
    lifted = Graph((*graph.inputs, *replace.values()), rebuild(graph.outputs, replace), names)
    return lifted, [n.params["value"].array for n in constants]


def constants_of(lowered: Graph, arrays: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The constants of a lowered graph, its last inputs, by name."""
    return dict(zip(lowered.names[len(lowered.names) - len(arrays) :], arrays, strict=True))
