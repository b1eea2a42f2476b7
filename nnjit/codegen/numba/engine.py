"""Give each program its own LLVM engine, so that its memory is freed with it."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core.codegen import JITCPUCodegen

from nnjit.codegen.numba.types import TargetContext


def new_codegen() -> Any:
    """Numba's code generator with its own engine (2 ms); Numba's shared one never frees a module."""
    return JITCPUCodegen("nnjit")


def with_own_engine(context: TargetContext) -> TargetContext:
    """A context like Numba's that loads machine code into its own engine."""
    return context.subtarget(_internal_codegen=new_codegen())


def free_passes(passes: Any) -> None:
    """Free a pass manager, which takes 0.1 MB.

    llvmlite 0.50 never does: `ObjectRef._dispose`, which does nothing, hides the method that would.
    """
    if type(passes)._dispose is llvm.ffi.ObjectRef._dispose:
        llvm.newpassmanagers.NewPassManager._dispose(passes)
        passes.detach()
