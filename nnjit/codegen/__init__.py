"""Compile graphs: plan kernels and memory, write them as Python source, and have Numba compile that."""

from nnjit.codegen.code import CallCode, EpochCode, read_code, write_code
from nnjit.codegen.function import clear_cache, jit, on_clear
from nnjit.codegen.program import BLOCK, Compiled, CompiledEpoch, Turns, aligned_copy, compile_graph
from nnjit.codegen.runtime.threads import ThreadTeam
from nnjit.codegen.source.layouts import BestEpoch, EpochTotals, Interface
from nnjit.codegen.source.summary import KernelEntry

__all__ = [
    "BLOCK", "BestEpoch", "CallCode", "Compiled", "CompiledEpoch", "EpochCode", "EpochTotals", "Interface",
    "KernelEntry", "ThreadTeam", "Turns", "aligned_copy", "clear_cache", "compile_graph", "jit", "on_clear",
    "read_code", "write_code",
]  # fmt: skip
