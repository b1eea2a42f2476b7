"""Write the lines that clear and add up threads' parts of sums over the batch."""

from __future__ import annotations

from dataclasses import dataclass

from nnjit.codegen.plan.buffers import Buffer, buffer_of
from nnjit.codegen.rewrite.legalize import source
from nnjit.codegen.rewrite.sparse_rows import Table
from nnjit.codegen.source.kernel import combined, identity_of
from nnjit.codegen.source.sparse_updates import total_text
from nnjit.codegen.source.views import Views
from nnjit.ir import Node
from nnjit.primitives import reduce_sum
from nnjit.primitives.lanes import lane_weights


@dataclass(frozen=True)
class Sums:
    """The lines for sums, and for other reductions over the batch."""

    views: Views

    def part(self, node: Node) -> str:
        """The name of the view of a value, or of this thread's part of a sum."""
        layout = self.views.layout
        buffer = layout.partials.get(node) or buffer_of(node, layout.buffers)
        return self.views.name_of(buffer, source(node).primitive.name)

    def cleared(self, node: Node) -> str:
        """The line that sets a sum, or this thread's part of it, to its identity."""
        partial = self.views.layout.partials.get(node)
        size = node.type.row_size if partial is None else partial.size
        return f"fill({self.part(node)}, {size}, {identity_of(node)})"

    def has_parts(self, node: Node) -> bool:
        """Whether threads, or lanes, have parts of a sum."""
        return node in self.views.layout.partials

    def is_common(self, node: Node) -> bool:
        """Whether all shares have one total, as for a piece of a vector, instead of one each."""
        layout = self.views.layout
        return node in layout.inside or not buffer_of(node, layout.buffers).storage.is_each_threads

    def is_sliced(self, node: Node) -> bool:
        """Whether a sum is a piece of a vector that threads divide into slices."""
        layout = self.views.layout
        whole, _ = layout.inside.get(node, (node, 0))
        return 0 < layout.length == whole.type.row_size

    def slice_of(self, node: Node, rows: int, columns: int) -> tuple[str, str]:
        """The first and the last of a piece's rows that are in a share's slice."""
        _, offset = self.views.layout.inside.get(node, (node, 0))
        low, high = (f"rows_before({bound}, {offset}, {rows}, {columns})" for bound in ("low", "high"))
        return low, high

    def total(self, node: Node) -> str:
        """The line that adds up the parts: each share adds its slice, one share all, or every share all."""
        layout, size = self.views.layout, node.type.row_size
        stride, sums = self._parts(layout.partials[node], layout.partials[node].size)
        slices = f"0, {size}"
        if self.is_common(node):
            own = ", ".join(self.slice_of(node, size, 1))
            slices = own if self.is_sliced(node) else f"0, {size} * ({self.views.share} == 0)"
        target = self.views.name_of(buffer_of(node, layout.buffers), source(node).primitive.name)
        return f"{self._adder(node)}(shares, {stride}, {slices}, {sums}, {target})"

    def total_of_rows(self, table: Table, count: str) -> str:
        """The line that adds up the parts of a table's gradient for the rows that `count` examples used."""
        part, size = self.views.layout.partials[table.gradient], table.gradient.type.row_size
        stride, sums = self._parts(part, size)
        kernel = self.views.text.kernel("total_rows", total_text(table))
        rows = f"{count} * {table.uses}, {self.views.share}, shares, {stride}"
        listed, gradient = self.views.name(table.listed), self.views.name(table.gradient)
        return f"{kernel}({rows}, {listed}, {sums}, {gradient})"

    def _parts(self, part: Buffer, size: int) -> tuple[int, str]:
        """The distance between the threads' parts, and the view of all of them."""
        storage, text = self.views.name_of_array(part.storage), self.views.text
        stride = text.work[storage]
        return stride, text.at(storage, str(part.start), f"(shares - 1) * {stride} + {size}")

    def _adder(self, node: Node) -> str:
        """The name of the function that adds up parts; for sums it is `add_up`, compiled once."""
        if node.primitive is lane_weights:
            return "add_up_lanes"
        if node.primitive is reduce_sum or node.primitive.kind == "matmul":
            return "add_up"
        value = combined(node, "value", "sums[k * stride + j]")
        return self.views.text.kernel(
            "total",
            "(shares, stride, low, high, sums, total):\n    for j in range(low, high):\n"
            f"        value = sums[j]\n        for k in range(1, shares):\n            value = {value}\n"
            "        total[j] = value\n",
        )
