"""Write the lines of a graph inside the function of a loop: its kernels, and the places of its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nnjit.codegen.plan.buffers import Buffer, Owner, Storage, aligned, buffer_of
from nnjit.codegen.plan.kernels import Kernel, plan_kernels
from nnjit.codegen.plan.memory import plan_memory
from nnjit.codegen.rewrite.legalize import is_batch_reduction, is_batched, loop_source
from nnjit.codegen.source.kernel import emit_kernel
from nnjit.codegen.source.lines import Lines
from nnjit.codegen.source.products import product_line
from nnjit.codegen.source.routines import ROUTINES, can_fail, routine_line
from nnjit.codegen.source.views import Text
from nnjit.errors import CompileError
from nnjit.ir import Graph, Node

RECORD = "record"


class LoopFunction(NamedTuple):
    """The function of a loop.

    Args:
        name: of the function, whose parameters are the rows `n`, the arguments, the record, and work memory.
        work: dtype -> elements of work memory for a block of rows.
        can_fail: whether it returns the number of a failure, 0 for none.
    """

    name: str
    work: Mapping[str, int]
    can_fail: bool


Emit = Callable[[Node], LoopFunction]


@dataclass
class Places:
    """The places of a loop's values, and its function's views of them.

    Args:
        steps: name of a parameter -> distance between successive steps.
        starts: storage of carried values -> its array of work memory, and its offset there.
        names: of the views.
    """

    steps: dict[str, int] = field(default_factory=dict)
    starts: dict[Storage, tuple[str, int]] = field(default_factory=dict)
    names: dict[Buffer, str] = field(default_factory=dict)

    def name(self, buffer: Buffer) -> str:
        """The name of the view of a buffer."""
        is_given = buffer.storage.owner is Owner.CALLER
        kind = buffer.storage.name if is_given else buffer.storage.owner.value
        return self.names.setdefault(buffer, f"{kind}_{len(self.names) + 1}")

    def view(self, buffer: Buffer) -> str:
        """The source of the view of a buffer, at step `t` if it moves."""
        name, base = self.starts.get(buffer.storage, (buffer.storage.name, 0))
        start = base + buffer.start
        whole = f"n * {buffer.stride}" if buffer.rows else str(buffer.stride)
        if name not in self.steps:
            size = f"{whole} - {start}" if buffer.rows and buffer.gap else count(buffer)
            return f"part({name}, {start}, {size}, 1)"
        at = f"t * {self.steps[name]}" + (f" + {start}" if start else "")
        return f"part({name}, {at}, {whole} - ({at}), 1)"

    def lines(self, *, moving: bool) -> list[str]:
        """The lines that make the views that move from step to step, or the others."""
        views = ((buffer, f"{name} = {self.view(buffer)}") for buffer, name in self.names.items())
        return [line for buffer, line in views if (buffer.storage.name in self.steps) == moving]

    def carry(self, buffer: Buffer, sizes: dict[str, int], block: int) -> None:
        """Give carried values a part of the work memory, after the `sizes` already taken."""
        dtype = buffer.storage.dtype
        start = aligned(sizes.get(dtype, 0), dtype)
        self.starts[buffer.storage] = f"work_{dtype}", start
        sizes[dtype] = start + buffer.size * (block if buffer.rows else 1)


class Body:
    """A legal graph inside a loop's function.

    Args:
        targets: the buffers of its inputs and of its results.
        donated: result -> the input whose memory it takes over.
        emit: writes the function of an inner loop.
    """

    def __init__(
        self,
        graph: Graph,
        block: int,
        text: Text,
        places: Places,
        targets: Mapping[Node, Buffer],
        donated: Mapping[Node, Node],
        emit: Emit,
    ) -> None:
        self.text, self.places = text, places
        self.plan = plan_kernels(graph)
        self.layout = plan_memory(self.plan, block, targets, donated)
        self.inner = {n: emit(n) for n in graph.nodes if n.primitive.kind == "loop"}
        self.can_fail = any(map(self._can_fail, graph.nodes))
        self.work = {storage.dtype: size for storage, size in self.layout.work.items() if size}
        self.inner_starts: dict[str, int] = {}
        for dtype in dict.fromkeys(d for function in self.inner.values() for d in function.work):
            start = self.inner_starts[dtype] = aligned(self.work.get(dtype, 0), dtype)
            self.work[dtype] = start + max(function.work.get(dtype, 0) for function in self.inner.values())

    def lines(self) -> Lines:
        """The lines that compute its results."""
        lines = Lines(*(self._kernel(kernel) for kernel in self.plan.kernels))
        for node, buffer in self.layout.copies:
            lines.add(f"copy({self._name(node)}, {count(buffer)}, {self.places.view(buffer)})")
        return lines

    def _name(self, node: Node) -> str:
        return self.places.name(buffer_of(node, self.layout.buffers))

    def _kernel(self, kernel: Kernel) -> str:
        node = kernel.nodes[0]
        if any(map(is_batch_reduction, kernel.nodes)):
            raise CompileError(f"scan: a step has {node.primitive.name} over the rows, which has no kernel")
        if node in self.inner:
            return self._inner_loop(node)
        if node.primitive in ROUTINES:
            return routine_line(node, self._name)
        if kernel.is_product:
            return product_line(node, self._name, self.layout.buffers)
        function = emit_kernel(kernel, self.layout, self.plan)
        values = [self.places.name(buffer) for buffer in function.arguments]
        options = "ROWS" if kernel.zone == "rows" else "KERNEL"
        return (
            f"{self.text.kernel('step', function.text, options)}({', '.join([*function.leading, *values])})"
        )

    def _inner_loop(self, node: Node) -> str:
        function = self.inner[node]
        work = (
            f"part(work_{dtype}, {self.inner_starts[dtype]}, {size}, 1)"
            for dtype, size in function.work.items()
        )
        names = [self._name(n) for n in (*map(loop_source, node.inputs), node)]
        call = f"{function.name}({', '.join(['n' if is_batched(node) else '1', *names, *work])})"
        return f"failed = max(failed, {call})" if function.can_fail else call

    def _can_fail(self, node: Node) -> bool:
        return self.inner[node].can_fail if node in self.inner else can_fail(node)


def count(buffer: Buffer) -> str:
    """The number of elements of a buffer, as source."""
    return f"n * {buffer.size}" if buffer.rows else str(buffer.size)
