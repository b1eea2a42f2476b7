"""How Numba compiles kernels whose innermost loops are short: as vectors, not as one instruction after another."""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba import config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import LoweringPass, register_pass
from numba.core.typed_passes import AnnotateTypes


class _Library(JITCodeLibrary):  # type: ignore[misc]  # Numba has no types
    """Machine code of one function, whose loops are never written out.

    LLVM writes out a loop of 16 iterations before it looks for vectors, and then finds them no more.
    """

    def _optimize_functions(self, module: Any) -> None:
        """All is done in the end."""

    def _optimize_final_module(self) -> None:
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization, options.slp_vectorization = True, bool(config.SLP_VECTORIZE)
        options.loop_unrolling = False
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


@register_pass(mutates_CFG=False, analysis_only=False)
class _OwnLibrary(LoweringPass):  # type: ignore[misc]
    """Have the function lowered into a `_Library`."""

    _name = "own_library"

    def __init__(self) -> None:
        LoweringPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _Library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return False


class Apart(CompilerBase):  # type: ignore[misc]
    """Numba's compiler for a function whose arguments are apart: what one points at, no other does.

    LLVM tests that in a kernel otherwise, for all rows at once. Where rows interleave, as in the record of a
    loop, the test fails, though no element is shared: the kernel would run without vectors (4 × longer).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.state.flags.noalias = True

    def define_pipelines(self) -> list[Any]:
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


class Lanes(Apart):
    """The same, for loops over the lanes of vectors."""

    def define_pipelines(self) -> list[Any]:
        (passes,) = super().define_pipelines()
        passes.add_pass_after(_OwnLibrary, AnnotateTypes)
        passes.finalize()
        return [passes]
