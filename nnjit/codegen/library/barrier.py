"""Emit the meeting points of a program's threads as LLVM code: its start, and its barriers.

Waiting threads spin, since the others usually arrive within microseconds. After a while they yield their core
to other programs.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from nnjit.codegen.library.clock import is_arm, is_x86, read_ticks
from nnjit.codegen.numba.emit import call_external
from nnjit.codegen.numba.types import INDEX, Builder, LlvmBlock, LlvmModule, LlvmValue

BARRIER, ASSEMBLE, YIELD = "nnjit_barrier", "nnjit_assemble", "nnjit_yield"
PATIENCE = 2000  # pauses (about 50 µs) before a waiting thread yields its core


class Meeting(NamedTuple):
    """The state that the threads of a call share: positions in an i64 array, each in its own cache line.

    Args:
        arrived: how often threads have reached a barrier.
        deadline: in ticks; a step that begins later is the last of the call.
        start: in ticks; until then the first thread waits for all others before it begins alone.
        stop: the step before which the call stops because of the deadline; -1 until it is known.
        ready: how many other threads have arrived.
        begun: how many threads have begun; 0 until then.
    """

    arrived: int = 0
    deadline: int = 8
    start: int = 9
    stop: int = 16
    ready: int = 24
    begun: int = 32

    @property
    def size(self) -> int:
        """The number of elements of the array."""
        return self.begun + 1

    def array(self, *, start: int, deadline: int) -> np.ndarray:
        """Return the array for a new call."""
        array = np.zeros(self.size, np.int64)
        array[[self.start, self.deadline, self.stop]] = start, deadline, -1
        return array


MEETING = Meeting()


def emit_assembly(module: LlvmModule) -> None:
    """Add to `module` the function `i64 nnjit_assemble(i64* meeting, i64 thread, i64 threads)`.

    It returns how many threads begin: all of them, or the first alone if the others are late; 0 to a thread
    that is too late. A system under load may not run a thread for many milliseconds.
    """
    function = ir.Function(module, ir.FunctionType(INDEX, [INDEX.as_pointer(), INDEX, INDEX]), ASSEMBLE)
    meeting, thread, threads = function.args
    blocks = ("entry", "look", "look_again", "begin", "come", "wait", "again", "tired", "done")
    entry, look, look_again, begin, come, wait, again, tired, done = map(function.append_basic_block, blocks)
    b = ir.IRBuilder(entry)
    ready, begun, start = (b.gep(meeting, [INDEX(k)]) for k in (MEETING.ready, MEETING.begun, MEETING.start))
    b.cbranch(b.icmp_signed("==", thread, INDEX(0)), look, come)
    b.position_at_end(look)
    are_all = b.icmp_signed("==", b.load_atomic(ready, "acquire", 8), b.sub(threads, INDEX(1)))
    is_over = b.icmp_signed(">", read_ticks(b), b.load(start))
    b.cbranch(b.or_(are_all, is_over), begin, look_again)
    b.position_at_end(look_again)
    _pause(b)
    b.branch(look)
    b.position_at_end(begin)
    count = b.select(are_all, threads, INDEX(1))
    b.store_atomic(count, begun, "release", 8)
    b.ret(count)
    b.position_at_end(come)
    b.atomic_rmw("add", ready, INDEX(1), "seq_cst")
    b.branch(wait)
    b.position_at_end(wait)
    turns, found = b.phi(INDEX), b.load_atomic(begun, "acquire", 8)
    b.cbranch(b.icmp_signed("==", found, INDEX(0)), again, done)
    _wait_again(b, turns, come, (wait, again, tired))
    b.position_at_end(done)
    b.ret(b.select(b.icmp_signed("==", found, threads), threads, INDEX(0)))


def call_assembly(builder: Builder, meeting: LlvmValue, thread: LlvmValue, threads: LlvmValue) -> LlvmValue:
    """Emit a call of `nnjit_assemble`."""
    return call_external(builder, ASSEMBLE, INDEX, (meeting, thread, threads))


def emit_barrier(module: LlvmModule) -> None:
    """Add to `module` the function `i64 nnjit_barrier(i64* arrived, i64 threads, i64 phase)`.

    It counts an arrival, waits until `phase + threads` arrivals have been counted, and returns that number:
    the `phase` of the next call.
    """
    kind = ir.FunctionType(INDEX, [INDEX.as_pointer(), INDEX, INDEX])
    function = ir.Function(module, kind, BARRIER)
    arrived, threads, phase = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    target = b.add(phase, threads)
    wait, again, tired = (function.append_basic_block(name) for name in ("wait", "again", "tired"))
    done = function.append_basic_block("done")
    last = b.atomic_rmw("add", arrived, INDEX(1), "seq_cst")
    b.cbranch(b.icmp_signed(">=", b.add(last, INDEX(1)), target), done, wait)
    entry = b.block
    b.position_at_end(wait)
    turns = b.phi(INDEX)
    count = b.load_atomic(arrived, "acquire", 8)
    b.cbranch(b.icmp_signed(">=", count, target), done, again)
    _wait_again(b, turns, entry, (wait, again, tired))
    b.position_at_end(done)
    b.ret(target)


def call_barrier(builder: Builder, arrived: LlvmValue, threads: LlvmValue, phase: LlvmValue) -> LlvmValue:
    """Emit a call of the barrier."""
    return call_external(builder, BARRIER, INDEX, (arrived, threads, phase))


def offer_yield() -> None:
    """Tell LLVM the address of the system function that yields the core to other threads."""
    library = ctypes.WinDLL("kernel32") if os.name == "nt" else ctypes.CDLL(None)  # type: ignore[attr-defined]  # WinDLL is on Windows alone
    function = library.SwitchToThread if os.name == "nt" else library.sched_yield
    llvm.add_symbol(YIELD, ctypes.cast(function, ctypes.c_void_p).value)


def _wait_again(b: Builder, turns: LlvmValue, entry: LlvmBlock, blocks: Sequence[LlvmBlock]) -> None:
    """Pause and branch back to `wait`, the first of the blocks; `turns` counts the pauses."""
    wait, again, tired = blocks
    b.position_at_end(again)
    _pause(b)
    more = b.add(turns, INDEX(1))
    b.cbranch(b.icmp_signed(">", more, INDEX(PATIENCE)), tired, wait)
    b.position_at_end(tired)
    call_external(b, YIELD, ir.IntType(32), [])
    b.branch(wait)
    for value, block in ((INDEX(0), entry), (more, again), (more, tired)):
        turns.add_incoming(value, block)


def _pause(b: Builder) -> None:
    """Tell the core that this is a spin loop."""
    if is_x86():
        call_external(b, "llvm.x86.sse2.pause", ir.VoidType(), [])
    elif is_arm():  # `yield` does nothing on most of them; emptying the pipeline takes about 10 ns
        call_external(b, "llvm.aarch64.isb", ir.VoidType(), [ir.IntType(32)(15)])
