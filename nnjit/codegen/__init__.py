"""Compile graphs: plan kernels and memory, write Python source, and compile it with Numba.

Numba is imported only when something is compiled or loaded, so errors in a config are reported first.
"""

from typing import TYPE_CHECKING

from nnjit.lazy import lazy

if TYPE_CHECKING:
    from nnjit.codegen.code import CallCode, EpochCode, KernelEntry
    from nnjit.codegen.code_files import read_code, write_code
    from nnjit.codegen.function import clear_cache, jit
    from nnjit.codegen.memory import BLOCK, aligned_copy
    from nnjit.codegen.program import Compiled, CompiledEpoch, Turns, compile_graph
    from nnjit.codegen.runtime.threads import ThreadTeam
    from nnjit.codegen.source.layouts import BestEpoch, EpochTotals, Interface

__getattr__ = lazy(
    __name__,
    {
        "CallCode": "nnjit.codegen.code",
        "EpochCode": "nnjit.codegen.code",
        "read_code": "nnjit.codegen.code_files",
        "write_code": "nnjit.codegen.code_files",
        "clear_cache": "nnjit.codegen.function",
        "jit": "nnjit.codegen.function",
        "BLOCK": "nnjit.codegen.memory",
        "Compiled": "nnjit.codegen.program",
        "CompiledEpoch": "nnjit.codegen.program",
        "Turns": "nnjit.codegen.program",
        "aligned_copy": "nnjit.codegen.memory",
        "compile_graph": "nnjit.codegen.program",
        "ThreadTeam": "nnjit.codegen.runtime.threads",
        "BestEpoch": "nnjit.codegen.source.layouts",
        "EpochTotals": "nnjit.codegen.source.layouts",
        "Interface": "nnjit.codegen.source.layouts",
        "KernelEntry": "nnjit.codegen.code",
    },
)

__all__ = [
    "BLOCK", "BestEpoch", "CallCode", "Compiled", "CompiledEpoch", "EpochCode", "EpochTotals", "Interface",
    "KernelEntry", "ThreadTeam", "Turns", "aligned_copy", "clear_cache", "compile_graph", "jit",
    "read_code", "write_code",
]  # fmt: skip
