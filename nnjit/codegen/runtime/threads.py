"""Run one program on several threads: the team, its barrier, slices and sums; a processor mode and a clock.

The threads are Python's, each in one native call without the GIL. Numba's `parallel=True` would take several
times as long to compile, and its threads neither survive a fork nor meet in 50 ns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnjit.codegen.library.barrier import MEETING, call_assembly, call_barrier
from nnjit.codegen.library.clock import is_x86, read_ticks
from nnjit.codegen.library.vector_loops import WIDTH, call_add_up
from nnjit.codegen.numba.emit import BYTES, call_external, on_stack, slot_for
from nnjit.codegen.numba.types import (
    INDEX,
    Builder,
    Intrinsic,
    LlvmValue,
    NumbaType,
    Signature,
    TargetContext,
    TypingContext,
)
from nnjit.codegen.runtime.tuner import ThreadTuner
from nnjit.codegen.runtime.views import IS_PLAIN, pointer_of

FLUSH = 0x8040  # bits of the x86 control register MXCSR that treat subnormal results and arguments as zero
_ONE_BY_ONE = threading.Lock()


class ThreadTeam:
    """Threads that run a program together; thread 0 is the caller. A context manager.

    How many of them run is decided for each call by how long the last calls took. The result depends only on
    the number of shares.

    Args:
        shares: the number of parts that the program divides its work into, and the most threads.
    """

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self.tuner = ThreadTuner(shares)
        self._others = ThreadPoolExecutor(shares - 1, "nnjit") if shares > 1 else None

    def __enter__(self) -> Self:
        if self._others is not None:
            try:
                all_run = threading.Barrier(self.shares)
                waits = [self._others.submit(all_run.wait) for _ in range(self.shares - 1)]
                all_run.wait()
                for wait in waits:
                    wait.result()
            except RuntimeError:  # no more threads can start; some would wait for the others for ever
                all_run.abort()
                self.tuner = ThreadTuner(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._others is not None:
            self._others.shutdown()

    def run(self, function: Callable[[int, int], int], threads: int) -> int:
        """Return the result of `function(thread, threads)` for thread 0, after all threads have returned."""
        if threads == 1 or self._others is None:
            return function(0, 1)
        others = [self._others.submit(function, k, threads) for k in range(1, threads)]
        result = function(0, threads)
        for other in others:
            if not other.cancel():  # the first thread has not begun without it
                other.result()
        return result


def _assemble_plain(meeting: np.ndarray, thread: int, threads: int) -> int:
    if thread == 0:
        while meeting[MEETING.ready] < threads - 1 and time.perf_counter_ns() <= meeting[MEETING.start]:
            time.sleep(0)
        meeting[MEETING.begun] = threads if meeting[MEETING.ready] == threads - 1 else 1
        return int(meeting[MEETING.begun])
    with _ONE_BY_ONE:
        meeting[MEETING.ready] += 1
    while meeting[MEETING.begun] == 0:
        time.sleep(0)
    return threads if meeting[MEETING.begun] == threads else 0


def _wait_plain(meeting: np.ndarray, threads: int, phase: int) -> int:
    with _ONE_BY_ONE:
        meeting[MEETING.arrived] += 1
    while meeting[MEETING.arrived] < phase + threads:
        time.sleep(0)
    return phase + threads


@intrinsic
def _assemble_native(
    typingctx: TypingContext, meeting: NumbaType, thread: NumbaType, threads: NumbaType
) -> Intrinsic:
    """Begin with all threads that have arrived; return their number, or 0 if this one is too late."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        return call_assembly(builder, pointer_of(context, builder, meeting, args[0]), args[1], args[2])

    return types.intp(meeting, types.intp, types.intp), build


@intrinsic
def _wait_native(
    typingctx: TypingContext, meeting: NumbaType, threads: NumbaType, phase: NumbaType
) -> Intrinsic:
    """Wait until all threads have arrived here as often as this one; return the next phase."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        arrived = builder.gep(pointer_of(context, builder, meeting, args[0]), [INDEX(MEETING.arrived)])
        return call_barrier(builder, arrived, args[1], args[2])

    return types.intp(meeting, types.intp, types.intp), build


def _control(builder: Builder, name: str, slot: LlvmValue) -> None:
    """Read or write the control register MXCSR."""
    call_external(builder, name, ir.VoidType(), [builder.bitcast(slot, BYTES)])


@intrinsic
def _flush_native(typingctx: TypingContext) -> Intrinsic:
    """On x86, make this thread treat subnormal numbers as zero; return its previous mode."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        if not is_x86():
            return ir.Constant(ir.IntType(32), 0)
        slot = slot_for(builder, ir.IntType(32))
        _control(builder, "llvm.x86.sse.stmxcsr", slot)
        mode = builder.load(slot)
        builder.store(builder.or_(mode, ir.Constant(ir.IntType(32), FLUSH)), slot)
        _control(builder, "llvm.x86.sse.ldmxcsr", slot)
        return mode

    return types.int32(), build


@intrinsic
def _restore_native(typingctx: TypingContext, mode: NumbaType) -> Intrinsic:
    """Restore the mode that `flush_subnormals` returned."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        if is_x86():
            _control(builder, "llvm.x86.sse.ldmxcsr", on_stack(builder, args[0]))
        return context.get_dummy_value()

    return types.void(types.int32), build


@intrinsic
def _ticks_native(typingctx: TypingContext) -> Intrinsic:
    """Return the time in ticks of `library.clock`."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        return read_ticks(builder)

    return types.int64(), build


def _rows_before_plain(bound: int, offset: int, rows: int, columns: int) -> int:
    return min(max(-((offset - bound) // columns), 0), rows)


@intrinsic
def _rows_before_native(
    typingctx: TypingContext, bound: NumbaType, offset: NumbaType, rows: NumbaType, columns: NumbaType
) -> Intrinsic:
    """Return how many rows begin before element `bound`, for a matrix at `offset` of a vector."""

    def build(
        context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
    ) -> LlvmValue:
        bound, offset, rows, columns = args
        more = builder.sub(builder.add(builder.sub(bound, offset), columns), INDEX(1))
        more = builder.select(builder.icmp_signed("<", more, INDEX(0)), INDEX(0), more)
        count = builder.sdiv(more, columns)
        return builder.select(builder.icmp_signed("<", count, rows), count, rows)

    return types.intp(*(types.intp,) * 4), build


def _add_up_plain(shares: int, stride: int, low: int, high: int, sums: np.ndarray, total: np.ndarray) -> None:
    parts = [sums[k * stride + low : k * stride + high] for k in range(shares)]
    total[low:high] = sum(parts[1:], parts[0])


def _add_up_lanes_plain(
    shares: int, stride: int, low: int, high: int, sums: np.ndarray, total: np.ndarray
) -> None:
    lanes = WIDTH // total.itemsize
    parts = [sums[k * stride + low * lanes : k * stride + high * lanes] for k in range(shares)]
    total[low:high] = sum(parts[1:], parts[0]).reshape(-1, lanes).sum(axis=1)


def _make_add_up(what: str) -> Any:
    @intrinsic
    def add_up(
        typingctx: TypingContext,
        shares: NumbaType,
        stride: NumbaType,
        low: NumbaType,
        high: NumbaType,
        sums: NumbaType,
        total: NumbaType,
    ) -> Intrinsic:
        """Sum elements `low` to `high` of all shares' parts, in the order of the shares."""

        def build(
            context: TargetContext, builder: Builder, signature: Signature, args: Sequence[LlvmValue]
        ) -> LlvmValue:
            parts, out = (pointer_of(context, builder, signature.args[k], args[k]) for k in (4, 5))
            call_add_up(builder, what, args[:4], parts, out)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 4, sums, total), build

    return add_up


if IS_PLAIN:
    rows_before, ticks = _rows_before_plain, time.perf_counter_ns
    assemble, wait_at_barrier = _assemble_plain, _wait_plain
    add_up, add_up_lanes = _add_up_plain, _add_up_lanes_plain

    def flush_subnormals() -> int:
        """Do nothing: NumPy keeps subnormal numbers."""
        return 0

    def restore_mode(mode: int) -> None:
        """Nothing."""
else:
    rows_before, ticks = _rows_before_native, _ticks_native
    assemble, wait_at_barrier = _assemble_native, _wait_native
    add_up, add_up_lanes = _make_add_up("add_up"), _make_add_up("add_up_lanes")
    flush_subnormals, restore_mode = _flush_native, _restore_native
