"""Write one kernel of fused loops: a Python function that a person can read and Numba can compile.

Names come from primitives and running numbers, never from a user's file, and numbers restart in every kernel,
so equal layers have equal kernels and share one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from typing import NamedTuple

import numpy as np

from nnjit.codegen.plan.buffers import Buffer, buffer_of
from nnjit.codegen.plan.kernels import Kernel, Plan
from nnjit.codegen.plan.memory import Layout
from nnjit.codegen.plan.nests import Nest, Op, unwrapped
from nnjit.codegen.rewrite.legalize import is_batch_reduction, is_batched, is_view, source
from nnjit.codegen.source.index import added, flat_index, through, times, window_index
from nnjit.codegen.source.lines import Lines
from nnjit.errors import CompileError
from nnjit.ir import Node, apply
from nnjit.ir.graph import constant_p
from nnjit.ir.types import SHORT
from nnjit.primitives import (
    cast,
    gather,
    overlap_add,
    reduce_sum,
    scatter_add,
)  # fmt: skip
from nnjit.primitives.indexing import scatter_sum_p
from nnjit.primitives.tables import listed_p

LONGEST = 72  # characters of an expression that is inlined into its user's


class Function(NamedTuple):
    """A kernel's parameters and body, without its name, and the buffers of its arguments.

    Args:
        arguments: the buffers of its last parameters.
        leading: its first parameters: `n`, the number of rows, or of elements if it loops over a slice of
            long vectors; `first`, the number of its first row in the batch.
    """

    parameters: tuple[str, ...]
    body: Lines
    arguments: tuple[Buffer, ...]
    leading: tuple[str, ...]
    zone: str

    @property
    def text(self) -> str:
        """The source, without the name."""
        return self.body.as_body(self.parameters)


def emit_kernel(kernel: Kernel, layout: Layout, plan: Plan) -> Function:
    """Write the function of a kernel of loops."""
    return _Writer(kernel, layout, plan).write()


class _Writer:
    """Writes one kernel; keeps the names given and values computed so far, and the lines."""

    def __init__(self, kernel: Kernel, layout: Layout, plan: Plan) -> None:
        self.kernel, self.layout, self.plan = kernel, layout, plan
        self.own = frozenset(kernel.nodes)
        self.by_row = kernel.zone == "rows"
        self.slices = layout.slices(kernel)
        self.counts = False
        self.numbers: dict[str, int] = {}
        self.arguments: dict[Buffer, str] = {}
        self.hoisted: dict[Buffer, tuple[str, str]] = {}
        self.totals: list[tuple[str, Node]] = []
        self.narrow: dict[Node, Node] = {}  # an f64 sum of f32 values -> their sum in a block, in f32
        self.scalars: dict[Node, str] = {}  # of the row (or the batch): valid in every later nest
        self.locals: dict[Node, str] = {}  # of the current element
        self.uses: dict[Node, list[Op]] = {}  # a value -> the operations of the current nest that read it
        self.used_later: set[Node] = set()  # values that a later nest reads
        self.lines = Lines()

    def write(self) -> Function:
        for nest in self.layout.nests[self.kernel]:
            self._nest(nest)
        body = Lines(*(f"{name} = {value}" for name, value in self.hoisted.values()))
        body.add(*(f"{name} = {identity_of(self.narrow.get(n, n))}" for name, n in self.totals))
        with body.block("for i in range(n):") if self.by_row else nullcontext():
            body.include(self.lines)
        for name, node in self.totals:
            value = f"f64({name})" if node in self.narrow else name
            body.add(self._grown(node, self._element(node, "0"), value))
        leading = (*(["n"] if self.by_row or self.slices else []), *(["first"] if self.counts else []))
        return Function(
            parameters=(*leading, *self.arguments.values()),
            body=body,
            arguments=tuple(self.arguments),
            leading=leading,
            zone=self.kernel.zone,
        )

    # -- one nest

    def _nest(self, nest: Nest) -> None:
        self.locals, self.uses = {}, _uses(nest.ops)
        self.used_later = {source(a) for n in self._later(nest) for o in n.ops for a in o.inputs}
        lengths = (math.prod(nest.domain),) if nest.is_flat and nest.domain else nest.domain
        loops = [k for k, length in enumerate(lengths) if length != 1]
        names = {k: f"j{n}" if len(loops) > 1 else "j" for n, k in enumerate(loops)}
        index = tuple(names.get(k, "0") for k in range(len(lengths)))
        finish: list[str] = []
        for op in nest.ops:
            if op.node.primitive.kind == "reduce":
                finish += self._begin_reduction(op)
        with ExitStack() as stack:
            for k, name in names.items():
                length = "n" if lengths[k] == self.slices != 0 else lengths[k]
                stack.enter_context(self.lines.block(f"for {name} in range({length}):"))
            stores = [line for op in nest.ops for line in self._op(op, index, nest)]
            self.lines.add(*stores)
        self.lines.add(*finish)

    def _op(self, op: Op, index: tuple[str, ...], nest: Nest) -> list[str]:
        """Write one operation; return the lines that store it, for the end of the nest's body."""
        node = op.node
        if node.primitive.kind == "concat":
            self.lines.add(f"{self._concat_element(op, index)} = {self._read(op.inputs[0], index)}")
            return []
        if node.primitive.kind == "reduce":
            self._accumulate(op, index)
            return []
        if node.primitive is cast and any(node is s.inputs[0] for s in self.narrow):
            return []
        expression = self._expression(op, index)
        kept = node in self.layout.buffers
        uses = self.uses.get(node, ())
        if (
            not kept
            and node not in self.used_later
            and len(uses) == 1
            and _appears_once(uses[0], node, expression)
        ):
            self.locals[node] = expression if _is_atom(expression) else f"({expression})"
            return []
        name = self._name(node)
        self.lines.add(f"{name} = {expression}")
        self.locals[node] = name
        if nest.domain == ():
            self.scalars[node] = name
        return [f"{self._element(node, flat_index(index, nest.domain))} = {name}"] if kept else []

    def _later(self, nest: Nest) -> Sequence[Nest]:
        own = self.layout.nests[self.kernel]
        return own[list(own).index(nest) + 1 :]

    def _expression(self, op: Op, index: tuple[str, ...]) -> str:
        node = op.node
        if node.primitive is gather:
            return self._gather(op, index or ("0",) * len(node.type.row_shape))
        arguments = [self._read(a, index) for a in op.inputs]
        if node.primitive.expression is None:
            raise CompileError(f"{node.primitive.name} has no expression for a kernel")
        flat = ""
        if node.primitive.kind == "counter":
            flat = self._count(node, flat_index(index, op.domain))
        stream, name = node.params.get("stream", ""), SHORT[node.dtype]
        text = node.primitive.expression.format(*arguments, t=name, flat=flat, stream=stream)
        return text if node.primitive is cast else _wrapped(node, text)

    def _gather(self, op: Op, index: tuple[str, ...]) -> str:
        """The element of the first argument at the position along one axis that the second argument gives."""
        x, at = op.inputs
        axis, first = op.node.params["axis"], int(is_batched(x))
        position = self._position(at, index, x.type.row_shape[axis - first])
        row = ("i",) if is_batched(op.node) else ()
        whole = (*row, *index)  # if x has no rows, the positions have the rows' axis
        return self._read(x, (*whole[first:axis], position, *whole[axis + 1 :]))

    def _position(self, at: Node, index: tuple[str, ...], size: int) -> str:
        """An element of an index array, clipped to an axis of length `size`."""
        name = self._name(at)
        self.lines.add(f"{name} = inside({self._read(at, index)}, {size})")
        return name

    def _count(self, node: Node, within: str) -> str:
        """The index of an element among all elements of the batch."""
        if not self.by_row:
            return within
        self.counts = True
        return f"(first + i) * {node.type.row_size} + {within}"

    # -- reductions

    def _begin_reduction(self, op: Op) -> list[str]:
        """Set a reduction's value to its identity before the nest; return the lines to write after it."""
        node = op.node
        if is_batch_reduction(node):
            if node.type.row_size == 1 and node.primitive is not listed_p:
                if self._sums_f32(op):
                    inner = apply(node.primitive, op.inputs[0].inputs[0], **node.params)
                    self.narrow[node] = inner
                self.totals.append((self._name(node), node))
                self.scalars[node] = self.totals[-1][0]
            return []
        if node.type.row_size == 1:
            self.scalars[node] = name = self._name(node)
            self.lines.add(f"{name} = {identity_of(node)}")
            return [f"{self._element(node, '0')} = {name}"] if node in self.layout.buffers else []
        with self.lines.block(f"for k in range({node.type.row_size}):"):
            self.lines.add(f"{self._element(node, 'k')} = {identity_of(node)}")
        return []

    def _sums_f32(self, op: Op) -> bool:
        """Whether `op` sums f32 values in f64; a block's sum is then f32, since f64 would halve the lanes."""
        widened = op.inputs[0]
        if op.node.primitive is not reduce_sum or widened.primitive is not cast:
            return False
        users = [n for n in self.kernel.nodes if widened in map(source, n.inputs)]
        is_wide = widened.dtype.itemsize == 8 and widened.inputs[0].dtype == np.float32
        return is_wide and users == [op.node] and widened not in self.layout.buffers

    def _accumulate(self, op: Op, index: tuple[str, ...]) -> None:
        node = op.node
        if node.primitive is listed_p:
            self._list(op, index)
            return
        value = self._read(self.narrow[node].inputs[0] if node in self.narrow else op.inputs[0], index)
        if node in self.scalars:
            target = self.scalars[node]
        else:
            target = self._element(node, flat_index(self._target(op, index), node.type.row_shape))
        self.lines.add(self._grown(node, target, value))

    def _list(self, op: Op, index: tuple[str, ...]) -> None:
        """List the row of a table that an element of the batch uses."""
        (at,) = op.inputs
        number = self._count(at, flat_index(index, at.type.row_shape))
        row = self._position(at, index, op.node.params["entries"])
        self.lines.add(f"{self._argument(op.node, self._buffer(op.node))}[{number}] = {row}")

    def _target(self, op: Op, index: tuple[str, ...]) -> tuple[str, ...]:
        """The target that the element at `index` is added to."""
        node, (x, *others) = op.node, op.inputs
        first = int(is_batched(x))
        if node.primitive is overlap_add:
            index = index or ("0",) * len(x.type.row_shape)
            params = node.params
            return window_index(index, params["first"] - first, len(params["lengths"]), params)
        if node.primitive in (scatter_add, scatter_sum_p):
            index = index or ("0",) * len(x.type.row_shape)
            axis = node.params["axis"] - first
            return (*index[:axis], self._position(others[0], index, node.params["size"]), *index[axis + 1 :])
        return self._kept(op, index)

    def _grown(self, node: Node, target: str, value: str) -> str:
        """The line that combines a value with a reduction's value."""
        read = target if node in self.scalars and target == self.scalars[node] else _loaded(node, target)
        return f"{target} = {combined(node, read, value)}"

    def _kept(self, op: Op, index: tuple[str, ...]) -> tuple[str, ...]:
        if len(index) != len(op.domain):
            return index  # one loop over all elements: all of them are kept
        first = 1 if is_batched(op.inputs[0]) else 0
        return tuple(name for a, name in enumerate(index) if a + first not in op.node.params["axes"])

    # -- reading and writing elements

    def _read(self, node: Node, index: tuple[str, ...]) -> str:
        node = unwrapped(node)
        if node in self.locals:
            return self.locals[node]
        if node in self.scalars:
            return self.scalars[node]
        if node.primitive is constant_p:
            return literal(node)
        if is_view(node):
            return self._read(node.inputs[0], through(node, index))
        buffer = self._buffer(node)
        if buffer.size == 1 and not buffer.rows and source(node) not in self.own:
            return self._hoist(node, buffer)
        return _loaded(node, self._element(node, flat_index(index, node.type.row_shape)))

    def _hoist(self, node: Node, buffer: Buffer) -> str:
        """Read a single value once, before all loops: LLVM must assume that a store might change it."""
        if buffer not in self.hoisted:
            value = _loaded(node, f"{self._argument(node, buffer)}[0]")
            self.hoisted[buffer] = self._name(source(node)), value
        return self.hoisted[buffer][0]

    def _element(self, node: Node, flat: str) -> str:
        buffer = self._buffer(node)
        name = self._argument(node, buffer)
        if buffer.rows:
            flat = added(times("i", buffer.stride), flat)
        return f"{name}[{flat}]"

    def _buffer(self, node: Node) -> Buffer:
        """The buffer of a value, or of the thread's part if this kernel computes a shared sum."""
        if node in self.own and node in self.layout.partials:
            return self.layout.partials[node]
        return buffer_of(node, self.layout.buffers)

    def _concat_element(self, op: Op, index: tuple[str, ...]) -> str:
        node, axis, piece = op.node, op.node.params["axis"], op.piece or 0
        first = 1 if is_batched(node) else 0
        index = index or ("0",) * len(node.type.row_shape)
        start = sum(int(n.type.row_shape[axis - first]) for n in node.inputs[:piece])
        shifted = tuple(
            added(name, str(start)) if a + first == axis else name for a, name in enumerate(index)
        )
        return self._element(node, flat_index(shifted, node.type.row_shape))

    def _argument(self, node: Node, buffer: Buffer) -> str:
        if buffer not in self.arguments:
            self.arguments[buffer] = f"{self._name(source(node))}_"
        return self.arguments[buffer]

    def _name(self, node: Node) -> str:
        kind = node.primitive.name
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return f"{kind}_{self.numbers[kind]}"


def _loaded(node: Node, element: str) -> str:
    """An element as read from memory, where a boolean is a byte."""
    return f"({element} != 0)" if node.dtype.kind == "b" else element


def literal(node: Node) -> str:
    """A scalar constant as source."""
    value = node.params["value"].array
    if value.dtype == np.bool_:
        return str(bool(value))
    if value.dtype.kind == "f" and not np.isfinite(value):
        return (
            f"{SHORT[value.dtype]}({'np.nan' if np.isnan(value) else 'np.inf' if value > 0 else '-np.inf'})"
        )
    return f"{SHORT[value.dtype]}({value[()]!s})"


def identity_of(node: Node) -> str:
    """The initial value of a reduction, as source."""
    dtype = node.dtype
    if dtype.kind == "f":
        lowest, highest = f"{SHORT[dtype]}(-np.inf)", f"{SHORT[dtype]}(np.inf)"
    else:
        lowest, highest = (f"{SHORT[dtype]}({v})" for v in (np.iinfo(dtype).min, np.iinfo(dtype).max))
    return (node.primitive.identity or "").format(t=SHORT[dtype], lowest=lowest, highest=highest)


def combined(node: Node, total: str, value: str) -> str:
    """The combination of two values of a reduction, as source."""
    return _wrapped(node, (node.primitive.expression or "").format(total, value))


def _wrapped(node: Node, expression: str) -> str:
    """An integer in its own dtype, since Numba's arithmetic widens it."""
    return f"{SHORT[node.dtype]}({expression})" if node.dtype.kind in "iu" else expression


def _is_atom(expression: str) -> bool:
    """Whether an expression is a single name or call, which needs no parentheses inside another."""
    head, _, rest = expression.partition("(")
    if not rest:
        return expression.isidentifier()
    depth = 1
    for k, character in enumerate(rest):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return head.replace(".", "").isidentifier() and k == len(rest) - 1
    return False


def _uses(ops: Sequence[Op]) -> dict[Node, list[Op]]:
    found: dict[Node, list[Op]] = {}
    for op in ops:
        for argument in op.inputs:
            found.setdefault(source(argument), []).append(op)
    return found


def _appears_once(user: Op, node: Node, expression: str) -> bool:
    template = user.node.primitive.expression or ""
    positions = [k for k, a in enumerate(user.inputs) if source(a) is node]
    if user.node.primitive.kind == "reduce":
        return len(expression) <= LONGEST and template.count("{1}") == 1
    return len(expression) <= LONGEST and all(template.count(f"{{{k}}}") <= 1 for k in positions)
