"""Lowering: a graph becomes kernels and memory, these become source, and Numba makes it native."""

from nnjit.codegen.emit_driver import Interface
from nnjit.codegen.function import jit
from nnjit.codegen.program import Compiled, CompiledEpoch, compile_graph

__all__ = ["Compiled", "CompiledEpoch", "Interface", "compile_graph", "jit"]
