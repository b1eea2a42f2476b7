"""What threads that run one program need: where they meet, a mode of the processor, a clock, and the crew.

Threads are Python's, each in one native call without the GIL. `parallel=True` would compile several times
as long, and its own threads neither survive a fork nor meet in 50 ns.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nnjit.codegen.library.barrier import MEET, MEETING, is_x86
from nnjit.codegen.library.vector_loops import WIDTH, call_add_up
from nnjit.codegen.numba.vectors import INDEX
from nnjit.codegen.runtime.views import IS_PLAIN, pointer_of

FLUSH = 0x8040  # of the x86 control register MXCSR: results and arguments that are subnormal count as zero
_ONE_BY_ONE = threading.Lock()


class ThreadTeam:
    """Threads that run one function together, thread 0 being the caller; a context manager.

    Fewer than asked for where the system gives no more: all must run at once, or they would wait for ever.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(threads - 1, "nnjit") if threads > 1 else None

    def __enter__(self) -> Self:
        if self._others is not None:
            try:
                gate = threading.Barrier(self.threads)
                waits = [self._others.submit(gate.wait) for _ in range(self.threads - 1)]
                gate.wait()
                for wait in waits:
                    wait.result()
            except RuntimeError:  # no more threads can be started
                gate.abort()
                self.threads = 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._others is not None:
            self._others.shutdown()

    def run(self, function: Callable[[int, int], int]) -> int:
        """The result of `function(thread, threads)` of thread 0, when all have returned."""
        if self.threads == 1 or self._others is None:
            return function(0, 1)
        others = [self._others.submit(function, k, self.threads) for k in range(1, self.threads)]
        result = function(0, self.threads)
        for other in others:
            other.result()
        return result


def _meet_plain(arrived: np.ndarray, threads: int, gate: int) -> int:
    with _ONE_BY_ONE:
        arrived[0] += 1
    while arrived[0] < gate + threads:
        time.sleep(0)
    return gate + threads


@intrinsic
def _meet_native(typingctx: Any, arrived: Any, threads: Any, gate: Any) -> Any:
    """Wait until all threads have come here as often as this one, and return the next gate."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = cgutils.get_or_insert_function(builder.module, MEETING, MEET)
        return builder.call(function, [pointer_of(context, builder, arrived, args[0]), args[1], args[2]])

    return types.intp(arrived, types.intp, types.intp), build


def _control(builder: Any, name: str, slot: Any) -> None:
    pointer = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [pointer]), name)
    builder.call(function, [builder.bitcast(slot, pointer)])


@intrinsic
def _flush_native(typingctx: Any) -> Any:
    """Have this thread take subnormal numbers for zero, and return its former mode (on x86)."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if not is_x86():
            return ir.Constant(ir.IntType(32), 0)
        slot = cgutils.alloca_once(builder, ir.IntType(32))
        _control(builder, "llvm.x86.sse.stmxcsr", slot)
        mode = builder.load(slot)
        builder.store(builder.or_(mode, ir.Constant(ir.IntType(32), FLUSH)), slot)
        _control(builder, "llvm.x86.sse.ldmxcsr", slot)
        return mode

    return types.int32(), build


@intrinsic
def _restore_native(typingctx: Any, mode: Any) -> Any:
    """Go back to the mode that `flush_subnormals` returned."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if is_x86():
            slot = cgutils.alloca_once(builder, ir.IntType(32))
            builder.store(args[0], slot)
            _control(builder, "llvm.x86.sse.ldmxcsr", slot)
        return context.get_dummy_value()

    return types.void(types.int32), build


@intrinsic
def _ticks_native(typingctx: Any) -> Any:
    """A clock of unknown, constant rate; 0 where the processor has none that LLVM knows."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if not is_x86():
            return INDEX(0)
        kind = ir.FunctionType(INDEX, [])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.readcyclecounter"), [])

    return types.int64(), build


def _share_plain(bound: int, offset: int, rows: int, columns: int) -> int:
    return min(max(-((offset - bound) // columns), 0), rows)


@intrinsic
def _share_native(typingctx: Any, bound: Any, offset: Any, rows: Any, columns: Any) -> Any:
    """How many rows of a matrix, which begins at `offset` in a vector, begin before the element `bound`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bound, offset, rows, columns = args
        more = builder.sub(builder.add(builder.sub(bound, offset), columns), INDEX(1))
        more = builder.select(builder.icmp_signed("<", more, INDEX(0)), INDEX(0), more)
        count = builder.sdiv(more, columns)
        return builder.select(builder.icmp_signed("<", count, rows), count, rows)

    return types.intp(*(types.intp,) * 4), build


def _add_up_plain(
    threads: int, stride: int, low: int, high: int, sums: np.ndarray, total: np.ndarray
) -> None:
    parts = [sums[k * stride + low : k * stride + high] for k in range(threads)]
    total[low:high] = sum(parts[1:], parts[0])


def _add_up_lanes_plain(
    threads: int, stride: int, low: int, high: int, sums: np.ndarray, total: np.ndarray
) -> None:
    lanes = WIDTH // total.itemsize
    parts = [sums[k * stride + low * lanes : k * stride + high * lanes] for k in range(threads)]
    total[low:high] = sum(parts[1:], parts[0]).reshape(-1, lanes).sum(axis=1)


def _make_add_up(what: str) -> Any:
    @intrinsic
    def add_up(typingctx: Any, threads: Any, stride: Any, low: Any, high: Any, sums: Any, total: Any) -> Any:
        """Elements `low` to `high` of all threads' parts of a sum, together in the order of the threads."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            parts, out = (pointer_of(context, builder, signature.args[k], args[k]) for k in (4, 5))
            call_add_up(builder, what, args[:4], parts, out)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * 4, sums, total), build

    return add_up


if IS_PLAIN:
    share, meet, ticks = _share_plain, _meet_plain, time.perf_counter_ns
    add_up, add_up_lanes = _add_up_plain, _add_up_lanes_plain

    def flush_subnormals() -> int:
        """Nothing: NumPy keeps subnormal numbers."""
        return 0

    def restore_mode(mode: int) -> None:
        """Nothing."""
else:
    share, meet, ticks = _share_native, _meet_native, _ticks_native
    add_up, add_up_lanes = _make_add_up("add_up"), _make_add_up("add_up_lanes")
    flush_subnormals, restore_mode = _flush_native, _restore_native
