"""The source of a whole program: kernels, and the native function that runs them, once or epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nnjit.codegen.maths import MATHS
from nnjit.codegen.plan.kernels import Kernel, Plan
from nnjit.codegen.source.batch import Batch
from nnjit.codegen.source.routines import ROUTINES
from nnjit.codegen.source.views import Interface, Text
from nnjit.primitives import argsort

HEADER = '''\
"""{title}

Written by nnjit. Every matrix is row-major. Kernels are compiled for a block of at most {rows}.

memory: {memory}.
"""

import numpy as np
from numba import njit
from numpy import bool_ as b1, float32 as f32, float64 as f64, int32 as i32, int64 as i64, uint32 as u32

{imports}
'''

FROM = {
    "nnjit.codegen.runtime.blas": ("blas_gemm", "blas_gemm_share"),
    "nnjit.codegen.runtime.lapack": tuple(r.function for p, r in ROUTINES.items() if p is not argsort),
    "nnjit.codegen.maths": tuple(MATHS),
    "nnjit.codegen.runtime.views": (
        "JIT", "KERNEL", "ROWS", "b1_at", "copy", "f32_at", "f64_at", "fill", "gather", "gemm", "gemm_each",
        "gemm_share", "i32_at", "i64_at", "inside", "is_finite", "lane_product", "lane_spread",
        "lane_weights", "part", "repeat_last", "u32_at",
    ),
    "nnjit.codegen.runtime.sorting": (ROUTINES[argsort].function,),
    "nnjit.codegen.runtime.threads": (
        "add_up", "add_up_lanes", "flush_subnormals", "meet", "restore_mode", "share", "ticks",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Program:
    """The source of a program, whose function is `run`, and the memory that it takes.

    Args:
        memory: name -> short dtype of every array of the table, in its order.
        work: name -> elements of those to allocate; for each thread, where it is `own` or `sums`.
        length: of the vectors that threads share; 0 where there are none.
        pieces: (offset, rows, columns) of the parts of such a vector that are products, which threads share
            by rows.
        width: figures of an epoch.
        functions: the kernels of a step, but for products -> their names in the source.
    """

    source: str
    memory: Mapping[str, str]
    work: Mapping[str, int]
    length: int = 0
    pieces: Sequence[tuple[int, int, int]] = ()
    width: int = 0
    functions: Mapping[Kernel, str] = field(default_factory=dict)


def emit_call(plan: Plan, block: int, title: str) -> Program:
    """A function `run(memory, rows)` that evaluates the graph once, over all rows.

    Where something in it can fail, it returns the number of the failure, 0 where there was none.
    """
    text = Text()
    batch = Batch(plan, block, text, None)
    lines = batch.write("rows")
    body = ["    at = 0", *batch.hoisted(), *lines, *(["    return failed"] if batch.can_fail else [])]
    return _program(text, title, f"{block} rows", _function("run(memory, rows)", body, "cache=True, **JIT"))


def emit_epochs(plan: Plan, evaluation: Plan | None, block: int, title: str, interface: Interface) -> Program:
    """A function that runs steps of epochs, and returns the step it stopped before.

    `run(memory, thread, threads, begin, end, steps, batch, rows, stride, held)`: steps `begin` to `end`, of
    which each epoch has `steps`; `rows` examples in batches of `batch`, in the order that `order` has from
    the epoch's number times `stride` on; `held` examples for the evaluation. It stops early where the guard
    is not finite, and after an epoch where the patience is exhausted.

    The figures of an epoch are its totals, those of its evaluation, and the ticks that each of them took.
    """
    text = Text()
    step = Batch(plan, block, text, interface)
    step.depth = 3
    body = step.write("count")
    functions, held, trained = [], 0, sum(plan.graph.outputs[k].type.row_size for k in interface.totals)
    if evaluation is not None:
        totals = tuple(range(len(evaluation.graph.outputs)))
        weight = max(k for k, n in enumerate(evaluation.graph.inputs) if n.type.is_batched)
        given = Interface(
            totals=totals, in_order=True, weight=weight, lanes=interface.lanes, groups=interface.groups
        )
        held = sum(n.type.row_size for n in evaluation.graph.outputs)
        functions.append(_evaluate(Batch(evaluation, block, text, given, "held_"), given, trained))
    width = trained + held + 2
    for name, dtype in (("figures", "f64"), ("order", "i64"), ("arrived", "i64"), ("bounds", "i64")):
        text.declare(name, dtype)
    if interface.kept:
        text.declare("best", "f64")
        text.declare("kept", text.memory[plan.graph.names[interface.kept[0]]])
    lines = [
        "    mode = flush_subnormals()",
        "    gate = 0",
        f"    figures = {text.at('figures', '0', f'((end - 1) // steps + 1 - begin // steps) * {width}')}",
        f"    arrived = {text.at('arrived', '0', '1')}",
        *_data(step),
        *step.hoisted(),
        "    for epoch in range(begin // steps, (end - 1) // steps + 1):",
        f"        row = (epoch - begin // steps) * {width}",
        *(["        began = ticks()"] if evaluation is not None else []),
        "        for turn in range(max(begin, epoch * steps), min(end, (epoch + 1) * steps)):",
        "            at = (turn - epoch * steps) * batch",
        "            count = min(batch, rows - at)",
        *([] if interface.in_order else ["            at += epoch * stride"]),
        *body,
        *_totals(step, interface, 0, "            "),
        *(["        trained = ticks()"] if evaluation is not None else []),
        *_end_of_epoch(step, interface, evaluation, trained, text),
        *(_times(width) if evaluation is not None else []),
        *_stop(interface),
        "    restore_mode(mode)",
        "    return end",
    ]
    arguments = "memory, thread, threads, begin, end, steps, batch, rows, stride, held"
    functions.append(_function(f"run({arguments})", lines, "cache=True, **JIT"))
    rows = f"{block} rows" if interface.lanes == 1 else f"{block} groups of {interface.lanes} examples"
    made = _program(text, title, rows, "".join(functions))
    pieces = tuple(step.pieces)
    return replace(made, length=step.layout.length, pieces=pieces, width=width, functions=step.functions)


def _data(batch: Batch) -> list[str]:
    """Views of the whole data, from which rows are gathered."""
    if not batch.interface.is_copied:
        return []
    lines = []
    if not batch.interface.in_order:
        lines.append(f"    order = {batch.text.at('order', '0', 'rows + stride * ((end - 1) // steps)')}")
    for node, name in zip(batch.graph.inputs, batch.graph.names, strict=True):
        if node.type.is_batched:
            size = node.type.row_size // batch.interface.lanes
            lines.append(f"    {name} = {batch.text.at(name, '0', f'rows * {size}')}")
    return lines


def _totals(batch: Batch, interface: Interface, start: int, pad: str) -> list[str]:
    lines = []
    for k in interface.totals:
        node = batch.graph.outputs[k]
        name = batch.name(node)
        for j in range(node.type.row_size):
            lines.append(f"{pad}    figures[row + {start + j}] += {name}[{j}]")
        start += node.type.row_size
    return [f"{pad}if thread == 0:", *lines] if lines else []


def _evaluate(batch: Batch, interface: Interface, start: int) -> str:
    """The function of the evaluation, which all threads call after each epoch."""
    lines = batch.write("rows")
    lines += _totals(batch, interface, start, "    ")
    body = ["    at = 0", *_data(batch), *batch.hoisted(), *lines, "    return gate"]
    return _function("evaluate(memory, thread, threads, gate, arrived, figures, row, rows)", body, "**KERNEL")


def _end_of_epoch(
    step: Batch, interface: Interface, evaluation: Plan | None, trained: int, text: Text
) -> list[str]:
    if evaluation is None and not interface.kept:
        return []
    lines = ["        if (epoch + 1) * steps <= end:"]
    pad = " " * 12
    if evaluation is not None:
        lines.append(f"{pad}gate = evaluate(memory, thread, threads, gate, arrived, figures, row, held)")
    if interface.kept:
        first = trained if evaluation is not None else 0
        lines += [
            f"{pad}best = {text.at('best', '0', '6')}",
            f"{pad}if thread == 0:",
            f"{pad}    loss = figures[row + {first}] / figures[row + {first + 1}]",
            f"{pad}    best[2] += 1",
            f"{pad}    if loss < best[0] - best[3]:",
            *(f"{pad}        {line}" for line in _keeping(step, interface.kept)),
            f"{pad}        best[0] = loss",
            f"{pad}        best[1] = best[2]",
            f"{pad}    best[5] = best[4] > 0 and best[2] - best[1] >= best[4]",
            *([f"{pad}gate = meet(arrived, threads, gate)"] if step.is_shared else []),
        ]
    return lines


def _keeping(step: Batch, inputs: Sequence[int]) -> list[str]:
    """The lines that copy inputs to `kept`, one behind the other."""
    lines, start, text = [], 0, step.text
    for k in inputs:
        size = step.graph.inputs[k].type.row_size
        value = text.at(step.graph.names[k], "0", str(size))
        lines.append(f"copy({value}, {size}, {text.at('kept', str(start), str(size))})")
        start += size
    return lines


def _times(width: int) -> list[str]:
    """The ticks of the training and of the evaluation; without an evaluation all time is the training's."""
    return [
        "        if thread == 0:",
        f"            figures[row + {width - 2}] += trained - began",
        f"            figures[row + {width - 1}] += ticks() - trained",
    ]


def _stop(interface: Interface) -> list[str]:
    if not interface.kept:
        return []
    return [
        "        if (epoch + 1) * steps <= end and best[5] != 0:",
        "            restore_mode(mode)",
        "            return (epoch + 1) * steps",
    ]


def _function(head: str, lines: Sequence[str], decoration: str) -> str:
    return f"\n\n@njit({decoration})\ndef {head}:\n" + "\n".join(lines) + "\n"


def _program(text: Text, title: str, rows: str, functions: str) -> Program:
    kernels = "".join(
        f"\n\n@njit(**{options})\ndef {name}{body}" for (body, options), name in text.kernels.items()
    )
    code = kernels + functions
    imports = []
    for module, names in FROM.items():
        used = [n for n in names if f"{n}(" in code or (n.isupper() and f"**{n}" in code)]
        if used:
            imports.append(f"from {module} import {', '.join(used)}")
    table = ", ".join(f"{k} {name} {dtype}" for k, (name, dtype) in enumerate(text.memory.items()))
    head = HEADER.format(title=title, rows=rows, memory=table, imports="\n".join(imports))
    return Program(head + code, dict(text.memory), dict(text.work))
