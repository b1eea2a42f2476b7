"""Make the code of a program from its graphs: rewrite them, plan kernels and memory, and write the source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnjit.codegen.code import EpochCode, Signature
from nnjit.codegen.lowering import constants_of, in_groups, lower, plan_step
from nnjit.codegen.plan.blocks import block_groups, block_rows, groups_at_once
from nnjit.codegen.plan.kernels import Plan, plan_kernels
from nnjit.codegen.plan.slices import own_sums
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.program import emit_call, emit_epochs
from nnjit.codegen.source.summary import summarize
from nnjit.errors import GraphError
from nnjit.ir import Graph, verify
from nnjit.passes import optimize

__all__ = ["emit_call", "plan_call", "write_epochs"]


def plan_call(graph: Graph, block: int) -> tuple[Plan, tuple[np.ndarray, ...], int]:
    """Plan a graph; return its kernels, its constant arrays, and the rows of a block, at most `block`."""
    lowered, constants = lower(optimize(verify(graph)))
    return plan_kernels(lowered), tuple(constants), block_rows(lowered, block)


def write_epochs(
    graph: Graph,
    interface: Interface,
    *,
    most_rows: int,
    title: str,
    evaluation: Graph | None,
    is_shared: bool,
    block: int,
) -> EpochCode:
    """Write the code of a step's epochs; the arguments are those of `CompiledEpoch`."""
    for name, new in interface.updated(graph).items():
        if new.type != (old := graph.input(name)).type:
            raise GraphError(f"{name}: an update of type {new.type} cannot replace {old.type}")
    graphs = [optimize(verify(g)) for g in (graph, evaluation) if g is not None]
    graphs, lanes = in_groups(graphs, interface, most_rows, is_shared)
    plan, constants = plan_step(graphs[0], interface, most_rows, is_shared)
    fixed = constants_of(plan.graph, constants)
    plans, evaluate = [plan], None
    if evaluation is not None:
        lowered, constants = lower(graphs[1], "held_out_")
        fixed |= constants_of(lowered, constants)
        evaluate = plan_kernels(lowered, is_shared=is_shared)
        plans.append(evaluate)
    groups = groups_at_once(plan.graph) if lanes > 1 else 1
    interface = replace(interface, lanes=lanes, groups=groups)
    block = block_rows(plan.graph, block) if lanes == 1 else block_groups(groups, lanes, block)
    if any(plan.crossing for plan in plans):
        block = max(block, -(-most_rows // lanes))
    plan = replace(plan, own_sums=own_sums(plan, blocks=-(-most_rows // (lanes * block))))
    program = emit_epochs(plan, evaluate, block, title, interface)
    held_out = interface.evaluation_weight if evaluation is not None else None
    tables = tuple((t.start, t.entries * t.size) for t in plan.tables)
    kernels = summarize(plan, program.functions, interface.guard(plan.graph), lanes)
    program = replace(program, functions={})
    return EpochCode(Signature.of(graph), interface, program, fixed, held_out, tables, kernels)
