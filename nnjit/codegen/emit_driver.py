"""The source of a whole program: its kernels, and the native function that runs them batch by batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nnjit.codegen.emit_kernel import Function, emit_kernel, identity_of
from nnjit.codegen.legalize import is_batched, root, source
from nnjit.codegen.maths import MATHS
from nnjit.codegen.memory import Place, place_of, plan_memory
from nnjit.codegen.schedule import Kernel, Schedule
from nnjit.ir import Graph, Node
from nnjit.ir.types import SHORT

# Elements of a weight matrix from which BLAS, which packs both arguments, is faster (measured on AVX2).
LARGE = 2**19

HEADER = '''\
"""{title}

Written by nnjit. Every matrix is row-major. Kernels are compiled for a block of at most {block} rows.
"""

import numpy as np
from numba import njit
from numpy import bool_ as b1, float32 as f32, float64 as f64, int32 as i32, int64 as i64, uint32 as u32

{maths}{blas}from nnjit.codegen.runtime import JIT, KERNEL, fill, gather, gemm, view1, view2
'''


@dataclass(frozen=True)
class Interface:
    """How the native function feeds the graph, beyond calling it once.

    Args:
        updates: for each pair (output, input), the result is written over the argument.
        per_step: inputs, scalars, that have one value for every step of an epoch.
        totals: outputs, f64, that are added up over the steps of an epoch.
        guard: an output that stops the epoch before the update of its step where it is not finite.
    """

    updates: tuple[tuple[int, int], ...] = ()
    per_step: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    guard: int | None = None


@dataclass(frozen=True)
class Program:
    """The source of a program, whose function is `run`, and the work memory that it needs.

    Args:
        work: (name, dtype, elements) of the arrays to allocate, in the order of the last arguments.
    """

    source: str
    work: tuple[tuple[str, str, int], ...]


def emit_call(plan: Schedule, block: int, title: str) -> Program:
    """A function `(rows, *inputs, *outputs, *work)` that evaluates the graph once, over all rows."""
    return _Driver(plan, block, title, None).write()


def emit_epoch(plan: Schedule, block: int, title: str, interface: Interface) -> Program:
    """A function `(begin, end, batch, rows, order, *inputs, totals, *work)` that runs steps of an epoch.

    It returns the step it stopped before: `end`, or the one whose guard was not finite.
    """
    return _Driver(plan, block, title, interface).write()


class _Driver:
    """The state of writing one program."""

    def __init__(self, plan: Schedule, block: int, title: str, interface: Interface | None) -> None:
        self.plan, self.block, self.title, self.interface = plan, block, title, interface
        self.graph: Graph = plan.graph
        self.spec = interface or Interface()
        self.inputs = list(self.graph.inputs)
        self.out_names = [f"out{k}" for k in range(len(self.graph.outputs))]
        self.staging: dict[str, tuple[str, int]] = {}
        self.targets = self._targets()
        self.kernels: dict[str, str] = {}  # text -> name
        self.views: dict[Place, str] = {}
        self.layout = plan_memory(plan, block, self.targets, self._donated())
        self.lines: list[str] = []
        self.depth = 1

    def write(self) -> Program:
        if self.interface:
            self._epoch()
        else:
            self._batch(count="rows")
        parameters = ", ".join(self._parameters())
        views = [
            f"    {name} = {self._view(place)}"
            for place, name in self.views.items()
            if not self._moves(place)
        ]
        kernels = "".join(f"\n\n@njit(**KERNEL)\ndef {name}{body}" for body, name in self.kernels.items())
        used = sorted(name for name in MATHS if f"{name}(" in kernels)
        maths = f"from nnjit.codegen.maths import {', '.join(used)}\n" if used else ""
        is_blas_used = any("blas_gemm(" in line for line in self.lines)
        blas = "from nnjit.codegen.blas import blas_gemm\n" if is_blas_used else ""
        text = [HEADER.format(title=self.title, block=self.block, maths=maths, blas=blas), kernels]
        text.append(
            f"\n\n@njit(cache=True, **JIT)\ndef run({parameters}):\n"
            + "\n".join([*views, *self.lines])
            + "\n"
        )
        return Program("".join(text), self._work())

    def _work(self) -> tuple[tuple[str, str, int], ...]:
        planned = [(name, name.removeprefix("work_"), size) for name, size in self.layout.work.items()]
        return (*planned, *((name, dtype, size) for name, (dtype, size) in self.staging.items()))

    # -- where inputs and results are

    def _targets(self) -> dict[Node, Place]:
        """The places of inputs and results; inputs that change from step to step get work memory."""
        targets = {}
        for k, node in enumerate(self.inputs):
            rows = is_batched(node)
            moves = self.interface is not None and (rows or k in self.spec.per_step)
            storage = self._stage_name(k) if moves else self.graph.names[k]
            if moves:
                self.staging[storage] = SHORT[node.dtype], node.type.row_size * (self.block if rows else 1)
            targets[node] = Place(storage, 0, node.type.row_size, rows)
        updates = dict(self.spec.updates)
        for k, out in enumerate(self.graph.outputs):
            node = root(out)
            if k in updates:
                targets[node] = Place(self.graph.names[updates[k]], 0, node.type.row_size, rows=False)
            elif self.interface is None:
                targets[node] = Place(self.out_names[k], 0, node.type.row_size, is_batched(node))
        return targets

    def _donated(self) -> dict[Node, Node]:
        return {root(self.graph.outputs[out]): self.inputs[k] for out, k in self.spec.updates}

    def _stage_name(self, k: int) -> str:
        return f"{self.graph.names[k]}_block"

    def _parameters(self) -> list[str]:
        own, work = list(self.graph.names), [name for name, _, _ in self._work()]
        if self.interface:
            return ["begin", "end", "batch", "rows", "order", *own, "totals", *work]
        return ["rows", *own, *self.out_names, *work]

    # -- views

    def _moves(self, place: Place) -> bool:
        """Whether a place is part of an argument that has all rows: its view moves from block to block."""
        return place.rows and not self.interface and place.storage in {*self.graph.names, *self.out_names}

    def _view(self, place: Place) -> str:
        if self._moves(place):
            start = f"start * {place.size}" if place.size != 1 else "start"
            if place.size == 1:
                return f"view1({place.storage}, {start}, n)"
            return f"view2({place.storage}, {start}, n, {place.size})"
        if place.rows and place.size != 1:
            return f"view2({place.storage}, {place.start}, {self.block}, {place.size})"
        return f"view1({place.storage}, {place.start}, {self.block if place.rows else place.size})"

    def _name(self, node: Node) -> str:
        return self._name_of(place_of(node, self.layout.places), source(node).primitive.name)

    def _name_of(self, place: Place, kind: str) -> str:
        if place not in self.views:
            self.views[place] = f"{kind}_{len(self.views) + 1}"
        return self.views[place]

    # -- the body

    def _epoch(self) -> None:
        spec = self.spec
        self._line("for turn in range(begin, end):")
        self.depth += 1
        for k in spec.per_step:
            self._line(f"{self._name(self.inputs[k])}[0] = {self.graph.names[k]}[turn]")
        self._line("at = turn * batch")
        self._line("count = min(batch, rows - at)")
        self._batch(count="count")
        start = 0
        for k in spec.totals:
            node = self.graph.outputs[k]
            for j in range(node.type.row_size):
                self._line(f"totals[{start + j}] += {self._name(node)}[{j}]")
            start += node.type.row_size
        self.depth -= 1
        self._line("return end")

    def _batch(self, count: str) -> None:
        kernels = self.plan.kernels
        for phase in range(self.plan.phases + 1):
            self._run([k for k in kernels if k.zone == "flat" and k.phase == phase])
            rows = [k for k in kernels if k.zone == "rows" and k.phase == phase]
            if rows:
                self._phase(phase, rows, count)
        for node, place in self.layout.copies:
            target = self._name_of(place, "result")
            self._line(f"for k in range({place.size}):")  # an assignment of slices compiles for seconds
            self._line(f"    {target}[k] = {self._name(node)}[k]")

    def _phase(self, phase: int, kernels: Sequence[Kernel], count: str) -> None:
        for node in self.layout.accumulators.get(phase, ()):
            self._line(f"fill({self._name(node)}, {identity_of(node)})")
        self._line(f"for start in range(0, {count}, {self.block}):")
        self.depth += 1
        self._line(f"n = min({self.block}, {count} - start)")
        mark = len(self.lines)
        self._run(kernels)
        self._insert_moving(mark, kernels)
        self.depth -= 1
        guard = self.spec.guard
        if guard is not None and any(root(self.graph.outputs[guard]) in k.nodes for k in kernels):
            self._line(f"if not np.isfinite({self._name(self.graph.outputs[guard])}[0]):")
            self._line("    return turn")

    def _insert_moving(self, mark: int, kernels: Sequence[Kernel]) -> None:
        """Before a block's kernels: gather its rows, or point the views of whole arrays at them."""
        lines = []
        used = {source(a) for k in kernels for n in k.nodes for a in n.inputs}
        pad = "    " * self.depth
        if self.interface:
            for k, node in enumerate(self.inputs):
                if is_batched(node) and node in used:
                    size = node.type.row_size
                    whole, block = f"view2({self.graph.names[k]}, 0, rows, {size})", self._stage(node, k)
                    lines.append(f"{pad}gather({whole}, order, at + start, n, {block})")
        else:
            used |= {n for k in kernels for n in k.nodes}
            places = {place_of(n, self.layout.places) for n in used if n in self.layout.places}
            moving = [(p, name) for p, name in self.views.items() if self._moves(p) and p in places]
            lines = [f"{pad}{name} = {self._view(p)}" for p, name in moving]
        self.lines[mark:mark] = lines

    def _stage(self, node: Node, k: int) -> str:
        return f"view2({self._stage_name(k)}, 0, {self.block}, {node.type.row_size})"

    def _run(self, kernels: Sequence[Kernel]) -> None:
        for kernel in kernels:
            if kernel.is_product:
                self._product(kernel.nodes[0])
            else:
                self._loops(emit_kernel(kernel, self.layout, self.plan), kernel)

    def _loops(self, function: Function, kernel: Kernel) -> None:
        if not function.body:
            return
        body = f"({', '.join(function.parameters)}):\n" + "\n".join(function.body) + "\n"
        name = self.kernels.setdefault(body, f"{function.zone}_{len(self.kernels) + 1}")
        kinds = {place_of(n, self.layout.places): source(n).primitive.name for n in self._memory(kernel)}
        values = [self._name_of(place, kinds.get(place, "value")) for place in function.arguments]
        leading = [*(["n"] if function.zone == "rows" else []), *(["start"] if function.counts else [])]
        self._line(f"{name}({', '.join([*leading, *values])})")

    def _memory(self, kernel: Kernel) -> list[Node]:
        nodes = [*kernel.nodes, *(a for n in kernel.nodes for a in n.inputs)]
        nodes += [source(n) for n in nodes]
        return [n for n in nodes if root(n) in self.layout.places]

    def _product(self, node: Node) -> None:
        a, b = node.inputs
        ta, tb = int(node.params["ta"]), int(node.params["tb"])
        m, k = a.shape[::-1] if ta else a.shape
        n = b.shape[0] if tb else b.shape[1]
        over_batch = ta and is_batched(a)
        lengths = "n" if is_batched(node) else str(m), str(n), "n" if over_batch else str(k)
        beta = "start > 0" if over_batch else "0"
        operands = f"{self._name(a)}, {self._name(b)}, {beta}, {self._name(node)}"
        is_large = max(math.prod(x.type.row_shape) for x in (a, b, node) if not is_batched(x)) >= LARGE
        name = "blas_gemm" if is_large else "gemm"
        self._line(f"{name}({ta}, {tb}, {', '.join(lengths)}, {operands})    # {node.type}")

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)
