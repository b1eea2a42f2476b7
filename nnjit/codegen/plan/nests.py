"""Group the operations of a fused kernel into loop nests.

An operation joins the nest of its arguments if it reads the same element of them. A sum, or a value read at
another element, is complete only after its nest, so its users join a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnjit.codegen.plan.kernels import Kernel
from nnjit.codegen.rewrite.legalize import is_batched, is_view, source
from nnjit.ir import Node
from nnjit.primitives import reshape

POINTWISE = ("elementwise", "counter", "gather")


@dataclass(frozen=True, eq=False)
class Op:
    """One operation in a nest: a node, or the copy of one piece of a concatenation."""

    node: Node
    piece: int | None = None

    @property
    def inputs(self) -> tuple[Node, ...]:
        return self.node.inputs if self.piece is None else (self.node.inputs[self.piece],)

    @property
    def domain(self) -> tuple[int, ...]:
        """The lengths of the loops around it, except the loop over rows."""
        looped = self.inputs[0] if self.node.primitive.kind in ("reduce", "concat") else self.node
        return looped.type.row_shape if looped.type.row_size != 1 else ()

    @property
    def is_pointwise(self) -> bool:
        return self.node.primitive.kind in POINTWISE


@dataclass(frozen=True)
class Nest:
    """Operations that share the loops over `domain`, in order."""

    domain: tuple[int, ...]
    ops: tuple[Op, ...]

    @property
    def is_flat(self) -> bool:
        """Whether one loop over all elements suffices: no operation needs the index of a single axis."""
        return len(self.domain) < 2 or all(_is_flat(op, self.domain) for op in self.ops)


def nests(kernel: Kernel, wholes: Mapping[Node, Node]) -> list[Nest]:
    """The nests of a kernel of loops, in the order they run.

    Args:
        wholes: piece -> the concatenation it is already computed in.
    """
    level: dict[Op, int] = {}
    owners: dict[Node, list[Op]] = {}
    for node in kernel.nodes:
        owners[node] = _ops(node, wholes)
        for op in owners[node]:
            level[op] = max((_level_for(op, arg, owners, level) for arg in op.inputs), default=0)
        if node.primitive.kind == "concat":
            owners[node] += [op for piece in node.inputs for op in owners.get(source(piece), [])]
    ops = list(level)
    _postpone_all(ops, level, owners)
    keys = sorted({(level[op], k) for k, op in enumerate(ops)})
    groups: dict[tuple[int, tuple[int, ...]], list[Op]] = {}
    for turn, k in keys:
        groups.setdefault((turn, ops[k].domain), []).append(ops[k])
    return [Nest(domain, tuple(group)) for (_, domain), group in groups.items()]


def reads_same_element(op: Op, argument: Node) -> bool:
    """Whether `op` reads from `argument` itself the same element that it computes."""
    if op.node.primitive.kind == "gather" and argument is op.inputs[0]:
        return False
    if argument.type.row_size == 1:
        return op.domain == () and source(argument) is unwrapped(argument)
    return source(argument) is argument and argument.type.row_shape == op.domain


def unwrapped(node: Node) -> Node:
    """The value without reshapes of a single value: `[B,1]` and `[B]` are the same to a loop."""
    while node.primitive is reshape and node.type.row_size == 1:
        node = node.inputs[0]
    return node


def _ops(node: Node, wholes: Mapping[Node, Node]) -> list[Op]:
    if node.primitive.kind != "concat":
        return [Op(node)]
    return [Op(node, k) for k, piece in enumerate(node.inputs) if wholes.get(piece) is not node]


def _level_for(op: Op, argument: Node, owners: dict[Node, list[Op]], level: dict[Op, int]) -> int:
    makers = owners.get(source(argument), [])
    own = max((level[m] for m in makers), default=-1)
    joins = bool(makers) and source(argument).primitive.kind in POINTWISE and reads_same_element(op, argument)
    return own if joins else own + 1


def _postpone_all(ops: Sequence[Op], level: dict[Op, int], owners: dict[Node, list[Op]]) -> None:
    """Move pointwise operations to the nest of their first user, to keep fewer values in memory."""
    users: dict[Op, list[tuple[Op, bool]]] = {}
    for op in ops:
        for argument in op.inputs:
            value = source(argument)
            joins = value.primitive.kind in POINTWISE and reads_same_element(op, argument)
            for maker in owners.get(value, ()):  # for a concatenation, also its pieces' makers
                users.setdefault(maker, []).append((op, joins))
    for op in reversed(ops):
        if op.is_pointwise and op in users:
            level[op] = max(level[op], min(level[user] - (not joins) for user, joins in users[op]))


def _is_flat(op: Op, domain: tuple[int, ...]) -> bool:
    if op.node.primitive.kind in ("concat", "gather"):
        return False
    if op.node.primitive.kind == "reduce" and not _keeps_all_or_none(op):
        return False
    return all(_reads_flat(a, domain) for a in op.inputs)


def _keeps_all_or_none(op: Op) -> bool:
    if "axes" not in op.node.params:
        return False
    first = 1 if is_batched(op.inputs[0]) else 0
    trailing = [a for a in op.node.params["axes"] if a >= first]
    return len(trailing) in (0, len(op.domain))


def _reads_flat(argument: Node, domain: tuple[int, ...]) -> bool:
    if not is_view(argument):
        return argument.type.row_shape == domain or argument.type.row_size == 1
    inner = argument.inputs[0]
    repeats_whole = "axes" in argument.params and inner.type.row_size == 1 and not is_view(inner)
    adds_rows = "axes" in argument.params and inner.type.row_shape == domain and not is_view(inner)
    return repeats_whole or adds_rows
