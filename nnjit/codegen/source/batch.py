"""Write the lines of a program that take a batch through a graph: its blocks of rows, kernels and sums.

If threads share the batch, each has a slice of every block's rows and of each long vector. They wait for each
other before the products over the batch, which need all rows, and before one reads what others wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nnjit.codegen.plan.barrier import Barrier
from nnjit.codegen.plan.buffers import Owner, aligned, buffer_of
from nnjit.codegen.plan.kernels import Kernel, Plan, is_long_sum, sums_products
from nnjit.codegen.rewrite.legalize import is_batched, loop_source, root, source
from nnjit.codegen.rewrite.sparse_rows import Table
from nnjit.codegen.source.kernel import Function, emit_kernel, identity_of
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.lines import Lines
from nnjit.codegen.source.loop import emit_loop
from nnjit.codegen.source.products import gemm_for, product_line, rows_of
from nnjit.codegen.source.routines import ROUTINES, can_fail, routine_line
from nnjit.codegen.source.sparse_updates import between, update_text
from nnjit.codegen.source.sums import Sums
from nnjit.codegen.source.views import Text, Views
from nnjit.ir import Node
from nnjit.ir.types import SHORT

WAIT = "phase = wait_at_barrier(arrived, threads, phase)"


class Batch:
    """The state of writing one graph's lines.

    Args:
        text: the program that they are part of.
        interface: None for a graph that is called.
        prefix: before the names of its work memory.
    """

    def __init__(
        self, plan: Plan, block: int, text: Text, interface: Interface | None, prefix: str = ""
    ) -> None:
        self.plan, self.block, self.text = plan, block, text
        self.is_shared = plan.is_shared
        self.views = Views(plan, block, text, interface, prefix)
        self.graph, self.interface, self.layout = plan.graph, self.views.interface, self.views.layout
        self.sums = Sums(self.views)
        self.ranges: list[str] = []
        self.loops: dict[str, str] = {}  # the view of the work memory of loops -> its array
        self.functions: dict[Kernel, str] = {}  # the name of each kernel's function
        self.pieces: list[tuple[int, int, int]] = []
        self.lines = Lines()
        self.count = ""  # of the rows of a batch, as source
        self.can_fail = False  # whether the lines set `failed`
        self.barrier = Barrier()

    def hoisted(self) -> Lines:
        """The lines before all steps."""
        lines = self.views.hoisted()
        for view, name in self.loops.items():
            size = self.text.work[name]
            start = f"thread * {size}" if self.is_shared else "0"
            lines.add(f"{view} = {self.text.at(name, start, str(size))}")
        lines.add(*self.ranges)
        for table in self.plan.tables:
            lines.include(self._cleared(table))
        if self.can_fail:
            lines.add("failed = 0")
        return lines

    def name(self, node: Node) -> str:
        """The name of the view of a value."""
        return self.views.name(node)

    # -- the body

    def write(self, count: str) -> Lines:
        """The lines for a batch of `count` rows, of which `at` is the first."""
        for node in map(self.graph.input, self.interface.per_step):
            self.line(f"{self.name(node)} = {self.views.base(buffer_of(node, self.layout.buffers))}")
        self.count, lanes = count, self.interface.lanes
        if lanes > 1:
            self.line(f"groups = ({count} + {lanes - 1}) // {lanes}")
        for phase in range(self.plan.phases + 1):
            own = [k for k in self.plan.kernels if k.phase == phase]
            self._flat([k for k in own if k.zone == "flat"])
            rows = [k for k in own if k.zone == "rows"]
            if rows:
                self._rows(phase, rows, "groups" if lanes > 1 else count)
        self._copies()
        return self.lines

    def _copies(self) -> None:
        """Copy the results that could not be computed in place."""
        for node, buffer in self.layout.copies:
            value, target = self.name(node), self.views.name_of(buffer, "result")
            size = f"{buffer.size} * (thread == 0)" if self.is_shared else str(buffer.size)
            self.line(f"copy({value}, {size}, {target})")
        if self.layout.copies:
            self.barrier.wrote()
            self.wait()

    def _rows(self, phase: int, kernels: Sequence[Kernel], count: str) -> None:
        """Pass over the rows, block by block, and add up the threads' sums."""
        sums = self.layout.accumulators.get(phase, ())
        for node in sums:
            if self.plan.table_of(node) is None:
                self.line(self.sums.cleared(node))
        step = self._rows_of_a_block()
        products = [k for k in kernels if self.is_shared and sums_products(k)]
        with self.lines.block(f"for start in range(0, {count}, {step}):"):
            self._cut_block(count, step)
            with self._set_aside() as body:
                self._block(kernels, products)
                if self.is_shared:  # the next block may cut the memory of rows elsewhere
                    with body.block(f"if start + {step} < {count}:"):
                        body.add(WAIT)
            gathered = self._gather_lines(kernels)  # names views, so it comes before those are listed
            self.lines.add(*self.views.moved(), *gathered)
            self.lines.include(body)
        self.barrier.wrote()
        if not products:
            self.wait()
        for node in sums:
            self._total(node)
        self._guard(kernels)

    def _rows_of_a_block(self) -> str:
        """How many rows a block has, as source; of groups, each thread takes a few at a time."""
        if self.interface.lanes == 1 or self.plan.crossing:
            return str(self.block)
        self.line(f"step = min({self.interface.groups} * threads, {self.block})")
        return "step"

    def _block(self, kernels: Sequence[Kernel], products: Sequence[Kernel]) -> None:
        """Compute a block: threads wait before the products over all of its rows."""
        for kernel in kernels:
            if kernel not in products:
                self._kernel(kernel)
        if products:
            self.barrier.wrote()
            self.wait()
            for kernel in products:
                self._product_over_rows(kernel.nodes[0])

    def _cut_block(self, count: str, step: str) -> None:
        if self.is_shared:
            self.line(f"block = min({step}, {count} - start)")
            self.line("first = block * thread // threads")
            self.line("n = block * (thread + 1) // threads - first")
        else:
            self.line(f"n = min({step}, {count} - start)")

    @contextmanager
    def _set_aside(self) -> Iterator[Lines]:
        """Collect the lines that are written inside, to be included later."""
        outer, self.lines = self.lines, Lines()
        yield self.lines
        self.lines = outer

    def _gather_lines(self, kernels: Sequence[Kernel]) -> list[str]:
        """The lines that gather the rows of a block, and fill the last of its groups."""
        if not self.interface.is_copied:
            return []
        used = {source(a) for k in kernels for n in k.nodes for a in n.inputs}
        named = zip(self.graph.names, self.graph.inputs, strict=True)
        inputs = [name for name, node in named if is_batched(node) and node in used]
        first, lanes = "start + first" if self.is_shared else "start", self.interface.lanes
        if lanes == 1:
            return [self._gather_line(name, f"at + {first}", "n") for name in inputs]
        lines = [f"have = max(min(n * {lanes}, {self.count} - ({first}) * {lanes}), 0)"]
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
        """The line that completes the last group of an input's `have` examples, with copies of weight 0."""
        node, lanes = self.graph.input(name), self.interface.lanes
        view, rest = self.name(node), f"n * {lanes} - have"
        if name in self.interface.weights:
            return f"fill(part({view}, have, {rest}, 1), {rest}, {SHORT[node.dtype]}(0))"
        return f"repeat_last({view}, have, n * {lanes}, {node.type.row_size // lanes})"

    def _guard(self, kernels: Sequence[Kernel]) -> None:
        guard = self.interface.guard(self.graph)
        if guard is not None and any(root(guard) in k.nodes for k in kernels):
            with self.lines.block(f"if not is_finite({self.name(guard)}[0]):"):
                self.lines.add("restore_mode(mode)", "return turn")

    # -- kernels

    def _flat(self, kernels: Sequence[Kernel]) -> None:
        """Compute what is needed once a batch: each thread its slice, or one thread everything."""
        for kernel in kernels:
            if not self.is_shared:
                self._kernel(kernel)
            elif kernel in self.layout.sliced:
                if self.barrier.is_scattered or self._writes_work(kernel):
                    self.wait()
                self._kernel(kernel)
                self.barrier.wrote()
                self._long_sums(kernel)
            else:
                self.wait()
                with self.lines.block("if thread == 0:"):
                    self._kernel(kernel)
                self.barrier.wrote()
                self.wait()
        self.wait()

    def _long_sums(self, kernel: Kernel) -> None:
        sums = [n for n in kernel.nodes if is_long_sum(n)]
        if sums:
            self.wait()
        for node in sums:
            self._total(node)

    def _writes_work(self, kernel: Kernel) -> bool:
        computed = [op.node for nest in self.layout.nests[kernel] for op in nest.ops]
        buffers = [self.layout.buffers[n] for n in computed if n in self.layout.buffers]
        return any(b.storage.owner is Owner.ALL for b in buffers)

    def wait(self) -> None:
        """Have threads wait for each other if one of them may have written what others read."""
        if self.barrier.passed() and self.is_shared:
            self.line(WAIT)

    def _kernel(self, kernel: Kernel) -> None:
        if kernel.nodes[0].primitive.kind == "loop":
            self._loop(kernel)
        elif kernel.nodes[0].primitive in ROUTINES:
            self._routine(kernel)
        elif kernel.is_product:
            self._product(kernel.nodes[0])
        else:
            self._loops(emit_kernel(kernel, self.layout, self.plan), kernel)

    def _loops(self, function: Function, kernel: Kernel) -> None:
        if not function.body:
            return
        options = "ROWS" if kernel.zone == "rows" else "KERNEL"
        name = self.functions[kernel] = self.text.kernel(function.zone, function.text, options)
        kinds = {buffer_of(n, self.layout.buffers): source(n).primitive.name for n in self._memory(kernel)}
        length = self.layout.slices(kernel)
        views = [self.views.name_of(p, kinds.get(p, "value")) for p in function.arguments]
        is_slice = [0 < length == p.size and not p.rows for p in function.arguments]
        if kernel is self.plan.update:
            self._update_tables(name, function, views, is_slice)
            return
        pairs = zip(views, is_slice, strict=True)
        values = [f"part({view}, low, mine, 1)" if cut else view for view, cut in pairs]
        first = "start + first" if self.is_shared else "start"
        given = {"n": "mine" if length else "n", "first": first}
        self.line(f"{name}({', '.join([*(given[p] for p in function.leading), *values])})")

    def _memory(self, kernel: Kernel) -> list[Node]:
        nodes = [*kernel.nodes, *(a for n in kernel.nodes for a in n.inputs)]
        nodes += [source(n) for n in nodes]
        return [n for n in nodes if root(n) in self.layout.buffers]

    def _product(self, node: Node) -> None:
        def name(value: Node) -> str:
            return self.sums.part(value) if value is node else self.name(value)

        self.line(product_line(node, name, self.layout.buffers))

    def _routine(self, kernel: Kernel) -> None:
        node = kernel.nodes[0]
        self.functions[kernel] = ROUTINES[node.primitive].function
        self.can_fail |= can_fail(node)
        self.line(routine_line(node, self.name))

    def _loop(self, kernel: Kernel) -> None:
        """Call a loop over steps; each thread has work memory of its own, which all loops share in turn."""
        node = kernel.nodes[0]
        function = emit_loop(node, self.block, self.text)
        self.functions[kernel] = function.name
        work = []
        for dtype, size in function.work.items():
            name = f"{self.views.prefix}own_loop_{dtype}"
            largest = max(aligned(size, dtype), self.text.work.get(name, 0))
            self.text.declare(name, dtype, largest, is_each_threads=True)
            self.loops[f"loop_{dtype}"] = name
            work.append(f"loop_{dtype}")
        names = [self.name(loop_source(a)) for a in node.inputs]
        rows = "n" if is_batched(node) else "1"
        call = f"{function.name}({', '.join([rows, *names, self.name(node), *work])})"
        self.can_fail |= function.can_fail
        self.line(f"failed = max(failed, {call})" if function.can_fail else call)

    # -- sums over threads

    def _total(self, node: Node) -> None:
        """Add up the threads' parts of a sum, if they have any."""
        if not self.sums.has_parts(node):
            return
        table = self.plan.table_of(node)
        if table is not None:
            self.line(self.sums.total_of_rows(table, self.count))
            self.barrier.wrote(is_scattered=True)
            return
        self.line(self.sums.total(node))
        if self.sums.is_piece(node):
            self.barrier.wrote(is_scattered=not self.sums.is_sliced(node))

    def _product_over_rows(self, node: Node) -> None:
        """A product over all rows of the block; each thread computes some rows of the result."""
        a, b = node.inputs
        (m, n), number = node.type.row_shape, len(self.ranges)
        if self.sums.is_sliced(node):
            self.pieces.append((self.layout.inside[node][1] if self.sums.is_piece(node) else 0, m, n))
            low, high = self.sums.slice_of(node, m, n)
        else:
            low, high = f"{m} * thread // threads", f"{m} * (thread + 1) // threads"
            self.barrier.wrote(is_scattered=True)
        self.ranges.append(f"low_{number}, high_{number} = {low}, {high}")
        operands = f"{self.name(a)}_block, {self.name(b)}_block, start, {self.name(node)}"
        rows = f"low_{number}, high_{number}, {m}, {n}, {rows_of(a, 'block')}"
        self.line(f"{gemm_for(node)}_slice({rows}, {operands})    # {node.type}")

    # -- tables

    def _cleared(self, table: Table) -> Lines:
        """The lines before all steps that mark all rows as unused, and set the gradient to zero."""
        number, node = self.plan.tables.index(table), table.gradient
        seen, size = f"seen_{number}", table.entries * table.size
        self.text.declare(seen, "i64", table.entries)
        lines = Lines(f"{seen} = {self.text.at(seen, '0', str(table.entries))}")
        with lines.block("if thread == 0 and begin < end:"):
            lines.add(f"fill({seen}, {table.entries}, -1)")
            lines.add(f"fill({self.name(node)}, {size}, {identity_of(node)})")
        if self.is_shared:
            with lines.block("if begin < end:"):
                lines.add(self.sums.cleared(node))
        return lines

    def _update_tables(self, name: str, function: Function, views: list[str], is_slice: list[bool]) -> None:
        """Update this thread's slice of the params outside tables, and its rows of each table."""
        length, tables = self.layout.length, self.plan.tables
        for start, size in between(tables, length):
            k = len(self.ranges)
            bounds = ", ".join(f"rows_before({bound}, {start}, {size}, 1)" for bound in ("low", "high"))
            self.ranges.append(f"low_{k}, high_{k} = {bounds}")
            piece = f"{start} + low_{k}, high_{k} - low_{k}, 1"
            pairs = zip(views, is_slice, strict=True)
            values = [f"part({view}, {piece})" if cut else view for view, cut in pairs]
            self.line(f"{name}({', '.join([f'high_{k} - low_{k}', *values])})")
        for number, table in enumerate(tables):
            kernel = self.text.kernel("update_rows", update_text(table, name, function, length))
            lists = f"{self.name(table.listed)}, seen_{number}, {self.name(table.gradient)}"
            rows = f"{self.count} * {table.uses}, thread, threads, turn"
            self.line(f"{kernel}({', '.join([rows, lists, *views])})")

    def line(self, text: str) -> None:
        """Append a line at the current depth."""
        self.lines.add(text)
