"""List the private parts of Numba that nnjit uses, and warn if a version of Numba has changed one.

All uses are in this package. The program compiler and the cache loader only do faster what Numba can also do:
if a part has changed, they warn once and leave the work to Numba. `emit.py` has no such fallback.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import re
import warnings
from types import ModuleType
from typing import Any

import numba

CHANGED = (AttributeError, ImportError, TypeError)
"""Errors from using a private part that is gone or takes other arguments."""

PRIVATES = (
    # program_compiler.py
    "numba.core.bytecode.FunctionIdentity.from_function(pyfunc)",
    "identity.arg_names",
    "identity.code",
    "identity.func",
    "identity.func_qualname",
    "identity.unique_id",
    "identity.unique_name",
    "numba.core.codegen.JITCodeLibrary(codegen, name)",
    "numba.core.codegen.JITCodeLibrary._optimize_final_module(self)",
    "numba.core.codegen.JITCodeLibrary._optimize_functions(self, module)",
    "numba.core.codegen.JITCodeLibrary.create_ir_module(self, name)",
    "numba.core.codegen.JITCodeLibrary.enable_object_caching(self)",
    "library._codegen._tm",
    "library._final_module.link_in(other)",
    "numba.core.compiler.Compiler(typingctx, targetctx, library, args, return_type, flags, locals)",
    "numba.core.compiler.Compiler.compile_extra(self, func)",
    "compiler.state.args",
    "compiler.state.flags.copy()",
    "compiler.state.flags.get_mangle_string()",
    "compiler.state.flags.no_cpython_wrapper",
    "compiler.state.flags.noalias",
    "compiler.state.flags.release_gil",
    "compiler.state.metadata",
    "compiler.state.targetctx",
    "compiler.state.typingctx",
    "numba.core.compiler.compile_result(*, typing_context, target_context, entry_point, typing_error, "
    "type_annotation, library, call_helper, signature, objectmode, lifted, fndesc, environment, metadata, "
    "reload_init)",
    "numba.core.errors.NumbaError",
    "numba.core.targetconfig.ConfigStack()",
    "numba.core.targetconfig.ConfigStack.enter(self, flags)",
    "numba.core.typing.signature(return_type, args)",
    "numba.core.cpu.CPUContext.codegen(self)",
    "numba.core.cpu.CPUContext.create_cpython_wrapper(self, library, fndesc, env, helper, *, release_gil)",
    "numba.core.cpu.CPUContext.get_executable(self, library, fndesc, environment)",
    "numba.core.cpu.CPUContext.insert_user_function(self, function, fndesc, libraries)",
    "numba.core.cpu.CPUContext.push_code_library(self, library)",
    # lowering.py
    "numba.core.environment.Environment.from_fndesc(fndesc)",
    "numba.core.funcdesc.PythonFunctionDescriptor(*, native, modname, qualname, unique_name, doc, typemap, "
    "restype, calltypes, args, kws, mangler, argtypes, noalias, abi_tags, uid)",
    "numba.core.cgutils.normalize_ir_text(text)",
    "dispatcher._compiler.pipeline_class",
    "dispatcher.py_func",
    "numba.core.cpu.CPUContext.call_conv",
    "numba.core.callconv.CPUCallConv.decode_arguments(self, builder, argtypes, func)",
    "numba.core.callconv.CPUCallConv.init_call_helper(self, builder)",
    "numba.core.callconv.CPUCallConv.return_value(self, builder, retval)",
    "numba.core.cpu.CPUContext.declare_env_global(self, module, name)",
    "numba.core.cpu.CPUContext.declare_function(self, module, fndesc)",
    "numba.core.cpu.CPUContext.get_dummy_value(self)",
    "numba.core.cpu.CPUContext.get_env_name(self, fndesc)",
    "numba.core.cpu.CPUContext.mangler",
    "numba.core.cpu.CPUContext.post_lowering(self, module, library)",
    "numba.core.cpu.CPUContext.subtarget(self, *, environment, fndesc)",
    # expressions.py
    "numba.core.registry.CPUDispatcher",
    "numba.core.cpu.CPUContext.call_internal(self, builder, fndesc, sig, args)",
    "numba.core.cpu.CPUContext.cast(self, builder, val, fromty, toty)",
    "numba.core.cpu.CPUContext.get_constant(self, type, value)",
    "numba.core.cpu.CPUContext.get_function(self, function, signature)",
    "numba.core.typing.context.Context.resolve_function_type(self, func, args, kws)",
    "numba.core.typing.context.Context.resolve_value_type(self, val)",
    # engine.py
    "numba.core.codegen.JITCPUCodegen(module_name)",
    "compiler.state.targetctx._internal_codegen",
    # function_cache.py
    "numba.core.compiler.CompileResult._rebuild(target_context, libdata, fndesc, env, signature, objectmode, "
    "lifted, typeann, reload_init, referenced_envs)",
    "numba.core.compiler.CompileResult._reduce(self)",
    "numba.core.cpu.CPUContext.refresh(self)",
    "numba.core.dispatcher.Dispatcher",
    "numba.core.runtime._nrt_python.c_helpers",
    "numba.core.serialize.dumps(obj)",
    "dispatcher._cache",
    "dispatcher.targetoptions",
    # `_SAMPLES`
    "numba.core.compiler.Flags()",
    "numba.core.registry.cpu_target",
    # emit.py
    "numba.core.cgutils.alloca_once(builder, type, *, name)",
    "numba.core.cgutils.create_struct_proxy(type)",
    "numba.core.cgutils.for_range(builder, count)",
    "numba.core.cgutils.for_range_slice(builder, start, stop, step, *, intp)",
    "numba.core.cgutils.get_or_insert_function(module, type, name)",
    "numba.core.cgutils.raw_memcpy(builder, destination, source, count, itemsize)",
    "numba.core.cgutils.unpack_tuple(builder, tuple)",
    "numba.np.arrayobj.make_array(type)",
    "numba.np.arrayobj.populate_array(array, *, data, shape, strides, itemsize, meminfo, parent)",
    "numba.core.cpu.CPUContext.get_abi_sizeof(self, type)",
    "numba.core.cpu.CPUContext.get_data_type(self, type)",
    "numba.core.cpu.CPUContext.nrt",
    "numba.core.runtime.context.NRTContext.allocate(self, builder, size)",
    "numba.core.runtime.context.NRTContext.free(self, builder, pointer)",
)
"""The name of each part and, if it is called, its arguments; those after `*` are keywords.

The first word of a name is `numba` or, if only an object has the part, a key of `_SAMPLES`.
"""
_ROW = re.compile(r"([\w.]+)(\()?([^*)]*)(?:\*, ([^)]*))?\)?")


def warn_of_change(consequence: str, error: Exception) -> None:
    """Warn, once for each consequence, that a part has changed, and name it.

    Args:
        consequence: what it means for the user.
        error: raised by the use of the part.
    """
    if consequence not in _warned:
        _warned.add(consequence)
        parts = "; ".join(f"{name}: {problem}" for name, problem in changes().items())
        warnings.warn(
            f"Numba {numba.__version__} differs from the versions nnjit knows, so {consequence}; "
            f"results are the same up to rounding ({parts or f'{type(error).__name__}: {error}'})",
            RuntimeWarning,
            stacklevel=2,
        )


def changes() -> dict[str, str]:
    """Return part -> error for parts that this version of Numba lacks, or that take other arguments there."""
    problems = {row.partition("(")[0]: _problem(row) for row in PRIVATES}
    return {name: problem for name, problem in problems.items() if problem}


_warned: set[str] = set()


def _problem(row: str) -> str:
    """Why a part cannot be used as a row of `PRIVATES` says; empty if it can."""
    match = _ROW.fullmatch(row)
    assert match, row
    name, is_called, positional, keywords = match.groups()
    try:
        part = _resolve(name)
        if is_called:
            arguments, options = re.findall(r"\w+", positional), re.findall(r"\w+", keywords or "")
            inspect.signature(part).bind(*arguments, **dict.fromkeys(options))
    except CHANGED as error:
        return str(error)
    return ""


def _resolve(name: str) -> Any:
    """The part with this name."""
    first, *rest = name.split(".")
    if first in _SAMPLES:
        return functools.reduce(getattr, rest, _SAMPLES[first]())
    part: Any = numba
    for k, word in enumerate(rest):
        if isinstance(part, ModuleType) and not hasattr(part, word):
            with contextlib.suppress(ImportError):  # the next line says what is missing
                importlib.import_module(".".join([first, *rest[: k + 1]]))
        part = getattr(part, word)
    return part


def _sample_compiler() -> Any:
    from numba.core.compiler import Compiler, Flags
    from numba.core.registry import cpu_target

    contexts = cpu_target.typing_context, cpu_target.target_context
    return Compiler(*contexts, None, (), None, Flags(), {})


def _sample_dispatcher() -> Any:
    return numba.njit(_sample_dispatcher)


def _sample_identity() -> Any:
    from numba.core.bytecode import FunctionIdentity

    return FunctionIdentity.from_function(_sample_identity)


def _sample_library() -> Any:
    from numba.core.registry import cpu_target

    return cpu_target.target_context.codegen().create_library("sample")


_SAMPLES = {
    "compiler": _sample_compiler,
    "dispatcher": _sample_dispatcher,
    "identity": _sample_identity,
    "library": _sample_library,
}
