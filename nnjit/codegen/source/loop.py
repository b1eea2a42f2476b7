"""Write a loop over steps: a function that calls the kernels of its body at each step.

Its arguments are strided: in `f32[B,T,F]`, rows are T * F elements apart and steps F elements. Values needed
only within a step are in work memory that all loops share.
"""

from __future__ import annotations

from functools import partial

from nnjit.codegen.plan.buffers import Buffer, Storage
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.legalize import is_batched, is_record_part, legalize, loop_source, root
from nnjit.codegen.source.lines import Lines
from nnjit.codegen.source.loop_body import RECORD, Body, Emit, LoopFunction, Places, count
from nnjit.codegen.source.views import Text
from nnjit.codegen.source.while_loop import emit_while
from nnjit.ir import Graph, Node, apply, rebuild
from nnjit.ir.types import SHORT, static
from nnjit.passes import optimize
from nnjit.primitives import scan_p, while_p
from nnjit.primitives.elementwise import copy_p
from nnjit.primitives.scan import Loop


def emit_loop(node: Node, block: int, text: Text) -> LoopFunction:
    """Write the function of the loop `node` to a program."""
    emit = partial(emit_loop, block=block, text=text)
    if node.primitive is while_p:
        return emit_while(node, block, text, emit)
    return _Writer(node, block, text, emit).write()


def lower_body(loop: Loop) -> Graph:
    """The legal graph of one step: (arguments) -> (carried values, and values for the record)."""
    graph = expand(optimize(loop.body))
    deep = {n: copy_p(n) for n in loop.moving if n.type.is_batched and n.ndim > 2}
    outputs = rebuild(graph.outputs, deep, _with_tight_arguments)
    flat = [n if n.primitive.kind == "elementwise" else copy_p(n) for n in outputs[loop.carried :]]
    return legalize(Graph(graph.inputs, (*outputs[: loop.carried], *flat), graph.names))


def _with_tight_arguments(node: Node) -> Node:
    """A loop inside the step, for rows without gaps instead of the strides of the enclosing loop."""
    if node.primitive is not scan_p:
        return node
    ends = node.params["constants"] + node.params["carried"]
    arguments = (
        n if not is_batched(n) or (k >= ends and is_record_part(n)) else copy_p(n)
        for k, n in enumerate(node.inputs)
    )
    return apply(scan_p, *arguments, **node.params)


class _Writer:
    """Writes one loop."""

    def __init__(self, node: Node, block: int, text: Text, emit: Emit) -> None:
        self.node, self.text = node, text
        self.loop = Loop(**node.params)
        self.graph = lower_body(self.loop)
        self.places = Places()
        targets = self._arguments() | self._results()
        self.carried = [targets[n] for n in self.loop.before]
        pairs = list(zip(self.graph.outputs, self.loop.before, strict=False))
        targets |= {root(out): targets[before] for out, before in pairs}
        donated = {root(out): before for out, before in pairs}
        self.body = Body(self.graph, block, text, self.places, targets, donated, emit)
        self.work = dict(self.body.work)
        for buffer in self.carried:
            self.places.carry(buffer, self.work, block)

    def write(self) -> LoopFunction:
        can_fail, step = self.body.can_fail, self.body.lines()
        lines = Lines(*(["failed = 0"] if can_fail else []))
        for k, buffer in enumerate(self.carried):
            lines.add(f"copy(x{self.loop.constants + k}, {count(buffer)}, {self.places.view(buffer)})")
        lines.add(*self.places.lines(moving=False))
        steps = f"{self.loop.length - 1}, -1, -1" if self.loop.backwards else f"{self.loop.length}"
        with lines.block(f"for t in range({steps}):"):
            lines.add(*self.places.lines(moving=True))
            lines.include(step)
        if can_fail:
            lines.add("return failed")
        parameters = ["n", *(f"x{k}" for k in range(len(self.node.inputs))), RECORD]
        parameters += [f"work_{dtype}" for dtype in self.work]
        return LoopFunction(self.text.kernel("loop", lines.as_body(parameters)), self.work, can_fail)

    def _arguments(self) -> dict[Node, Buffer]:
        """The buffers of the body's inputs: parameters, or work memory for the carried values."""
        targets = {}
        for k, (inner, outer) in enumerate(zip(self.loop.body.inputs, self.node.inputs, strict=True)):
            rows, size = is_batched(inner), inner.type.row_size
            name = f"carry{k}" if inner in self.loop.before else f"x{k}"
            storage = Storage(name, SHORT[inner.dtype])
            if inner in self.loop.moving:
                start, self.places.steps[name] = _start_and_step(outer, size)
                gap = self.loop.length * self.places.steps[name] - size
                targets[inner] = Buffer(storage, start, size, rows, gap)
            else:
                targets[inner] = Buffer(storage, 0, size, rows)
        return targets

    def _results(self) -> dict[Node, Buffer]:
        targets, start = {}, 0
        row = sum(n.type.row_size for n in self.loop.recorded)
        steps = 1 if self.loop.keeps_last else self.loop.length
        if not self.loop.keeps_last:
            self.places.steps[RECORD] = row
        for out in self.graph.outputs[self.loop.carried :]:
            size = out.type.row_size
            storage = Storage(RECORD, SHORT[out.dtype])
            targets[root(out)] = Buffer(storage, start, size, is_batched(out), steps * row - size)
            start += size
        return targets


def _start_and_step(outer: Node, size: int) -> tuple[int, int]:
    """The offset of the first step of an argument, and the distance between its steps; a record is wider."""
    if not is_record_part(outer):
        return 0, size
    return outer.params["starts"][-1], static(loop_source(outer).shape[-1:])[0]
