"""How Numba compiles a program: straight from its source to LLVM, with all kernels in one module.

Numba's own route infers types of bytecode in twenty passes, which is most of the time that a program takes;
and it optimises each kernel twice, alone and inside its caller. Generated code needs no inference: a name
has the type of what it is assigned first. A program with what `lowering.py` does not know goes Numba's way.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from numba import config
from numba.core import typing
from numba.core.bytecode import FunctionIdentity
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, compile_result
from numba.core.errors import NumbaError
from numba.core.targetconfig import ConfigStack

from nnjit.codegen.numba.lowering import Lowering, Source


class _Library(JITCodeLibrary):  # type: ignore[misc]  # Numba has no types
    """Machine code of a program, whose loops are not written out before LLVM looks for vectors in them.

    A loop over 16 lanes would be written out as 16 times the same, in which it finds none (LeNet: 2.6 →
    1.3 ms); and short loops written out were a quarter of a convolutional network's time of compilation.
    """

    def _optimize_final_module(self) -> None:
        options = llvm.create_pipeline_tuning_options(speed_level=int(config.OPT))
        options.loop_vectorization, options.slp_vectorization = True, bool(config.SLP_VECTORIZE)
        options.loop_unrolling = False
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        builder.getModulePassManager().run(self._final_module, builder)


class DirectCompiler(Compiler):  # type: ignore[misc]  # Numba has no types
    """Numba's compiler, which tries first to lower a function directly.

    Arrays that are checked for their bounds, NUMBA_BOUNDSCHECK=1, are for Numba's own.
    """

    def compile_extra(self, func: Any) -> Any:
        """Compile a Python function; Numba's name."""
        result = None if config.BOUNDSCHECK else self.lowered(func)
        return super().compile_extra(func) if result is None else result

    def lowered(self, func: Any) -> Any:
        """A function lowered directly; None where it has something that `lowering.py` does not know."""
        try:
            with ConfigStack().enter(self.state.flags.copy()):
                return _lower(self.state, Source(FunctionIdentity.from_function(func)))
        except (NumbaError, NotImplementedError):
            return None


def _lower(state: Any, source: Source) -> Any:
    """Lower a function and the kernels it calls, and make the result that Numba caches and calls."""
    context, flags, arguments = state.targetctx, state.flags, tuple(state.args)
    library = _Library(context.codegen(), source.identity.func_qualname)
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
