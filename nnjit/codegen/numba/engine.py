"""Free the memory of a program with it: each has an engine of LLVM for itself."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba.core.codegen import JITCPUCodegen

from nnjit.codegen.numba.types import TargetContext


def new_codegen() -> Any:
    """Numba's code generator with an engine of its own (2 ms); Numba's common one frees no module ever."""
    return JITCPUCodegen("nnjit")


def with_own_engine(context: TargetContext) -> TargetContext:
    """A context like Numba's that loads machine code into an engine of its own."""
    return context.subtarget(_internal_codegen=new_codegen())


def free_passes(passes: Any) -> None:
    """Free a pass manager, which takes 0.1 MB.

    llvmlite 0.50 frees none: `ObjectRef._dispose`, which does nothing, hides the method that would.
    """
    if type(passes)._dispose is llvm.ffi.ObjectRef._dispose:
        llvm.newpassmanagers.NewPassManager._dispose(passes)
        passes.detach()
