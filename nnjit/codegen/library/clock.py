"""Read the processor's clock in LLVM code, and measure its constant rate of ticks."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass, field

import llvmlite.binding as llvm
from llvmlite import ir

from nnjit.codegen.numba.emit import call_external
from nnjit.codegen.numba.types import INDEX, Builder, LlvmModule, LlvmValue

TICKS = "nnjit_ticks"


def emit_ticks(module: LlvmModule) -> None:
    """Add to `module` the function `i64 nnjit_ticks()`."""
    function = ir.Function(module, ir.FunctionType(INDEX, []), TICKS)
    b = ir.IRBuilder(function.append_basic_block("entry"))
    b.ret(read_ticks(b))


def read_ticks(builder: Builder) -> LlvmValue:
    """Emit the time in ticks; 0 on processors other than x86 and AArch64."""
    if is_x86():
        return call_external(builder, "llvm.readcyclecounter", INDEX, [])
    if is_arm():  # programs may not read the cycle counter
        counter = builder.module.add_metadata(["cntvct_el0"])
        return call_external(builder, "llvm.read_volatile_register.i64", INDEX, [counter])
    return INDEX(0)


def is_x86() -> bool:
    """Whether this process runs on an x86 processor."""
    triple: str = llvm.get_process_triple()
    return triple.startswith(("x86_64", "i386", "i686"))


def is_arm() -> bool:
    """Whether this process runs on a 64-bit ARM processor, all of which have the vectors of NEON."""
    triple: str = llvm.get_process_triple()
    return triple.startswith(("aarch64", "arm64"))


@dataclass
class Clock:
    """The clock that programs read.

    Args:
        address: of `nnjit_ticks`; None for the clock of Python, whose ticks are nanoseconds.
    """

    address: int | None
    _begin: tuple[int, float] = field(init=False)

    def __post_init__(self) -> None:
        native = ctypes.CFUNCTYPE(ctypes.c_int64)
        self.ticks = time.perf_counter_ns if self.address is None else native(self.address)
        self._begin = self.ticks(), time.perf_counter()

    def after(self, seconds: float) -> int:
        """The time in ticks `seconds` from now."""
        ticks, elapsed = self.ticks() - self._begin[0], time.perf_counter() - self._begin[1]
        return self._begin[0] + ticks + int(seconds * ticks / elapsed)
