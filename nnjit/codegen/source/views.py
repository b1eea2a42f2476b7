"""Where a program's memory is, and the names of its views: what its lines talk about."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnjit.codegen.plan.kernels import Plan
from nnjit.codegen.plan.memory import ALIGNMENT, Buffer, buffer_of, plan_memory
from nnjit.codegen.rewrite.legalize import is_batched, root, source
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.lines import Lines
from nnjit.ir import Graph, Node
from nnjit.ir.types import DTYPES, SHORT


@dataclass
class Text:
    """What the functions of a program share: its kernels, and the table of its memory.

    Args:
        kernels: text, and how it is compiled -> name.
        memory: name of each array -> short name of its dtype, in the order of the table.
        work: name of each array to allocate -> its elements; for each thread, where it is `own` or `sums`.
    """

    kernels: dict[tuple[str, str], str] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)
    work: dict[str, int] = field(default_factory=dict)

    def declare(self, name: str, dtype: str, size: int | None = None) -> None:
        """Have an array in the table, to be allocated where a size is given."""
        self.memory.setdefault(name, dtype)
        if size is not None:
            self.work[name] = size

    def at(self, name: str, start: str, size: str) -> str:
        """The source of a view."""
        return f"{self.memory[name]}_at(memory, {list(self.memory).index(name)}, {start}, {size})"

    def kernel(self, name: str, text: str, options: str = "KERNEL") -> str:
        """The name of a kernel; equal ones are one.

        Args:
            options: the name of those of Numba's decorator.
        """
        return self.kernels.setdefault((text, options), f"{name}_{len(self.kernels) + 1}")


class Views:
    """The buffers of a graph's values, and the view that a function has of each.

    Args:
        text: the program that they are part of.
        interface: None for a graph that is called, whose results go to arrays `out0`, `out1`, ….
        prefix: before the names of its work memory.
    """

    def __init__(self, plan: Plan, block: int, text: Text, interface: Interface | None, prefix: str) -> None:
        self.block, self.text, self.prefix = block, text, prefix
        self.graph: Graph = plan.graph
        self.is_shared, self.tables = plan.is_shared, plan.tables
        self.is_called, self.interface = interface is None, interface or Interface(in_order=True)
        self.whole: set[str] = set()  # arrays that have all rows, or a figure for each step
        self.names: dict[Buffer, str] = {}
        self.moving: dict[Buffer, str] = {}  # views of the phase that is being written
        targets = self._targets()
        self.layout = plan_memory(plan, block, targets, self._donated())
        for name, size in self.layout.work.items():
            text.declare(prefix + name, name.rpartition("_")[2], padded(name, size))

    def hoisted(self) -> Lines:
        """What is to be written before all steps: the views that stay where they are."""
        lines = Lines()
        for buffer, name in self.names.items():
            if not self._is_per_step(buffer):
                lines.add(f"{self._base_name(buffer, name)} = {self.base(buffer)}")
        if self.layout.length:
            bounds = self.text.at("bounds", "thread", "2")
            lines.add(f"low, high = {bounds}[0], {bounds}[1]", "mine = high - low")
        return lines

    def moved(self) -> list[str]:
        """What points the moving views that were named since the last call at the rows of a block."""
        lines = [line for item in self.moving.items() for line in self._moved(*item)]
        self.moving = {}
        return lines

    def _targets(self) -> dict[Node, Buffer]:
        targets = {}
        for node, name in zip(self.graph.inputs, self.graph.names, strict=True):
            rows, dtype, size = is_batched(node), SHORT[node.dtype], node.type.row_size
            self.text.declare(name, dtype)
            if rows and self.interface.is_copied:
                self.text.declare(f"{name}_block", dtype, size * self.block)
                targets[node] = Buffer(f"{name}_block", 0, size, rows)
            else:
                targets[node] = Buffer(name, 0, size, rows)
                self.whole |= {name} if rows or name in self.interface.per_step else set()
        updates, lists = self.interface.updates, {t.listed: t.most * t.uses for t in self.tables}
        for k, out in enumerate(self.graph.outputs):
            node = root(out)
            if k < len(updates):
                targets[node] = Buffer(updates[k], 0, node.type.row_size, rows=False)
            elif node in lists:
                self.text.declare(f"used_{k}", "i32", lists[node])
                targets[node] = Buffer(f"used_{k}", 0, lists[node], rows=False)
            elif self.is_called:
                self.text.declare(f"out{k}", SHORT[node.dtype])
                targets[node] = Buffer(f"out{k}", 0, node.type.row_size, is_batched(node))
                self.whole |= {f"out{k}"} if is_batched(node) else set()
        return targets

    def _donated(self) -> dict[Node, Node]:
        updated = self.interface.updated(self.graph).items()
        return {root(out): self.graph.input(name) for name, out in updated}

    def name(self, node: Node) -> str:
        """The name of the view of a value."""
        return self.name_of(buffer_of(node, self.layout.buffers), source(node).primitive.name)

    def name_of(self, buffer: Buffer, kind: str) -> str:
        """The name of the view of a buffer; a new one begins with its kind."""
        if buffer not in self.names:
            self.names[buffer] = f"{kind}_{len(self.names) + 1}"
        name = self.names[buffer]
        if buffer.rows and (self.is_shared or buffer.storage in self.whole):
            self.moving[buffer] = name
        return name

    def _is_per_step(self, buffer: Buffer) -> bool:
        return buffer.storage in self.whole and not buffer.rows

    def storage(self, buffer: Buffer) -> str:
        """The name of the array that a buffer is in."""
        is_planned = buffer.storage in self.layout.work
        return self.prefix + buffer.storage if is_planned else buffer.storage

    def base(self, buffer: Buffer) -> str:
        """The view that is hoisted: of a moving one, all of its rows."""
        name = self.storage(buffer)
        if self._is_per_step(buffer):
            return self.text.at(name, "turn", "1")
        if buffer.storage in self.whole:
            return self.text.at(name, "0", _times("rows", buffer.size))
        start = str(buffer.start)
        if buffer.storage.startswith(("own_", "sums_")):
            stride = f"thread * {self.text.work[name]}"
            start = f"{stride} + {start}" if buffer.start else stride
        return self.text.at(name, start, str(buffer.size * (self.block if buffer.rows else 1)))

    def _base_name(self, buffer: Buffer, name: str) -> str:
        if buffer.rows and buffer.storage in self.whole:
            return f"{name}_data"
        return f"{name}_block" if buffer.rows and self.is_shared else name

    def _moved(self, buffer: Buffer, name: str) -> list[str]:
        """The lines that point a moving view at the rows of a block."""
        size, lines, inner = buffer.size, [], self._base_name(buffer, name)
        if buffer.storage in self.whole:
            outer, inner = inner, f"{name}_block" if self.is_shared else name
            count = "block" if self.is_shared else "n"
            lines.append(f"{inner} = part({outer}, at + start, {count}, {size})")
        if self.is_shared:
            lines.append(f"{name} = part({inner}, first, n, {size})")
        return lines


def _times(factor: str, size: int) -> str:
    return factor if size == 1 else f"{factor} * {size}"


def padded(name: str, size: int) -> int:
    """The size of an array, of which threads' parts begin on cache lines of their own."""
    step = ALIGNMENT // DTYPES[name.rpartition("_")[2]].itemsize
    return -(-size // step) * step
