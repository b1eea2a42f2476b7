"""Write a loop over steps: a function that calls the kernels of its body at each step.

Its arguments are strided: in `f32[B,T,F]`, an element is T * F elements after that of the previous row, and F
after that of the previous step. Values that only a step needs are in work memory that all loops share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nnjit.codegen.plan.buffers import Buffer, Owner, Storage, aligned, buffer_of
from nnjit.codegen.plan.kernels import Kernel, Plan, plan_kernels
from nnjit.codegen.plan.memory import Layout, plan_memory
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.legalize import (
    is_batch_reduction,
    is_batched,
    is_record_part,
    legalize,
    loop_source,
    root,
)
from nnjit.codegen.source.kernel import emit_kernel
from nnjit.codegen.source.lines import Lines
from nnjit.codegen.source.products import product_line
from nnjit.codegen.source.routines import ROUTINES, can_fail, routine_line
from nnjit.codegen.source.views import Text
from nnjit.errors import CompileError
from nnjit.ir import Graph, Node, apply, rebuild
from nnjit.ir.types import SHORT, static
from nnjit.passes import optimize
from nnjit.primitives import scan_p
from nnjit.primitives.elementwise import copy_p  # fmt: skip
from nnjit.primitives.scan import Loop

RECORD = "record"


class LoopFunction(NamedTuple):
    """The function of a loop.

    Args:
        name: of the function, whose parameters are the rows `n`, the arguments, the record, and work memory.
        work: dtype -> elements of work memory, for a block of rows.
        can_fail: whether it returns the number of a failure, 0 for none.
    """

    name: str
    work: Mapping[str, int]
    can_fail: bool


def emit_loop(node: Node, block: int, text: Text) -> LoopFunction:
    """Write the function of the loop `node` to a program."""
    return _Writer(node, block, text).write()


def lower_body(loop: Loop) -> Graph:
    """The legal graph of one step: (arguments) -> (carried values, and everything for the record)."""
    graph = expand(optimize(loop.body))
    deep = {n: copy_p(n) for n in loop.moving if n.type.is_batched and n.ndim > 2}
    outputs = rebuild(graph.outputs, deep, _with_tight_arguments)
    flat = [n if n.primitive.kind == "elementwise" else copy_p(n) for n in outputs[loop.carried :]]
    return legalize(Graph(graph.inputs, (*outputs[: loop.carried], *flat), graph.names))


def _with_tight_arguments(node: Node) -> Node:
    """A loop inside the step, for rows without gaps instead of at the strides of the loop around it."""
    if node.primitive is not scan_p:
        return node
    ends = node.params["constants"] + node.params["carried"]
    arguments = (
        n if not is_batched(n) or (k >= ends and is_record_part(n)) else copy_p(n)
        for k, n in enumerate(node.inputs)
    )
    return apply(scan_p, *arguments, **node.params)


class _Writer:
    """The state of writing one loop."""

    def __init__(self, node: Node, block: int, text: Text) -> None:
        self.node, self.block, self.text = node, block, text
        self.loop = Loop(**node.params)
        self.graph = lower_body(self.loop)
        self.plan: Plan = plan_kernels(self.graph)
        self.steps: dict[str, int] = {}  # name of a parameter -> distance of successive steps
        self.names: dict[Buffer, str] = {}
        targets = self._arguments() | self._results()
        self.carried = [(n, targets[n]) for n in self.loop.before]
        pairs = list(zip(self.graph.outputs, self.loop.before, strict=False))
        targets |= {root(out): targets[before] for out, before in pairs}
        donated = {root(out): before for out, before in pairs}
        self.layout: Layout = plan_memory(self.plan, block, targets, donated)
        loops = [n for n in self.graph.nodes if n.primitive is scan_p]
        self.inner = {n: emit_loop(n, block, text) for n in loops}
        self.work = self._work()

    def write(self) -> LoopFunction:
        step = Lines(*(self._kernel(kernel) for kernel in self.plan.kernels))
        for node, buffer in self.layout.copies:
            step.add(f"copy({self._name(node)}, {_count(buffer)}, {self._view(buffer)})")
        can_fail = any(map(self._can_fail, self.graph.nodes))
        body = Lines(*(["failed = 0"] if can_fail else []))
        for k, (_, buffer) in enumerate(self.carried):
            body.add(f"copy(x{self.loop.constants + k}, {_count(buffer)}, {self._view(buffer)})")
        views = [(buffer, f"{name} = {self._view(buffer)}") for buffer, name in self.names.items()]
        body.add(*(line for buffer, line in views if buffer.storage.name not in self.steps))
        steps = f"{self.loop.length - 1}, -1, -1" if self.loop.backwards else f"{self.loop.length}"
        with body.block(f"for t in range({steps}):"):
            body.add(*(line for buffer, line in views if buffer.storage.name in self.steps))
            body.include(step)
        if can_fail:
            body.add("return failed")
        parameters = ["n", *(f"x{k}" for k in range(len(self.node.inputs))), RECORD]
        parameters += [f"work_{dtype}" for dtype in self.work]
        return LoopFunction(self.text.kernel("loop", body.as_body(parameters)), self.work, can_fail)

    # -- where things are

    def _arguments(self) -> dict[Node, Buffer]:
        """The buffers of the body's inputs: parameters, or work memory for the carried values."""
        targets = {}
        for k, (inner, outer) in enumerate(zip(self.loop.body.inputs, self.node.inputs, strict=True)):
            rows, size = is_batched(inner), inner.type.row_size
            name = f"carry{k}" if inner in self.loop.before else f"x{k}"
            storage = Storage(name, SHORT[inner.dtype])
            if inner in self.loop.moving:
                start, self.steps[name] = _start_and_step(outer, size)
                gap = self.loop.length * self.steps[name] - size
                targets[inner] = Buffer(storage, start, size, rows, gap)
            else:
                targets[inner] = Buffer(storage, 0, size, rows)
        return targets

    def _results(self) -> dict[Node, Buffer]:
        targets, start = {}, 0
        self.steps[RECORD] = sum(n.type.row_size for n in self.loop.recorded)
        for out in self.graph.outputs[self.loop.carried :]:
            size = out.type.row_size
            gap = self.loop.length * self.steps[RECORD] - size
            targets[root(out)] = Buffer(Storage(RECORD, SHORT[out.dtype]), start, size, is_batched(out), gap)
            start += size
        return targets

    def _work(self) -> dict[str, int]:
        """The elements of work memory of each dtype: for a step, for carried values, and for inner loops."""
        sizes = {storage.dtype: size for storage, size in self.layout.work.items() if size}
        self.starts = {}
        for node, buffer in self.carried:
            dtype = SHORT[node.dtype]
            start = aligned(sizes.get(dtype, 0), dtype)
            self.starts[buffer.storage] = f"work_{dtype}", start
            sizes[dtype] = start + buffer.size * (self.block if buffer.rows else 1)
        self.inner_starts = {}
        for dtype in dict.fromkeys(d for function in self.inner.values() for d in function.work):
            start = self.inner_starts[dtype] = aligned(sizes.get(dtype, 0), dtype)
            sizes[dtype] = start + max(function.work.get(dtype, 0) for function in self.inner.values())
        return sizes

    def _name(self, node: Node) -> str:
        return self._named(buffer_of(node, self.layout.buffers))

    def _named(self, buffer: Buffer) -> str:
        is_given = buffer.storage.owner is Owner.CALLER
        kind = buffer.storage.name if is_given else buffer.storage.owner.value
        return self.names.setdefault(buffer, f"{kind}_{len(self.names) + 1}")

    def _view(self, buffer: Buffer) -> str:
        """The source of the view of a buffer, at step `t` if it moves."""
        name, start = self.starts.get(buffer.storage, (buffer.storage.name, buffer.start))
        if name not in self.steps:
            return f"part({name}, {start}, {_count(buffer)}, 1)"
        at = f"t * {self.steps[name]}" + (f" + {start}" if start else "")
        whole = f"n * {buffer.stride}" if buffer.rows else str(buffer.stride)
        return f"part({name}, {at}, {whole} - ({at}), 1)"

    # -- what a step does

    def _kernel(self, kernel: Kernel) -> str:
        node = kernel.nodes[0]
        if any(map(is_batch_reduction, kernel.nodes)):
            raise CompileError(f"scan: a step has {node.primitive.name} over the rows, which has no kernel")
        if node.primitive is scan_p:
            return self._inner_loop(node)
        if node.primitive in ROUTINES:
            return routine_line(node, self._name)
        if kernel.is_product:
            return product_line(node, self._name, self.layout.buffers)
        function = emit_kernel(kernel, self.layout, self.plan)
        values = [self._named(buffer) for buffer in function.arguments]
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


def _start_and_step(outer: Node, size: int) -> tuple[int, int]:
    """Where the first step of an argument begins, and the distance of its steps: a record is wider."""
    if not is_record_part(outer):
        return 0, size
    return outer.params["starts"][-1], static(loop_source(outer).shape[-1:])[0]


def _count(buffer: Buffer) -> str:
    return f"n * {buffer.size}" if buffer.rows else str(buffer.size)
