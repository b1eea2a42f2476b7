"""Order the operations of a legal graph into kernels.

The batch passes through *phases*: `flat 0, rows 0, flat 1, rows 1, …, flat L`. A sum over the batch in
`rows p` is complete in `flat p+1`. Values of rows are computed in the latest phase that serves their users,
and sums in the earliest one possible, so rows rarely cross from phase to phase; if some do (batch
normalisation), the block must be the whole batch.

Within each of these, *stages* alternate between loops and products: everything between two products is fused
into one kernel. A sum computed once a batch ends a stage too: threads that share a long vector must wait for
each other before any of them knows its sum, and one thread computes any other sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import NamedTuple

from nnjit.codegen.rewrite.legalize import is_accumulated, is_batch_reduction, is_batched, is_computed, source
from nnjit.codegen.rewrite.sparse_rows import Table
from nnjit.ir import Graph, Node

OWN_STAGE = ("matmul", "routine", "loop")  # kinds of operations that have their own stages
# Of fused loops. LLVM takes more than linear time (2,000 operations in one kernel: 20 s), and short pieces of
# a chain are equal more often (one of 200 with its gradient: 0.8 s in pieces of 128, here 0.6 s).
MOST_OPERATIONS, PIECE = 128, 32  # of a kernel; of each of its pieces, if there are more
LONG = 4096  # elements of a vector from which threads share a loop over it


@dataclass(frozen=True)
class Kernel:
    """Operations that run together.

    Args:
        zone: "rows" if it passes over the rows of a block, "flat" if it runs once a batch.
        phase: the phase of the batch in which it runs.
        is_product: whether it is a single matrix product, routine, or loop over steps, instead of fused
            loops over elements.
        nodes: its operations, each after those it depends on.
    """

    zone: str
    phase: int
    is_product: bool
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Plan:
    """The kernels of a graph in the order they run.

    Args:
        phases: the number of passes over the rows.
        crossing: whether values of rows are kept from phase to phase.
        is_shared: whether threads share each batch.
        tables: the params that are updated only in the rows that a batch used.
        update: the kernel that updates them.
        own_sums: the products over the batch that each share sums separately until the batch ends.
    """

    graph: Graph
    kernels: tuple[Kernel, ...]
    phases: int
    crossing: bool
    is_shared: bool
    tables: tuple[Table, ...] = ()
    update: Kernel | None = None
    own_sums: frozenset[Node] = frozenset()

    def table_of(self, node: Node) -> Table | None:
        """The table whose gradient `node` is."""
        return next((t for t in self.tables if t.gradient is node), None)


def plan_kernels(graph: Graph, *, is_shared: bool = False, together: Set[Node] = frozenset()) -> Plan:
    """Plan the kernels of a legal graph.

    Args:
        is_shared: whether threads share each batch. Products over the batch then come last in their phase,
            after all threads have computed their rows.
        together: results that one kernel computes, if it can, from single values of earlier kernels.
    """
    order = [n for n in graph.nodes if is_computed(n)]
    needs = {n: tuple(dict.fromkeys(s for s in map(source, n.inputs) if is_computed(s))) for n in order}
    users: dict[Node, list[Node]] = {n: [] for n in order}
    for node in order:
        for need in needs[node]:
            users[need].append(node)
    phase, phases = _phases(order, needs, users)
    parts: dict[tuple[int, str], list[Node]] = {}
    for node in order:
        parts.setdefault((phase[node], _zone(node)), []).append(node)
    outputs = set(map(source, graph.outputs))
    kernels: list[Kernel] = []
    for turn, zone in product(range(phases + 1), ("flat", "rows")):
        own = parts.get((turn, zone), [])
        made = _kernels(zone, turn, _Staging(own, needs, users, outputs, together))
        kernels += sorted(made, key=sums_products) if is_shared else made
    return Plan(graph, tuple(kernels), phases, _crosses(order, users, phase), is_shared)


def sums_products(kernel: Kernel) -> bool:
    """Whether a kernel is a product over the batch, as the gradient of a weight is."""
    node = kernel.nodes[0]
    return kernel.is_product and is_batch_reduction(node) and not is_accumulated(node)


def is_long_sum(node: Node) -> bool:
    """Whether `node` reduces a long vector to one value, once a batch."""
    if node.primitive.kind != "reduce" or is_batch_reduction(node) or is_batched(node):
        return False
    return node.type.row_size == 1 and node.inputs[0].type.row_size >= LONG


def _zone(node: Node) -> str:
    return "rows" if is_batched(node) or is_batch_reduction(node) else "flat"


def _phases(
    order: Sequence[Node], needs: dict[Node, tuple[Node, ...]], users: dict[Node, list[Node]]
) -> tuple[dict[Node, int], int]:
    """Return the phase of each node, and the number of phases that the rows need.

    It is the latest one possible. But if rows cross phases anyway, sums over the batch, and values computed
    from them once a batch, come as early as possible: their arguments need not be kept until the last phase,
    and equal layers have equal kernels.
    """
    earliest: dict[Node, int] = {}
    summed: set[Node] = set()
    for node in order:
        earliest[node] = max((earliest[n] + is_batch_reduction(n) for n in needs[node]), default=0)
        if is_batch_reduction(node) or (not is_batched(node) and not summed.isdisjoint(needs[node])):
            summed.add(node)
    last = max((earliest[n] + 1 for n in order if _zone(n) == "rows"), default=0)

    def latest(early: Set[Node]) -> dict[Node, int]:
        phase: dict[Node, int] = {}
        for node in reversed(order):
            end = last - 1 if _zone(node) == "rows" else last
            found = min((phase[u] - is_batch_reduction(node) for u in users[node]), default=end)
            phase[node] = earliest[node] if node in early else min(found, end)
        return phase

    phase = latest(frozenset())
    return (latest(summed) if _crosses(order, users, phase) else phase), last


def _crosses(order: Sequence[Node], users: Mapping[Node, Sequence[Node]], phase: Mapping[Node, int]) -> bool:
    """Whether values of rows are kept from phase to phase."""
    return any(is_batched(n) and any(phase[u] != phase[n] for u in users[n]) for n in order)


def _kernels(zone: str, phase: int, staging: _Staging) -> list[Kernel]:
    """The kernels of a zone in one phase: for each stage, its fused loops, then one for each product."""
    _find_stages(staging)
    _postpone_all(staging)
    kernels = []
    for stage, members in sorted(staging.by_stage().items()):
        groups = _in_pieces(members, 1 if stage.is_products else MOST_OPERATIONS, staging.together)
        kernels += [Kernel(zone, phase, stage.is_products, group) for group in groups]
    return kernels


def _in_pieces(members: Sequence[Node], most: int, together: Set[Node]) -> list[tuple[Node, ...]]:
    """Split members, in order, into pieces if there are more than `most`, unless some belong together."""
    size = len(members)
    if size > most and together.isdisjoint(members):
        size = min(most, PIECE)
    return [tuple(members[k : k + size]) for k in range(0, len(members), size)]


def _find_stages(staging: _Staging) -> None:
    """The first stage of each operation: after the products, and the sums, that it needs."""
    for node in staging.own:
        read = [n for n in staging.needs[node] if n in staging.here]
        before = [staging.stage[n].after(1 if staging.is_apart(n, node) else 0) for n in read]
        if node.primitive.kind in OWN_STAGE:
            staging.stage[node] = max((s.products() for s in before), default=FIRST.products())
        else:
            staging.stage[node] = max((s.loops() for s in before), default=FIRST)
    joined = staging.here & staging.together
    last = max((staging.stage[n] for n in joined), default=FIRST)
    staging.stage.update(dict.fromkeys(joined, last))


class _Stage(NamedTuple):
    """The loops with this number, or the products that follow them."""

    number: int
    is_products: bool = False

    def loops(self) -> _Stage:
        """The first loops that may read this stage's results."""
        return _Stage(self.number + 1) if self.is_products else self

    def products(self) -> _Stage:
        """The first products that may read this stage's results."""
        return _Stage(self.number + 1 if self.is_products else self.number, True)

    def last_loops(self) -> _Stage:
        """The last loops whose results this stage may read."""
        return _Stage(self.number)

    def after(self, turns: int) -> _Stage:
        """The stage of the same kind that comes `turns` stages later."""
        return _Stage(self.number + turns, self.is_products)


FIRST = _Stage(0)


@dataclass(frozen=True)
class _Staging:
    """The operations of a zone in one phase, while their stages are being decided."""

    own: Sequence[Node]
    needs: Mapping[Node, Sequence[Node]]
    users: Mapping[Node, Sequence[Node]]
    outputs: Set[Node]
    together: Set[Node]
    stage: dict[Node, _Stage] = field(default_factory=dict)

    @cached_property
    def here(self) -> frozenset[Node]:
        return frozenset(self.own)

    def by_stage(self) -> dict[_Stage, list[Node]]:
        """The operations of each stage, in their order."""
        found: dict[_Stage, list[Node]] = {}
        for node in self.own:
            found.setdefault(self.stage[node], []).append(node)
        return found

    def is_apart(self, node: Node, user: Node) -> bool:
        """Whether `user` must be in a later kernel than `node`: threads share long vectors, but not sums."""
        is_scalar = bool(self.together) and node.type.row_size == 1 < user.type.row_size
        return _zone(node) == "flat" and (is_scalar or node.primitive.kind == "reduce")

    def latest(self, group: set[Node]) -> _Stage | None:
        """The last loops that serve all users of `group` outside it; None if it must not be postponed."""
        stages = []
        for node in group:
            if is_batch_reduction(node):
                continue  # complete after the last row, whatever its stage
            if node in self.outputs:
                return None
            for user in self.users[node]:
                if user not in self.here:
                    return None
                if user not in group:
                    last = self.stage[user].last_loops()
                    stages.append(last.after(-1) if self.is_apart(node, user) else last)
        return min(stages, default=None)

    def is_free(self, group: set[Node]) -> bool:
        """Whether `group` consists of sums of inputs, which any loop over the rows can compute."""
        reads = {n for member in group for n in self.needs[member]}
        if any(n in self.here and n not in group for n in reads):
            return False
        return all(is_batch_reduction(n) or self._is_own(n, group) for n in group)

    def _is_own(self, node: Node, group: set[Node]) -> bool:
        """Whether only `group` uses `node`."""
        return node not in self.outputs and bool(self.users[node]) and group.issuperset(self.users[node])

    def is_kept(self, node: Node, besides: set[Node]) -> bool:
        """Whether users outside `besides` keep `node` in memory anyway."""
        others = [u for u in self.users[node] if u not in besides]
        return node in self.outputs or any(
            u not in self.here or self.stage[u] > self.stage[node] for u in others
        )

    def saves(self, group: set[Node]) -> bool:
        """Whether the arguments of `group` take no more memory than its results."""
        given = sum(_bytes(n) for n in group if any(u not in group for u in self.users[n]))
        read = {n for member in group for n in self.needs[member] if n in self.here and n not in group}
        return sum(_bytes(n) for n in read if not self.is_kept(n, besides=group)) <= given


def _postpone_all(staging: _Staging) -> None:
    """Move operations to the stage of their first user unless that keeps more bytes alive.

    Thus the derivative of an activation is computed where it is used, from the activation, which the backward
    pass keeps anyway. Connected operations move together. Sums of inputs alone, such as the sum of the
    examples' weights, join the last loops.
    """
    place = {node: k for k, node in enumerate(staging.own)}
    waiting = {stage: nodes for stage, nodes in staging.by_stage().items() if not stage.is_products}
    last = max(waiting, default=FIRST)
    for first in sorted(waiting):
        for group in _connected(sorted(waiting[first], key=place.__getitem__), staging):
            if staging.is_free(group):
                staging.stage.update(dict.fromkeys(group, last))
            else:
                _postpone(staging, group)
            stage = next(staging.stage[n] for n in group)
            if stage != first:
                last = max(last, stage)
                waiting.get(stage, []).extend(group)
    for node in reversed(staging.own):
        if node.primitive.kind in ("elementwise", "counter", "reduce"):
            _postpone(staging, {node})


def _postpone(staging: _Staging, group: set[Node]) -> None:
    target = staging.latest(group)
    if target is not None and target > min(staging.stage[n] for n in group) and staging.saves(group):
        for node in group:
            staging.stage[node] = target


def _connected(members: Sequence[Node], staging: _Staging) -> list[set[Node]]:
    """Group members that are connected by what they read; groups are in the order of their last members."""
    parent: dict[Node, Node] = {}

    def head(node: Node) -> Node:
        while parent[node] is not node:
            parent[node] = node = parent[parent[node]]
        return node

    for node in members:
        parent[node] = node
        for need in staging.needs[node]:
            if need in parent:
                parent[head(need)] = node
    groups: dict[Node, set[Node]] = {}
    for node in reversed(members):
        groups.setdefault(head(node), set()).add(node)
    return list(reversed(groups.values()))


def _bytes(node: Node) -> int:
    return node.type.row_size * node.dtype.itemsize
