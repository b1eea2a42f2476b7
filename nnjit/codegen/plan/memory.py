"""Assign a buffer to every value that outlives its loop: an argument's array, or a part of the work memory.

The work memory is one array per dtype, allocated before the epoch; a part is reused as soon as no later
kernel reads it. If threads share the batch, each has two more of its own: one for values that every
thread computes itself, and one for its part of each sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nnjit.codegen.plan.arena import Arena
from nnjit.codegen.plan.buffers import Buffer, Owner, Storage, aligned
from nnjit.codegen.plan.kernels import OWN_STAGE, Kernel, Plan, is_long_sum
from nnjit.codegen.plan.liveness import Span, spans_of
from nnjit.codegen.plan.nests import POINTWISE, Nest, nests, reads_same_element
from nnjit.codegen.plan.slices import sliced_kernels
from nnjit.codegen.rewrite.legalize import (
    is_accumulated,
    is_batch_reduction,
    is_batched,
    is_computed,
    is_view,
    root,
    source,
)
from nnjit.ir import Graph, Node
from nnjit.ir.types import SHORT
from nnjit.primitives.lanes import lane_weights

Pool = tuple[Storage, int]
"""An array, and the size of the rows in this part of it; 0 if rows may have any size."""


@dataclass(frozen=True)
class Layout:
    """Buffers of roots, the nests of each kernel of loops, and the size of the work memory.

    Args:
        scratch: values that only later loops of the same row read; one row is enough.
        copies: results that could not be computed in place, with the buffers they are copied to.
        accumulators: batch reductions in memory, by phase, to be set to their identity before it.
        partials: if threads share the batch, the buffer of each thread's part of a sum; always, the buffer of
            each lane's part of a sum.
        length: of the vectors that threads divide into slices; 0 if there are none.
        sliced: the kernels over such vectors, and kernels of single values that each thread computes.
        inside: piece -> the concatenation it is computed in, and its offset there.
    """

    buffers: Mapping[Node, Buffer]
    nests: Mapping[Kernel, Sequence[Nest]]
    work: Mapping[Storage, int]
    scratch: frozenset[Node]
    copies: Sequence[tuple[Node, Buffer]]
    accumulators: Mapping[int, Sequence[Node]]
    partials: Mapping[Node, Buffer]
    length: int
    sliced: frozenset[Kernel]
    inside: Mapping[Node, tuple[Node, int]]

    def slices(self, kernel: Kernel) -> int:
        """The length of the vectors that `kernel` loops over in slices; 0 if there are none."""
        is_sliced = kernel in self.sliced and any(nest.domain for nest in self.nests[kernel])
        return self.length if is_sliced else 0


@dataclass
class _Builder:
    """Plans the memory of one graph."""

    plan: Plan
    block: int
    buffers: dict[Node, Buffer] = field(default_factory=dict)
    inside: Mapping[Node, tuple[Node, int]] = field(default_factory=dict)
    work: dict[Storage, int] = field(default_factory=dict)
    scratch: set[Node] = field(default_factory=set)
    sliced: frozenset[Kernel] = frozenset()

    def storage(self, node: Node, home: Kernel) -> Storage:
        """The array for a value of kernel `home`."""
        if not self.plan.is_shared or (home.is_product and not is_accumulated(node)):
            is_own = False
        elif home.zone == "rows":
            is_own = is_batch_reduction(node) or node in self.scratch
        else:
            is_own = home in self.sliced and node.type.row_size == 1
        return Storage.work(Owner.EACH if is_own else Owner.ALL, SHORT[node.dtype])


def plan_memory(
    plan: Plan, block: int, targets: Mapping[Node, Buffer], donated: Mapping[Node, Node]
) -> Layout:
    """Assign buffers to everything that needs one.

    Args:
        block: the most rows that a kernel sees at once.
        targets: where inputs are, and where results must go.
        donated: result -> the input whose memory it takes over.
    """
    build = _Builder(plan, block, buffers={n: p for n, p in targets.items() if not is_computed(n)})
    build.inside = pieces_in_place(plan)
    wholes = {piece: whole for piece, (whole, _) in build.inside.items()}
    grouped = {k: nests(k, wholes) for k in plan.kernels if not k.is_product}
    index = {node: k for k, kernel in enumerate(plan.kernels) for node in kernel.nodes}
    build.scratch = _scratch(plan, grouped)
    results = {node for node in targets if is_computed(node)}
    length, build.sliced = sliced_kernels(plan, grouped, results)
    copies = []
    for node, target in targets.items():
        if is_computed(node):
            is_safe = node not in donated or _may_overwrite(node, donated[node], plan.graph, index, grouped)
            if is_safe and node not in build.inside:
                build.buffers[node] = target
            else:
                copies.append((node, target))
    _allocate(build, index, {n for n, _ in copies})
    accumulators: dict[int, list[Node]] = {}
    for kernel in plan.kernels:
        sums = [n for n in kernel.nodes if is_accumulated(n)]
        accumulators.setdefault(kernel.phase, []).extend(sums)
    partials = _partials(build)
    return Layout(
        build.buffers, grouped, build.work, frozenset(build.scratch), copies, accumulators, partials,
        length, build.sliced, build.inside,
    )  # fmt: skip


def pieces_in_place(plan: Plan) -> dict[Node, tuple[Node, int]]:
    """Return the pieces of flat concatenations (the gradient vector's parts) that are computed in place.

    Each is mapped to its concatenation and its offset there.
    """
    inside: dict[Node, tuple[Node, int]] = {}
    results = {root(n) for n in plan.graph.outputs}
    for kernel in plan.kernels:
        for node in kernel.nodes:
            if node.primitive.kind != "concat" or is_batched(node) or node.ndim != 1:
                continue
            start, times = 0, Counter(map(id, node.inputs))
            for piece in node.inputs:
                base = root(piece)
                whole = not is_view(piece) and is_computed(base) and base.type.row_size == piece.type.row_size
                free = base not in inside and base not in results and base.primitive.kind != "concat"
                if whole and free and times[id(piece)] == 1:
                    inside[base] = (node, start)
                    inside[piece] = (node, start)
                start += piece.type.row_size
    return inside


def _scratch(plan: Plan, grouped: Mapping[Kernel, Sequence[Nest]]) -> set[Node]:
    """Values that only later nests of their own kernel read."""
    outside = {source(n) for n in plan.graph.outputs}
    home = {node: kernel for kernel in plan.kernels for node in kernel.nodes}
    for kernel in plan.kernels:
        for node in kernel.nodes:
            outside |= {s for s in map(source, node.inputs) if home.get(s) is not kernel}
    found: set[Node] = set()
    for kernel, own in grouped.items():
        nest_of = {op.node: k for k, nest in enumerate(own) for op in nest.ops}
        for k, nest in enumerate(own):
            for op in nest.ops:
                for argument in op.inputs:
                    value = source(argument)
                    later = nest_of.get(value, k) < k and value.type.row_size != 1
                    if (
                        later
                        and value not in outside
                        and home[value] is kernel
                        and not is_batch_reduction(value)
                    ):
                        found.add(value)
    return found


def _in_memory(plan: Plan, scratch: set[Node]) -> set[Node]:
    """Values read outside the nest that computes them."""
    home = {node: kernel for kernel in plan.kernels for node in kernel.nodes}
    found = {*scratch, *map(source, plan.graph.outputs)}
    for kernel in plan.kernels:
        for node in kernel.nodes:
            found |= {value for value in map(source, node.inputs) if home.get(value) is not kernel}
    return found | {node for node in home if _is_kept(node)}


def _is_kept(node: Node) -> bool:
    """Whether a value has memory regardless of who reads it."""
    if node.primitive.kind in (*OWN_STAGE, "concat") or is_batch_reduction(node):
        return True
    return node.primitive.kind == "reduce" and node.type.row_size != 1


def _may_overwrite(
    result: Node,
    taken: Node,
    graph: Graph,
    index: Mapping[Node, int],
    grouped: Mapping[Kernel, Sequence[Nest]],
) -> bool:
    """Whether everything else has read `taken` before `result` overwrites it."""
    own = {op.node: (k, op) for loops in grouped.values() for k, nest in enumerate(loops) for op in nest.ops}
    if result not in own or result.primitive.kind not in POINTWISE:
        return False  # sums and joins write before they have read everything
    for node in graph.nodes:
        for argument in node.inputs:
            if not is_computed(node) or source(argument) is not taken or index[node] < index[result]:
                continue
            if index[node] > index[result] or node not in own or own[node][0] > own[result][0]:
                return False
            if own[node][0] == own[result][0] and not reads_same_element(own[node][1], argument):
                return False
    return True


def _allocate(build: _Builder, index: Mapping[Node, int], kept: set[Node]) -> None:
    """Allocate a part of the work memory for each value that needs one."""
    in_memory = _in_memory(build.plan, build.scratch)
    pending = [n for n in index if n not in build.buffers and n in in_memory]
    spans = spans_of(build.plan, pending, index, kept=kept, inside=build.inside)
    arenas: dict[Pool, Arena] = {}
    pools: dict[Node, Pool] = {}
    for node in sorted((n for n in pending if n not in build.inside), key=lambda n: spans[n][0]):
        pools[node] = _take(build, node, build.plan.kernels[index[node]], spans[node], arenas)
    bases = _join_pools(build, arenas)
    for node, pool in pools.items():
        buffer = build.buffers[node]
        build.buffers[node] = buffer._replace(start=buffer.start + bases[pool])
    for piece, (whole, start) in build.inside.items():
        if is_computed(piece):
            base = build.buffers[whole]
            build.buffers[piece] = Buffer(base.storage, base.start + start, piece.type.row_size, rows=False)


def _take(build: _Builder, node: Node, home: Kernel, span: Span, arenas: dict[Pool, Arena]) -> Pool:
    """Give a value the first part of its pool that no other value uses at the same time."""
    storage, size = build.storage(node, home), node.type.row_size
    rows = is_batched(node) and node not in build.scratch
    length = size * (build.block if rows else 1)
    pool = storage, size if rows and build.plan.is_shared else 0
    arena = arenas.setdefault(pool, Arena(node.dtype.itemsize))
    build.buffers[node] = Buffer(storage, arena.take(length, span), size, rows)
    return pool


def _join_pools(build: _Builder, arenas: Mapping[Pool, Arena]) -> dict[Pool, int]:
    """Place the pools of a storage one after another; return where each begins.

    If threads share the batch, rows of each size have their own pool: a reused part is then divided at the
    same places, so no thread writes into rows that another still reads.
    """
    bases = {}
    for storage, size in sorted(arenas, key=lambda pool: (pool[0].name, pool[1])):
        bases[storage, size] = aligned(build.work.get(storage, 0), storage.dtype)
        build.work[storage] = bases[storage, size] + arenas[storage, size].size
    return bases


def _partials(build: _Builder) -> dict[Node, Buffer]:
    """Allocate a buffer for each thread's, or lane's, part of every sum; it is used for nothing else."""
    buffers = {}
    for kernel in build.plan.kernels:
        for node in kernel.nodes:
            is_parted = is_accumulated(node) or node in build.plan.own_sums
            is_parted |= kernel in build.sliced and is_long_sum(node)
            lanes = node.inputs[0].type.row_shape[-1] if node.primitive is lane_weights else 1
            if lanes > 1 or (build.plan.is_shared and is_parted):
                storage, size = Storage.work(Owner.SUMS, SHORT[node.dtype]), node.type.row_size * lanes
                start = aligned(build.work.get(storage, 0), storage.dtype)
                buffers[node] = Buffer(storage, start, size, rows=False)
                build.work[storage] = start + size
    return buffers
