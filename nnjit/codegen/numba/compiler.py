"""Two pipelines for `njit`: one that lowers a program directly, and one whose arguments do not overlap.

Numba's own route infers the types of bytecode in twenty passes, which take most of the time to compile a
program, and optimises each kernel twice, alone and inside its caller. Generated code needs no inference: a
name keeps the type of its first assignment. Numba's route remains for functions that `lowering.py` does not
support, and for versions of Numba with different private parts (`privates.py`); these are imported only when
used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config
from numba.core.compiler import Compiler
from numba.core.errors import NumbaError

from nnjit.codegen.numba.privates import CHANGED, warn_of_change
from nnjit.codegen.numba.types import CompileResult


class DirectCompiler(Compiler):  # type: ignore[misc]  # Numba has no types
    """Numba's compiler, which first tries to lower a function directly.

    With NUMBA_BOUNDSCHECK=1, checked arrays take Numba's own route.
    """

    def compile_extra(self, func: Callable[..., Any]) -> CompileResult:
        """Compile a Python function; called by Numba."""
        result = None if config.BOUNDSCHECK else self.lowered(func)
        return super().compile_extra(func) if result is None else result

    def lowered(self, func: Callable[..., Any]) -> CompileResult | None:
        """Lower a function directly; return None if it must take Numba's own route."""
        try:
            from nnjit.codegen.numba.program_compiler import compile_program

            return compile_program(self.state, func)
        except (NumbaError, NotImplementedError):  # Numba's, for code that direct lowering does not know
            return None
        except CHANGED as error:
            warn_of_change("compiling a new program takes several times as long", error)
            return None


class NoAliasCompiler(Compiler):  # type: ignore[misc]  # Numba has no types
    """Numba's compiler for a function whose arguments do not overlap: no two point to the same element.

    LLVM would test this in a kernel, for all rows at once. If rows interleave, as in the record of a loop,
    the test fails although no element is shared, and the kernel runs without vectors (4 × slower).
    """

    has_noalias = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        try:
            self.state.flags.noalias = True
        except CHANGED as error:
            warn_of_change("some kernels run without vectors", error)
