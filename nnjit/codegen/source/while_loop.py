"""Write a loop that runs while its condition holds: a function that calls the kernels of its graphs."""

from __future__ import annotations

from nnjit.codegen.plan.buffers import Buffer, Storage
from nnjit.codegen.rewrite.expand import expand
from nnjit.codegen.rewrite.legalize import legalize, root
from nnjit.codegen.source.lines import Lines
from nnjit.codegen.source.loop_body import RECORD, Body, Emit, LoopFunction, Places, count
from nnjit.codegen.source.views import Text
from nnjit.ir import Node
from nnjit.ir.types import SHORT
from nnjit.passes import optimize
from nnjit.primitives.while_loop import While


def emit_while(node: Node, block: int, text: Text, emit: Emit) -> LoopFunction:
    """Write the function of the loop `node` to a program.

    Args:
        emit: writes the function of an inner loop.
    """
    loop = While(**node.params)
    places = Places()
    step, result = (legalize(expand(optimize(graph))) for graph in (loop.step, loop.result))
    fixed = {n: _given(f"x{k}", n) for k, n in enumerate(loop.fixed)}
    carried = {n: _given(f"carry{k}", n) for k, n in enumerate(loop.before)}
    is_going = _given("is_going", loop.is_going)
    again, *after = map(root, step.outputs)
    donated = dict(zip(after, loop.before, strict=True))
    targets = {out: carried[before] for out, before in donated.items()} | {again: is_going}
    own = Body(step, block, text, places, fixed | carried | targets, donated, emit)
    [value] = map(root, result.outputs)
    inputs = dict(zip(result.inputs, [*fixed.values(), *carried.values()], strict=True))
    last = Body(result, block, text, places, {**inputs, value: _given(RECORD, value)}, {}, emit)
    work = {d: max(own.work.get(d, 0), last.work.get(d, 0)) for d in (*own.work, *last.work)}
    buffers = [is_going, *carried.values()]
    for buffer in buffers:
        places.carry(buffer, work, block)
    can_fail, going = own.can_fail or last.can_fail, places.name(is_going)
    body, end = own.lines(), last.lines()
    lines = Lines(*(["failed = 0"] if can_fail else []))
    for k, buffer in enumerate(buffers):
        lines.add(f"copy(x{loop.constants + k}, {count(buffer)}, {places.view(buffer)})")
    lines.add(*places.lines(moving=False))
    with lines.block(f"while {going}[0] != 0:"):
        lines.include(body)
    lines.include(end)
    if can_fail:
        lines.add("return failed")
    parameters = ["n", *(f"x{k}" for k in range(len(node.inputs))), RECORD]
    parameters += [f"work_{dtype}" for dtype in work]
    return LoopFunction(text.kernel("loop", lines.as_body(parameters)), work, can_fail)


def _given(name: str, node: Node) -> Buffer:
    return Buffer(Storage(name, SHORT[node.dtype]), 0, node.type.row_size, rows=False)
