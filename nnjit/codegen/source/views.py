"""Name the arrays of a program's memory, and the views of them in its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nnjit.codegen.plan.buffers import Buffer, Owner, Storage, aligned, buffer_of
from nnjit.codegen.plan.kernels import Kernel, Plan
from nnjit.codegen.plan.memory import plan_memory
from nnjit.codegen.rewrite.legalize import is_batched, root, source
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.lines import Lines
from nnjit.ir import Graph, Node
from nnjit.ir.types import SHORT


@dataclass
class Text:
    """State shared by a program's functions: its kernels, and the table of its memory.

    Args:
        kernels: text, and how it is compiled -> name.
        memory: name of each array -> short name of its dtype, in the order of the table.
        work: name of each array to allocate -> its elements, per thread if each thread has its own.
        each_threads: the names of arrays that each thread has.
    """

    kernels: dict[tuple[str, str], str] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    work: dict[str, int] = field(default_factory=dict)
    each_threads: set[str] = field(default_factory=set)

    def declare(
        self, name: str, dtype: str, size: int | None = None, *, is_each_threads: bool = False
    ) -> None:
        """Add an array to the table; allocate it if a size is given, and for every thread if asked."""
        self.memory.setdefault(name, dtype)
        if size is not None:
            self.work[name] = size
        if is_each_threads:
            self.each_threads.add(name)

    def at(self, name: str, start: str, size: str) -> str:
        """The source of a view."""
        return f"{self.memory[name]}_at(memory, {list(self.memory).index(name)}, {start}, {size})"

    def kernel(self, name: str, text: str, options: str = "KERNEL") -> str:
        """Add a kernel unless there is an equal one; return its name.

        Args:
            options: the name of the options of its decorator.
        """
        return self.kernels.setdefault((text, options), f"{name}_{len(self.kernels) + 1}")


class Views:
    """The buffers of a graph's values, and a function's view of each.

    Args:
        text: the program that they are part of.
        interface: None for a graph that is called once, whose results go to arrays `out0`, `out1`, ….
        prefix: of the names of its work memory.
    """

    def __init__(self, plan: Plan, block: int, text: Text, interface: Interface | None, prefix: str) -> None:
        self.block, self.text, self.prefix = block, text, prefix
        self.graph: Graph = plan.graph
        self.is_shared, self.tables = plan.is_shared, plan.tables
        self.share = "share" if plan.is_shared else "thread"  # the number of a share; the only one's is 0
        self.is_called, self.interface = interface is None, interface or Interface(in_order=True)
        self.whole: set[Storage] = set()  # arrays with all rows, or a value for each step
        self.names: dict[Buffer, str] = {}
        self.own: list[str] = []  # the definitions of each share's views
        self.moving: dict[Buffer, str] = {}  # views of the phase being written
        targets = self._targets()
        self.layout = plan_memory(plan, block, targets, self._donated())
        for storage, size in self.layout.work.items():
            text.declare(
                self.name_of_array(storage), storage.dtype, aligned(size, storage.dtype),
                is_each_threads=storage.is_each_threads,
            )  # fmt: skip

    def hoisted(self) -> Lines:
        """The lines before all steps, which make the views that do not move."""
        lines = Lines()
        for buffer, name in self.names.items():
            if not (self._is_per_step(buffer) or self._is_each_shares(buffer)):
                lines.add(f"{self._base_name(buffer, name)} = {self.base(buffer)}")
        return lines

    def of_share(self) -> list[str]:
        """The definitions of a share except its rows: its slice of long vectors, and its views."""
        lines = []
        if self.layout.length:
            self.text.declare("bounds", "i64")
            bounds = self.text.at("bounds", self.share, "2")
            lines += [f"low, high = {bounds}[0], {bounds}[1]", "mine = high - low"]
        return lines + self.own

    def rows_of_share(self, *, slot: str | None = None) -> list[str]:
        """The definitions of `n` rows of a share.

        Args:
            slot: where they begin in the memory of a block; None if all shares have the block together.
        """
        lines = []
        for buffer, name in self.names.items():
            if buffer.rows and slot and buffer.storage in self.whole:
                lines.append(f"{name} = part({name}_data, at + start + first, n, {buffer.size})")
            elif buffer.rows:
                lines.append(f"{name} = part({name}_block, {slot or 'first'}, n, {buffer.size})")
        return lines

    def of_block(self) -> list[str]:
        """The definitions of the rows of a block in arrays with all rows."""
        rows = [(b, name) for b, name in self.names.items() if b.rows and b.storage in self.whole]
        return [f"{name}_block = part({name}_data, at + start, block, {b.size})" for b, name in rows]

    def moved(self) -> list[str]:
        """The lines that move the views named since the last call to the rows of a block."""
        lines = [
            f"{name} = part({name}_data, at + start, n, {buffer.size})"
            for buffer, name in self.moving.items()
        ]
        self.moving = {}
        return lines

    def _targets(self) -> dict[Node, Buffer]:
        """Where inputs are, and where results must go."""
        targets = {}
        for node, name in zip(self.graph.inputs, self.graph.names, strict=True):
            rows, dtype, size = is_batched(node), SHORT[node.dtype], node.type.row_size
            self.text.declare(name, dtype)
            if rows and self.interface.is_copied:
                targets[node] = self._given(f"{name}_block", dtype, size, rows, size * self.block)
            else:
                targets[node] = self._given(name, dtype, size, rows)
                if rows or name in self.interface.per_step:
                    self.whole.add(targets[node].storage)
        updates, lists = self.interface.updates, {t.listed: t.most * t.uses for t in self.tables}
        for k, out in enumerate(self.graph.outputs):
            node = root(out)
            dtype, size = SHORT[node.dtype], node.type.row_size
            if k < len(updates):
                targets[node] = self._given(updates[k], dtype, size)
            elif node in lists:
                targets[node] = self._given(f"used_{k}", "i32", lists[node], elements=lists[node])
            elif self.is_called:
                targets[node] = self._given(f"out{k}", dtype, size, is_batched(node))
                if is_batched(node):
                    self.whole.add(targets[node].storage)
        return targets

    def _given(
        self, name: str, dtype: str, size: int, rows: bool = False, elements: int | None = None
    ) -> Buffer:
        """All of an array; it is allocated if its number of elements is given."""
        self.text.declare(name, dtype, elements)
        return Buffer(Storage(name, dtype), 0, size, rows)

    def _donated(self) -> dict[Node, Node]:
        updated = self.interface.updated(self.graph).items()
        return {root(out): self.graph.input(name) for name, out in updated}

    def name(self, node: Node) -> str:
        """The name of the view of a value."""
        return self.name_of(buffer_of(node, self.layout.buffers), source(node).primitive.name)

    def place(self, node: Node) -> tuple[str, int, int]:
        """The array of a value, its first element there, and its size; for arrays of threads, the first's."""
        buffer = buffer_of(node, self.layout.buffers)
        return self.name_of_array(buffer.storage), buffer.start, buffer.size

    def name_of(self, buffer: Buffer, kind: str) -> str:
        """The name of the view of a buffer; a new one begins with its kind."""
        if buffer not in self.names:
            self.names[buffer] = f"{kind}_{len(self.names) + 1}"
            if self._is_each_shares(buffer):
                self.own.append(f"{self.names[buffer]} = {self.base(buffer)}")
        name = self.names[buffer]
        if buffer.rows and buffer.storage in self.whole:
            self.moving[buffer] = name
        return name

    def gathered(self, kernels: Sequence[Kernel], count: str) -> list[str]:
        """The lines that gather a block's rows of a batch of `count` and fill its last group."""
        if not self.interface.is_copied:
            return []
        used = {source(a) for k in kernels for n in k.nodes for a in n.inputs}
        named = zip(self.graph.names, self.graph.inputs, strict=True)
        inputs = [name for name, node in named if is_batched(node) and node in used]
        first, lanes = "start + first" if self.is_shared else "start", self.interface.lanes
        if lanes == 1:
            return [self._gather_line(name, f"at + {first}", "n") for name in inputs]
        lines = [f"have = max(min(n * {lanes}, {count} - ({first}) * {lanes}), 0)"]
        for name in inputs:
            lines += [self._gather_line(name, f"at + ({first}) * {lanes}", "have"), self._fill_line(name)]
        return lines

    def _gather_line(self, name: str, first: str, count: str) -> str:
        """The line that copies `count` examples of an input to the memory of a block."""
        node = self.graph.input(name)
        size, view = node.type.row_size // self.interface.lanes, self.name(node)
        if self.interface.in_order:
            return f"copy(part({name}, {first}, {count}, {size}), {count} * {size}, {view})"
        order = "partners" if name in self.interface.partners else "order"
        return f"gather({name}, part({order}, {first}, {count}, 1), {count}, {size}, {view})"

    def _fill_line(self, name: str) -> str:
        """The line that completes the last group of an input's `have` examples with copies of weight 0."""
        node, lanes = self.graph.input(name), self.interface.lanes
        view, rest = self.name(node), f"n * {lanes} - have"
        if name in self.interface.weights:
            return f"fill(part({view}, have, {rest}, 1), {rest}, {SHORT[node.dtype]}(0))"
        return f"repeat_last({view}, have, n * {lanes}, {node.type.row_size // lanes})"

    def _is_per_step(self, buffer: Buffer) -> bool:
        return buffer.storage in self.whole and not buffer.rows

    def name_of_array(self, storage: Storage) -> str:
        """The name of an array in the table; work memory has the graph's prefix."""
        return storage.name if storage.owner is Owner.CALLER else self.prefix + storage.name

    def base(self, buffer: Buffer) -> str:
        """The hoisted view; of a moving one, all rows."""
        name = self.name_of_array(buffer.storage)
        if self._is_per_step(buffer):
            return self.text.at(name, "turn", "1")
        if buffer.storage in self.whole:
            return self.text.at(name, "0", _times("rows", buffer.size))
        start = str(buffer.start)
        if self._is_each_shares(buffer):
            stride = f"share * {self.text.work[name]}"
            start = f"{stride} + {start}" if buffer.start else stride
        return self.text.at(name, start, str(buffer.size * (self.block if buffer.rows else 1)))

    def _base_name(self, buffer: Buffer, name: str) -> str:
        if buffer.rows and buffer.storage in self.whole:
            return f"{name}_data"
        return f"{name}_block" if buffer.rows and self.is_shared else name

    def _is_each_shares(self, buffer: Buffer) -> bool:
        return self.is_shared and buffer.storage.is_each_threads


def _times(factor: str, size: int) -> str:
    return factor if size == 1 else f"{factor} * {size}"
