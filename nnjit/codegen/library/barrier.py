"""The barrier at which the threads of one program wait for each other, as LLVM code.

Waiting threads spin, since the others usually arrive within microseconds. After a while they offer their core
to other programs.
"""

from __future__ import annotations

import ctypes
import os

import llvmlite.binding as llvm
from llvmlite import ir

from nnjit.codegen.numba.emit import call_external
from nnjit.codegen.numba.types import INDEX, Builder, LlvmModule, LlvmValue

BARRIER, YIELD = "nnjit_barrier", "nnjit_yield"
PATIENCE = 2000  # pauses, some 50 µs, before a waiting thread offers its core to others


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
    b.position_at_end(again)
    _pause(b)
    more = b.add(turns, INDEX(1))
    b.cbranch(b.icmp_signed(">", more, INDEX(PATIENCE)), tired, wait)
    b.position_at_end(tired)
    call_external(b, YIELD, ir.IntType(32), [])
    b.branch(wait)
    for value, block in ((INDEX(0), entry), (more, again), (more, tired)):
        turns.add_incoming(value, block)
    b.position_at_end(done)
    b.ret(target)


def call_barrier(builder: Builder, arrived: LlvmValue, threads: LlvmValue, phase: LlvmValue) -> LlvmValue:
    """Emit a call of the barrier."""
    return call_external(builder, BARRIER, INDEX, (arrived, threads, phase))


def offer_yield() -> None:
    """Tell LLVM the address of the system function that offers the core to other threads."""
    library = ctypes.WinDLL("kernel32") if os.name == "nt" else ctypes.CDLL(None)  # type: ignore[attr-defined]
    function = library.SwitchToThread if os.name == "nt" else library.sched_yield
    llvm.add_symbol(YIELD, ctypes.cast(function, ctypes.c_void_p).value)


def is_x86() -> bool:
    """Whether this process runs on an x86 processor."""
    triple: str = llvm.get_process_triple()
    return triple.startswith(("x86_64", "i386", "i686"))


def _pause(b: Builder) -> None:
    """Tell the core that this is a waiting loop."""
    if is_x86():
        call_external(b, "llvm.x86.sse2.pause", ir.VoidType(), [])
