"""Compile a program straight from its source to machine code, with all its kernels in one LLVM module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from numba import config
from numba.core import typing
from numba.core.bytecode import FunctionIdentity
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import compile_result
from numba.core.targetconfig import ConfigStack

from nnjit.codegen.numba.engine import free_passes, new_codegen
from nnjit.codegen.numba.lowering import Lowering, Source
from nnjit.codegen.numba.types import CompileResult, CompilerState, LlvmModule


class _Library(JITCodeLibrary):  # type: ignore[misc]  # Numba has no types
    """Machine code of a program, whose loops LLVM does not unroll before it vectorises them.

    It would unroll a loop over 16 lanes completely and find no vectors in the result (LeNet: 2.6 → 1.3 ms).
    Unrolling short loops also took a quarter of the time to compile a convolutional network.
    """

    def _optimize_functions(self, module: LlvmModule) -> None:
        """Do nothing: the passes over the module include these."""

    def _optimize_final_module(self) -> None:
        options = llvm.create_pipeline_tuning_options(speed_level=int(config.OPT))
        options.loop_vectorization, options.slp_vectorization = True, bool(config.SLP_VECTORIZE)
        options.loop_unrolling = False
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        passes = builder.getModulePassManager()
        passes.run(self._final_module, builder)
        free_passes(passes)


def compile_program(state: CompilerState, function: Callable[..., Any]) -> CompileResult:
    """Compile a function, and the kernels that it calls, for a compiler in this state."""
    with ConfigStack().enter(state.flags.copy()):
        return _compile(state, Source(FunctionIdentity.from_function(function)))


def _compile(state: CompilerState, source: Source) -> CompileResult:
    context, flags, arguments = state.targetctx, state.flags, tuple(state.args)
    library = _Library(new_codegen(), source.identity.func_qualname)
    library.enable_object_caching()
    with context.push_code_library(library):
        function = Lowering(state.typingctx, context, library, flags).program(source, arguments)
        if not flags.no_cpython_wrapper:
            function.context.create_cpython_wrapper(
                library, function.fndesc, function.env, function.call_helper, release_gil=flags.release_gil
            )
    entry = context.get_executable(library, function.fndesc, function.env)
    context.insert_user_function(entry, function.fndesc, [library])
    return compile_result(
        typing_context=state.typingctx,
        target_context=context,
        entry_point=entry,
        typing_error=None,
        type_annotation="",
        library=library,
        call_helper=function.call_helper,
        signature=typing.signature(function.fndesc.restype, *arguments),
        objectmode=False,
        lifted=(),
        fndesc=function.fndesc,
        environment=function.env,
        metadata=state.metadata,
        reload_init=[],
    )
