"""Lowering: a graph becomes kernels and memory, these become source, and Numba makes it native."""

from nnjit.codegen.emit_views import Interface
from nnjit.codegen.function import jit
from nnjit.codegen.outline import KernelEntry
from nnjit.codegen.program import BLOCK, Compiled, CompiledEpoch, Turns, aligned_copy, compile_graph
from nnjit.codegen.sparse import used_p, where_used_p
from nnjit.codegen.team import Crew, usable_cores

__all__ = [
    "BLOCK", "Compiled", "CompiledEpoch", "Crew", "Interface", "KernelEntry", "Turns", "aligned_copy",
    "compile_graph", "jit", "usable_cores",
    "used_p", "where_used_p",
]  # fmt: skip
