"""Write a whole program: the kernels, and the native function that runs them once or epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnjit.codegen.code import Program
from nnjit.codegen.library.barrier import MEETING
from nnjit.codegen.library.rank_table import RankTable
from nnjit.codegen.maths import MATHS
from nnjit.codegen.plan.kernels import Plan
from nnjit.codegen.source.batch import WAIT, Batch
from nnjit.codegen.source.layouts import BestEpoch, EpochTotals, Interface
from nnjit.codegen.source.lines import Lines, divided
from nnjit.codegen.source.routines import ROUTINES
from nnjit.codegen.source.sums.over_ranks import TABLE
from nnjit.codegen.source.views import Text
from nnjit.ir import Node
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
    "nnjit.codegen.runtime.all_reduce": ("all_reduce",),
    "nnjit.codegen.runtime.blas": ("blas_gemm", "blas_gemm_slice"),
    "nnjit.codegen.runtime.lapack": tuple(r.function for p, r in ROUTINES.items() if p is not argsort),
    "nnjit.codegen.maths": tuple(MATHS),
    "nnjit.codegen.runtime.elements": ("copy", "fill", "gather", "inside", "is_finite", "repeat_last"),
    "nnjit.codegen.runtime.products": (
        "gemm", "gemm_each", "gemm_slice", "lane_product", "lane_spread", "lane_weights",
    ),
    "nnjit.codegen.runtime.views": (
        "JIT", "KERNEL", "ROWS", "b1_at", "f32_at", "f64_at", "i32_at", "i64_at", "part", "u32_at",
    ),
    "nnjit.codegen.runtime.sorting": (ROUTINES[argsort].function,),
    "nnjit.codegen.runtime.threads": (
        "add_up", "add_up_lanes", "assemble", "flush_subnormals", "restore_mode", "rows_before", "ticks",
        "wait_at_barrier",
    ),
}  # fmt: skip

EVALUATED = "memory, thread, threads, shares, phase, meeting, totals, row"


def emit_call(plan: Plan, block: int, title: str) -> Program:
    """Write a function `run(memory, rows)` that evaluates the graph once, over all rows.

    If an operation can fail, it returns the number of the failure, 0 for none.
    """
    text = Text()
    batch = Batch(plan, block, text, None)
    written = batch.write("rows")
    body = Lines("at = 0")
    body.include(batch.hoisted())
    body.include(written)
    if batch.can_fail:
        body.add("return failed")
    program = _program(text, title, f"{block} rows", _function("run", "memory, rows", body, text, "**JIT"))
    return replace(program, functions=batch.functions)


def emit_epochs(plan: Plan, evaluation: Plan | None, block: int, title: str, interface: Interface) -> Program:
    """Write a function that runs steps of epochs and returns the step it stopped before.

    `run(memory, thread, threads, shares, begin, end, steps, batch, rows, stride, held_out)` runs the steps
    from `begin` to `end`, divided into `shares`; thread `thread` of `threads` takes every `threads`-th share.
    An epoch has `steps` steps. It takes `rows` examples in batches of `batch`, in the order that begins in
    `order` at the epoch's number times `stride`, and `held_out` examples for the evaluation. The function
    stops early if the guard is not finite, and after an epoch in which the patience is exhausted. If threads
    share the step, it also stops after its deadline (`Meeting`), and then returns the negative of the step.
    """
    return _Epochs(plan, evaluation, block, interface).write(title)


class _Epochs:
    """Writes a program of epochs."""

    def __init__(self, plan: Plan, evaluation: Plan | None, block: int, interface: Interface) -> None:
        self.interface, self.block, self.text = interface, block, Text()
        self.step = Batch(plan, block, self.text, interface)
        self.body = self.step.write("count")
        self.evaluation: Batch | None = None
        self.totals = EpochTotals(_size(interface.totals_of(plan.graph)))
        if evaluation is not None:
            of_all = Interface(
                totals=len(evaluation.graph.outputs), in_order=True, weight=interface.evaluation_weight,
                lanes=interface.lanes, groups=interface.groups, has_ranks=interface.has_ranks,
            )  # fmt: skip
            self.totals = EpochTotals(self.totals.step, _size(evaluation.graph.outputs))
            self.evaluation = Batch(evaluation, block, self.text, of_all, "held_out_")

    def write(self, title: str) -> Program:
        functions = self._evaluate(self.evaluation) if self.evaluation is not None else ""
        self._declare()
        lines = Lines("mode = flush_subnormals()", "phase = 0")
        epochs = "((end - 1) // steps + 1 - begin // steps)"
        lines.add(f"totals = {self.text.at('totals', '0', f'{epochs} * {self.totals.width}')}")
        lines.add(f"meeting = {self.text.at('meeting', '0', str(MEETING.size))}")
        if self.step.is_shared:
            lines.add("threads = assemble(meeting, thread, threads)")
            with lines.block("if threads == 0:"):
                lines.add("restore_mode(mode)", "return begin")
        lines.include(_data(self.step))
        lines.include(self.step.hoisted())
        if self.interface.has_ranks:
            lines.add(_ranks(self.text))
        with lines.block("for epoch in range(begin // steps, (end - 1) // steps + 1):"):
            lines.include(self._epoch())
        lines.add("restore_mode(mode)", "return end")
        arguments = "memory, thread, threads, shares, begin, end, steps, batch, rows, stride, held_out"
        functions += _function("run", arguments, lines, self.text, "**JIT")
        lanes = self.interface.lanes
        rows = f"{self.block} rows" if lanes == 1 else f"{self.block} groups of {lanes} examples"
        step = self.step
        return replace(
            _program(self.text, title, rows, functions), length=step.layout.length,
            pieces=tuple(step.pieces), totals=self.totals, functions=step.functions,
            watched=tuple(step.views.place(n) for n in self.interface.watched_of(step.graph)),
            reductions=(*step.reductions, *(self.evaluation.reductions if self.evaluation else ())),
        )  # fmt: skip

    def _declare(self) -> None:
        for name, dtype in (("totals", "f64"), ("order", "i64"), ("meeting", "i64"), ("bounds", "i64")):
            self.text.declare(name, dtype)
        if self.interface.partners:
            self.text.declare("partners", "i64")
        if self.interface.kept:
            self.text.declare("best", "f64")
            self.text.declare("kept", self.text.memory[self.interface.kept[0]])

    def _epoch(self) -> Lines:
        """The steps of an epoch, and the lines after the last one."""
        lines, is_timed = Lines(), self.evaluation is not None
        lines.add(f"row = (epoch - begin // steps) * {self.totals.width}")
        if is_timed:
            lines.add("began = ticks()")
        with lines.block("for turn in range(max(begin, epoch * steps), min(end, (epoch + 1) * steps)):"):
            if self.step.is_shared:
                lines.include(_stopping())
            lines.add("at = (turn - epoch * steps) * batch", "count = min(batch, rows - at)")
            if not self.interface.in_order:
                lines.add("at += epoch * stride")
            lines.include(_slice_of_rank(self.step))
            lines.include(self.body)
            lines.include(_totals(self.step, 0))
        if is_timed:
            lines.add("trained = ticks()")
        if is_timed or self.interface.kept:
            with lines.block("if (epoch + 1) * steps <= end:"):
                lines.include(self._end_of_epoch())
        if is_timed:  # without an evaluation, training takes all the time
            with lines.block("if thread == 0:"):
                lines.add(f"totals[row + {self.totals.training_ticks}] += trained - began")
                lines.add(f"totals[row + {self.totals.evaluation_ticks}] += ticks() - trained")
        if self.interface.kept:
            with lines.block(f"if (epoch + 1) * steps <= end and {BestEpoch.at('is_exhausted')} != 0:"):
                lines.add("restore_mode(mode)", "return (epoch + 1) * steps")
        return lines

    def _end_of_epoch(self) -> Lines:
        """The evaluation, and the comparison with the best epoch so far."""
        lines = Lines()
        if self.evaluation is not None:
            lines.add(f"phase = evaluate({EVALUATED}, held_out)")
        if not self.interface.kept:
            return lines
        loss, epoch, done, min_delta, patience, is_exhausted = map(
            BestEpoch.at, ("loss", "epoch", "done", "min_delta", "patience", "is_exhausted")
        )
        first = self.totals.first_of_evaluation if self.evaluation is not None else 0
        lines.add(f"best = {self.text.at('best', '0', str(BestEpoch.size()))}")
        with lines.block("if thread == 0:"):
            lines.add(f"loss = totals[row + {first}] / totals[row + {first + 1}]", f"{done} += 1")
            with lines.block(f"if loss < {loss} - {min_delta}:"):
                lines.include(self._keeping())
                lines.add(f"{loss} = loss", f"{epoch} = {done}")
            lines.add(f"{is_exhausted} = {patience} > 0 and {done} - {epoch} >= {patience}")
        if self.step.is_shared:
            lines.add(WAIT)
        return lines

    def _keeping(self) -> Lines:
        """Copies of inputs to `kept`, one after the other."""
        lines, start = Lines(), 0
        for name in self.interface.kept:
            size = self.step.graph.input(name).type.row_size
            value, target = self.text.at(name, "0", str(size)), self.text.at("kept", str(start), str(size))
            lines.add(f"copy({value}, {size}, {target})")
            start += size
        return lines

    def _evaluate(self, batch: Batch) -> str:
        """The function of the evaluation, which all threads call after each epoch."""
        written = batch.write("count" if self.interface.has_ranks else "rows")
        totals = _totals(batch, self.totals.first_of_evaluation)
        lines = Lines("at = 0")
        lines.include(_data(batch))
        lines.include(batch.hoisted())
        if self.interface.has_ranks:
            lines.add("count = rows", _ranks(self.text))
            lines.include(_slice_of_rank(batch))
        lines.include(written)
        lines.include(totals)
        lines.add("return phase")
        return _function("evaluate", f"{EVALUATED}, rows", lines, self.text, "**KERNEL")


def _stopping() -> Lines:
    """Stop all threads before the same step, the second after the deadline, which the first thread checks."""
    lines = Lines()
    with lines.block(f"if turn == meeting[{MEETING.stop}]:"):
        lines.add("restore_mode(mode)", "return -turn")
    with lines.block(f"if thread == 0 and ticks() > meeting[{MEETING.deadline}]:"):
        lines.add(f"meeting[{MEETING.stop}] = turn + 1")
    return lines


def _ranks(text: Text) -> str:
    """The line that makes the view of the table of ranks."""
    text.declare(TABLE, "i64")
    return f"{TABLE} = {text.at(TABLE, '0', str(len(RankTable._fields)))}"


def _slice_of_rank(batch: Batch) -> Lines:
    """Take this rank's slice of a batch, in whole groups if rows are groups.

    `ahead` is the number of rows, or groups, of the ranks before it: random numbers are counted from there.
    """
    if not batch.interface.has_ranks:
        return Lines()
    lanes = batch.interface.lanes
    rank, ranks = (f"{TABLE}[{RankTable.place(field)}]" for field in ("rank", "ranks"))
    rows, times = ("count", "") if lanes == 1 else (f"(count + {lanes - 1}) // {lanes}", f" * {lanes}")
    return Lines(
        f"ahead = {rows} * {rank} // {ranks}",
        f"last = {rows} * ({rank} + 1) // {ranks}",
        f"skipped = min(count, ahead{times})",
        "at += skipped",
        f"count = min(count, last{times}) - skipped",
    )


def _size(outputs: Sequence[Node]) -> int:
    return sum(n.type.row_size for n in outputs)


def _data(batch: Batch) -> Lines:
    """Views of the whole data, from which rows are gathered."""
    lines = Lines()
    if not batch.interface.is_copied:
        return lines
    orders = () if batch.interface.in_order else ("order", "partners")[: 1 + bool(batch.interface.partners)]
    for name in orders:
        lines.add(f"{name} = {batch.text.at(name, '0', 'rows + stride * ((end - 1) // steps)')}")
    for node, name in zip(batch.graph.inputs, batch.graph.names, strict=True):
        if node.type.is_batched:
            size = node.type.row_size // batch.interface.lanes
            lines.add(f"{name} = {batch.text.at(name, '0', f'rows * {size}')}")
    return lines


def _totals(batch: Batch, start: int) -> Lines:
    """Add a batch's totals to those of its epoch, from column `start` on."""
    added = Lines()
    for node in batch.interface.totals_of(batch.graph):
        name = batch.name(node)
        added.add(*(f"totals[row + {start + j}] += {name}[{j}]" for j in range(node.type.row_size)))
        start += node.type.row_size
    lines = Lines()
    if added:
        with lines.block("if thread == 0:"):
            lines.include(added)
    return lines


def _function(name: str, arguments: str, lines: Lines, text: Text, decoration: str) -> str:
    whole = Lines()
    with whole.block(f"def {name}({arguments}):"):
        whole.include(divided(arguments.split(", "), lines, text.kernel))
    return f"\n\n@njit({decoration})\n{whole}\n"


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
    return Program(head + code, dict(text.memory), dict(text.work), frozenset(text.each_threads))
