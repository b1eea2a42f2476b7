"""Write the lines of a program that take a batch through a graph: its blocks of rows, kernels and sums.

If threads share the batch, it is divided into *shares*, each a slice of every block's rows and of each long
vector. A thread takes one share after another up to the next barrier, so any number of threads computes the
same. Threads wait for each other before the products over the batch, which need all rows, and before one
reads what others wrote. Each of several ranks has a slice of the batch, and sums over the batch are completed
before anything reads them.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnjit.codegen.code import Reduction
from nnjit.codegen.plan.barrier import Barrier
from nnjit.codegen.plan.buffers import Owner, aligned, buffer_of
from nnjit.codegen.plan.kernels import Kernel, Plan, is_long_sum, sums_products
from nnjit.codegen.rewrite.legalize import is_batch_reduction, is_batched, loop_source, root, source
from nnjit.codegen.rewrite.sparse_rows import Table
from nnjit.codegen.source.kernel import Function, emit_kernel, identity_of
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.lines import Lines, SharedLines
from nnjit.codegen.source.loop import emit_loop
from nnjit.codegen.source.products import gemm_for, product_line, rows_of
from nnjit.codegen.source.routines import ROUTINES, can_fail, routine_line
from nnjit.codegen.source.sparse_updates import between, update_text
from nnjit.codegen.source.sums.over_ranks import over_ranks
from nnjit.codegen.source.sums.over_threads import Sums
from nnjit.codegen.source.views import Text, Views
from nnjit.ir import Node

WAIT = "phase = wait_at_barrier(meeting, threads, phase)"


class Batch:
    """Writes the lines of one graph.

    Args:
        text: the program that they are part of.
        interface: None for a graph that is called.
        prefix: of the names of its work memory.
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
        self.loops: dict[str, str] = {}  # view of the loops' work memory -> its array
        self.functions: dict[Kernel, str] = {}  # the name of each kernel's function
        self.pieces: list[tuple[int, int, int]] = []
        self.reductions: list[Reduction] = []  # over ranks, in order
        self.out = SharedLines(self._of_share, is_shared=plan.is_shared)
        self.cut: list[str] = []  # definitions of the rows of the batch that a share has
        self.is_in_block = False
        self.count = ""  # of the rows of a batch, as source
        self.can_fail = False  # whether the lines set `failed`
        self.barrier = Barrier()

    def hoisted(self) -> Lines:
        """The lines before all steps."""
        lines = self.views.hoisted()
        if not self.is_shared:
            lines.add(*self._of_share())
        for table in self.plan.tables:
            lines.include(self._cleared(table))
        if self.can_fail:
            lines.add("failed = 0")
        return lines

    def _of_share(self) -> list[str]:
        """The definitions of a share's rows, slices and views."""
        lines = []
        for view, name in self.loops.items():
            size = self.text.work[name]
            start = f"share * {size}" if self.is_shared else "0"
            lines.append(f"{view} = {self.text.at(name, start, str(size))}")
        rows = self.views.rows_of_share() if self.is_in_block else []
        return [*self.views.of_share(), *lines, *self.ranges, *self.cut, *rows]

    def wait(self) -> None:
        """Make threads wait for each other if one of them may have written what others read."""
        if self.barrier.passed() and self.is_shared:
            self.out.once(WAIT)

    def name(self, node: Node) -> str:
        """The name of the view of a value."""
        return self.views.name(node)

    # -- the body

    def write(self, count: str) -> Lines:
        """The lines for a batch of `count` rows from row `at`."""
        for node in map(self.graph.input, self.interface.per_step):
            self.out.once(f"{self.name(node)} = {self.views.base(buffer_of(node, self.layout.buffers))}")
        self.count, lanes = count, self.interface.lanes
        if lanes > 1:
            self.out.once(f"groups = ({count} + {lanes - 1}) // {lanes}")
        parts: dict[tuple[int, str], list[Kernel]] = {}
        for kernel in self.plan.kernels:
            parts.setdefault((kernel.phase, kernel.zone), []).append(kernel)
        for phase in range(self.plan.phases + 1):
            self._flat(parts.get((phase, "flat"), []))
            if rows := parts.get((phase, "rows")):
                self._rows(phase, rows, "groups" if lanes > 1 else count)
        self._copies()
        self.out.end_shares()
        return self.out.lines

    def _copies(self) -> None:
        """Copy the results that could not be computed in place."""
        for node, buffer in self.layout.copies:
            value, target = self.name(node), self.views.name_of(buffer, "result")
            size = f"{buffer.size} * (share == 0)" if self.is_shared else str(buffer.size)
            self.out.each(f"copy({value}, {size}, {target})")
        if self.layout.copies:
            self.barrier.wrote()
            self.wait()

    def _rows(self, phase: int, kernels: Sequence[Kernel], count: str) -> None:
        """Pass over the rows, block by block, and add up the threads' sums."""
        sums = self.layout.accumulators.get(phase, ())
        for node in sums:
            if self.plan.table_of(node) is None:
                self.out.each(self.sums.cleared(node))
        own = [n for k in kernels for n in k.nodes if n in self.plan.own_sums]
        products = [k for k in kernels if self.is_shared and sums_products(k) and not own]
        if own:
            self._rows_of_shares(kernels, count)
        else:
            self._blocks(kernels, products, count)
        self.barrier.wrote()
        if not products:
            self.wait()
        for node in (*sums, *own):
            self._total(node)
        if self.interface.has_ranks:
            self._over_ranks([n for k in kernels for n in k.nodes if is_batch_reduction(n)])
        self._guard(kernels)

    def _rows_of_shares(self, kernels: Sequence[Kernel], count: str) -> None:
        """Take each share's rows of the batch through all kernels, as many at a time as fit its memory."""
        block, lanes = self.block, self.interface.lanes
        step = str(self.interface.groups) if lanes > 1 else f"{block} // parts"
        self.cut = [
            f"parts = min(shares, {block // self.interface.groups if lanes > 1 else block})",
            f"first = {count} * min(share, parts) // parts",
            f"many = {count} * min(share + 1, parts) // parts - first",
            f"step = {step}",
            "slot = step * share",
        ]
        with self.out.set_aside() as body:
            for kernel in kernels:
                self._kernel(kernel)
            gathered = self.views.gathered(kernels, self.count)
        inner = Lines(*gathered)
        inner.include(body)
        with self.out.block_of_share("for start in range(0, max(many, 1), step):") as lines:
            lines.add("n = min(step, many - start)", *inner.needed(self.views.rows_of_share(slot="slot")))
            lines.include(inner)
        self.out.end_shares()
        self.cut = []

    def _blocks(self, kernels: Sequence[Kernel], products: Sequence[Kernel], count: str) -> None:
        """Take the blocks of a batch through all kernels: each thread its shares of every block."""
        step = self._rows_of_a_block()
        stop = f"max({count}, 1)" if self.interface.has_ranks else count  # a block of no rows sets products
        with self.out.block(f"for start in range(0, {stop}, {step}):"):
            size = f"min({step}, {count} - start)"
            if not self.is_shared:
                self.out.each(f"n = {size}")
                with self.out.set_aside() as body:
                    self._block(kernels, products)
                gathered = self.views.gathered(kernels, self.count)  # which names views
                self.out.lines.add(*self.views.moved(), *gathered)
                self.out.lines.include(body)
                return
            self.cut = ["first = block * share // shares", "n = block * (share + 1) // shares - first"]
            self.is_in_block = True
            with self.out.set_aside() as body:
                self.out.each(*self.views.gathered(kernels, self.count))
                self._block(kernels, products)
                self.out.end_shares()
                more = f"start + {step} < {count}"
                if not products:  # a smaller last block divides the memory of rows elsewhere
                    more += f" and {count} < start + 2 * {step}"
                with self.out.lines.block(f"if {more}:"):
                    self.out.lines.add(WAIT)
            self.out.lines.add(f"block = {size}", *body.needed(self.views.of_block()))
            self.out.lines.include(body)
            self.cut, self.is_in_block = [], False

    def _rows_of_a_block(self) -> str:
        """The number of rows of a block, as source; each share takes a few groups at a time."""
        if self.interface.lanes == 1 or self.plan.crossing:
            return str(self.block)
        self.out.once(f"step = min({self.interface.groups} * shares, {self.block})")
        return "step"

    def _block(self, kernels: Sequence[Kernel], products: Sequence[Kernel]) -> None:
        """Compute a block; threads wait before the products over all its rows."""
        for kernel in kernels:
            if kernel not in products:
                self._kernel(kernel)
        if products:
            self.barrier.wrote()
            self.wait()
            for kernel in products:
                self._product_over_rows(kernel.nodes[0])

    def _guard(self, kernels: Sequence[Kernel]) -> None:
        guard = self.interface.guard(self.graph)
        if guard is not None and any(root(guard) in k.nodes for k in kernels):
            with self.out.block(f"if not is_finite({self.name(guard)}[0]):"):
                self.out.lines.add("restore_mode(mode)", "return turn")

    # -- kernels

    def _flat(self, kernels: Sequence[Kernel]) -> None:
        """Compute what is needed once a batch: each share its slice, or the first thread everything."""
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
                if self.barrier.is_of_others:
                    self.wait()
                with self.out.first_thread():
                    self._kernel(kernel)
                self.barrier.wrote(is_scattered=True, by_first=True)
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
        ahead = "ahead + " if self.interface.has_ranks else ""
        first = ahead + ("start + first" if self.is_shared else "start")
        given = {"n": "mine" if length else "n", "first": first}
        self.out.each(f"{name}({', '.join([*(given[p] for p in function.leading), *values])})")

    def _memory(self, kernel: Kernel) -> list[Node]:
        nodes = [*kernel.nodes, *(a for n in kernel.nodes for a in n.inputs)]
        nodes += [source(n) for n in nodes]
        return [n for n in nodes if root(n) in self.layout.buffers]

    def _product(self, node: Node) -> None:
        def name(value: Node) -> str:
            return self.sums.part(value) if value is node else self.name(value)

        self.out.each(product_line(node, name, self.layout.buffers))

    def _routine(self, kernel: Kernel) -> None:
        node = kernel.nodes[0]
        self.functions[kernel] = ROUTINES[node.primitive].function
        self.can_fail |= can_fail(node)
        self.out.each(routine_line(node, self.name))

    def _loop(self, kernel: Kernel) -> None:
        """Call a loop over steps; each share has its own work memory, which all loops use in turn."""
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
        self.out.each(f"failed = max(failed, {call})" if function.can_fail else call)

    # -- sums over threads

    def _total(self, node: Node) -> None:
        """Add up the threads' parts of a sum, if they have any."""
        if not self.sums.has_parts(node):
            return
        table = self.plan.table_of(node)
        if table is not None:
            self.out.each(self.sums.total_of_rows(table, self.count))
            self.barrier.wrote(is_scattered=True)
            return
        self.out.each(self.sums.total(node))
        if self.sums.is_sliced(node):
            self.barrier.wrote()
        elif self.sums.is_common(node):
            self.barrier.wrote(is_scattered=True, by_first=True)

    def _over_ranks(self, nodes: Sequence[Node]) -> None:
        """Complete sums across ranks, each of which has summed its own rows."""
        lines = over_ranks(self.sums, nodes)
        self.reductions += lines.reductions
        if not self.is_shared:
            self.out.each(*lines.packed, *lines.calls, *lines.unpacked)
            return
        self.out.once(WAIT)  # for the slices of other shares; the first share then packs, in the first thread
        self.out.each(*lines.packed)
        with self.out.first_thread():
            self.out.each(*lines.calls)
        self.out.once(WAIT)
        self.barrier.passed()
        self.out.each(*lines.unpacked)
        self.barrier.wrote(is_scattered=lines.has_common, by_first=True)

    def _product_over_rows(self, node: Node) -> None:
        """A product over all rows of the block; each share computes some rows of the result."""
        a, b = node.inputs
        (m, n), number = node.type.row_shape, len(self.ranges)
        if self.sums.is_sliced(node):
            _, offset = self.layout.inside.get(node, (node, 0))
            self.pieces.append((offset, m, n))
            low, high = self.sums.slice_of(node, m, n)
        else:
            low, high = f"{m} * share // shares", f"{m} * (share + 1) // shares"
            self.barrier.wrote(is_scattered=True)
        self.ranges.append(f"low_{number}, high_{number} = {low}, {high}")
        operands = f"{self.name(a)}_block, {self.name(b)}_block, start, {self.name(node)}"
        rows = f"low_{number}, high_{number}, {m}, {n}, {rows_of(a, 'block')}"
        self.out.each(f"{gemm_for(node)}_slice({rows}, {operands})    # {node.type}")

    # -- tables

    def _cleared(self, table: Table) -> Lines:
        """The lines before all steps that mark all rows as unused and set the gradient to zero."""
        number, node = self.plan.tables.index(table), table.gradient
        seen, size = f"seen_{number}", table.entries * table.size
        self.text.declare(seen, "i64", table.entries)
        lines = Lines(f"{seen} = {self.text.at(seen, '0', str(table.entries))}")
        with lines.block("if thread == 0 and begin < end:"):
            lines.add(f"fill({seen}, {table.entries}, -1)")
            lines.add(f"fill({self.name(node)}, {size}, {identity_of(node)})")
        if self.is_shared:
            with lines.block("if begin < end:"):
                lines.include(self.out.over_shares(Lines(self.sums.cleared(node))))
        return lines

    def _update_tables(self, name: str, function: Function, views: list[str], is_slice: list[bool]) -> None:
        """Update a share's slice of the params outside tables, and its rows of each table."""
        length, tables = self.layout.length, self.plan.tables
        for start, size in between(tables, length):
            k = len(self.ranges)
            bounds = ", ".join(f"rows_before({bound}, {start}, {size}, 1)" for bound in ("low", "high"))
            self.ranges.append(f"low_{k}, high_{k} = {bounds}")
            piece = f"{start} + low_{k}, high_{k} - low_{k}, 1"
            pairs = zip(views, is_slice, strict=True)
            values = [f"part({view}, {piece})" if cut else view for view, cut in pairs]
            self.out.each(f"{name}({', '.join([f'high_{k} - low_{k}', *values])})")
        for number, table in enumerate(tables):
            kernel = self.text.kernel("update_rows", update_text(table, name, function, length))
            lists = f"{self.name(table.listed)}, seen_{number}, {self.name(table.gradient)}"
            rows = f"{self.count} * {table.uses}, {self.views.share}, shares, turn"
            self.out.each(f"{kernel}({', '.join([rows, lists, *views])})")
