"""An engine of LLVM for each program, whose machine code is freed with it."""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCPUCodegen

from nnjit.codegen.numba.types import TargetContext


def new_codegen() -> Any:
    """Numba's code generator with an engine of its own (2 ms); Numba's common one frees no module ever."""
    return JITCPUCodegen("nnjit")


def with_own_engine(context: TargetContext) -> TargetContext:
    """A context like Numba's that loads machine code into an engine of its own."""
    return context.subtarget(_internal_codegen=new_codegen())
