"""Plan and write steps that update only the used rows of tables.

The loops over the batch list the rows that they use. Each share then takes the rows whose number modulo the
number of shares is its own: it adds up the shares' parts of their gradient, calls the update's kernel for
each row, and resets the gradient and the parts to 0. All other params are updated as without tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nnjit.codegen.plan.kernels import Kernel, Plan, plan_kernels
from nnjit.codegen.plan.memory import pieces_in_place
from nnjit.codegen.plan.nests import nests
from nnjit.codegen.plan.slices import is_sliced
from nnjit.codegen.rewrite.legalize import is_batch_reduction, root, source
from nnjit.codegen.rewrite.sparse_rows import Listed, Table
from nnjit.codegen.source.index import added, times
from nnjit.codegen.source.kernel import Function
from nnjit.ir import Graph, Node
from nnjit.ir.types import SHORT
from nnjit.primitives import scatter_add
from nnjit.primitives.indexing import scatter_sum_p


def plan_tables(graph: Graph, step: Listed, *, is_shared: bool) -> Plan | None:
    """Plan the kernels of a step with tables.

    Args:
        graph: the legal graph of the step.

    Returns:
        None if a gradient has no memory of its own, or no single kernel can update a slice of all vectors.
    """
    vectors = [root(graph.outputs[k]) for k in step.vectors]
    plan = plan_kernels(graph, is_shared=is_shared, together=set(vectors))
    inside, segments, found = pieces_in_place(plan), step.segments, []
    for listed, (start, entries, size) in zip(graph.outputs[-len(segments) :], segments, strict=True):
        gradient = _gradient(graph, inside, start, entries * size)
        if gradient is None:
            return None
        found.append(Table(root(listed), gradient, start, entries, size, step.most))
    update = _update(plan, vectors, inside)
    return None if update is None else replace(plan, tables=tuple(found), update=update)


def _gradient(graph: Graph, inside: dict[Node, tuple[Node, int]], start: int, length: int) -> Node | None:
    """The gradient of a table, a sum over the batch: a piece of the gradient vector, or all of it."""
    for node in graph.nodes:
        is_sum = node.primitive in (scatter_add, scatter_sum_p) and is_batch_reduction(node)
        if is_sum and node.type.row_size == length and start == inside.get(node, (node, 0))[1]:
            return node
    return None


def _update(plan: Plan, vectors: Sequence[Node], inside: dict[Node, tuple[Node, int]]) -> Kernel | None:
    """The kernel that computes all `vectors`, each element from elements at the same place."""
    kernel = next(k for k in plan.kernels if vectors[0] in k.nodes)
    wholes = {piece: whole for piece, (whole, _) in inside.items()}
    length = vectors[0].type.row_size
    is_fit = kernel.zone == "flat" and not kernel.is_product and set(vectors) <= set(kernel.nodes)
    if not is_fit or not is_sliced(nests(kernel, wholes), length, set(vectors)):
        return None
    later = plan.kernels[plan.kernels.index(kernel) + 1 :]
    read = {source(a) for k in later for n in k.nodes for a in n.inputs}
    return None if any(n.type.row_size == length for n in read) else kernel


def between(tables: Sequence[Table], length: int) -> Iterator[tuple[int, int]]:
    """The offset and length of each part of the params vector outside all tables."""
    end = 0
    for table in tables:
        if table.start > end:
            yield end, table.start - end
        end = table.start + table.entries * table.size
    if length > end:
        yield end, length - end


def update_text(table: Table, name: str, function: Function, length: int) -> str:
    """A kernel that calls the update `name` for each row that a share must update."""
    arguments, first = [], added(str(table.start), times("row", table.size))
    for parameter, buffer in zip(function.parameters[1:], function.arguments, strict=True):
        is_vector = buffer.size == length and not buffer.rows
        row = f"part({parameter}, {first}, {table.size}, 1)"
        arguments.append(row if is_vector else parameter)
    zero = f"{SHORT[table.gradient.dtype]}(0)"
    return (
        f"(n, share, shares, turn, used, seen, gradient, {', '.join(function.parameters[1:])}):\n"
        "    for k in range(n):\n"
        "        row = i64(used[k])\n"
        "        if row % shares == share and seen[row] != turn:\n"
        "            seen[row] = turn\n"
        f"            {name}({table.size}, {', '.join(arguments)})\n"
        f"            fill(part(gradient, row, 1, {table.size}), {table.size}, {zero})\n"
    )


def total_text(table: Table) -> str:
    """A kernel that adds up the parts of the gradient of a share's rows and resets them to 0."""
    zero = f"{SHORT[table.gradient.dtype]}(0)"
    return (
        "(n, share, shares, stride, used, sums, total):\n"
        "    for k in range(n):\n"
        "        row = i64(used[k])\n"
        "        if row % shares == share:\n"
        "            for t in range(shares):\n"
        f"                for j in range(row * {table.size}, (row + 1) * {table.size}):\n"
        "                    total[j] = total[j] + sums[t * stride + j]\n"
        f"                    sums[t * stride + j] = {zero}\n"
    )
