"""Where threads of one program meet, as LLVM code; `library.py` compiles it once on a machine.

They spin, since the others are microseconds away, and offer their core after a while, since another program
may need it.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

from nnjit.codegen.numba.vectors import INDEX

MEET, YIELD = "nnjit_meet", "nnjit_yield"
MEETING = ir.FunctionType(INDEX, [INDEX.as_pointer(), INDEX, INDEX])
PATIENCE = 2000  # pauses, some 50 µs, before a waiting thread offers its core to others


def emit_meeting(module: Any) -> None:
    """Add to `module` the function `i64 nnjit_meet(i64* arrived, i64 threads, i64 gate)`.

    It returns `gate + threads` as soon as so many arrivals have been counted.
    """
    function = ir.Function(module, MEETING, MEET)
    arrived, threads, gate = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    target = b.add(gate, threads)
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
    _pause(module, b)
    more = b.add(turns, INDEX(1))
    b.cbranch(b.icmp_signed(">", more, INDEX(PATIENCE)), tired, wait)
    b.position_at_end(tired)
    b.call(cgutils.get_or_insert_function(module, ir.FunctionType(ir.IntType(32), []), YIELD), [])
    b.branch(wait)
    for value, block in ((INDEX(0), entry), (more, again), (more, tired)):
        turns.add_incoming(value, block)
    b.position_at_end(done)
    b.ret(target)


def offer_yield() -> None:
    """Tell LLVM the address of the system's function that offers the core to other threads."""
    library = ctypes.WinDLL("kernel32") if os.name == "nt" else ctypes.CDLL(None)  # type: ignore[attr-defined]
    function = library.SwitchToThread if os.name == "nt" else library.sched_yield
    llvm.add_symbol(YIELD, ctypes.cast(function, ctypes.c_void_p).value)


def is_x86() -> bool:
    """Whether this process runs on an x86 processor."""
    triple: str = llvm.get_process_triple()
    return triple.startswith(("x86_64", "i386", "i686"))


def _pause(module: Any, b: Any) -> None:
    """Tell the core that this is a loop of waiting."""
    if is_x86():
        b.call(
            cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause"),
            [],
        )
