"""Load and keep the machine code of a function, instead of Numba's own cache.

Numba's cache trusts its files, and a damaged one crashes the process. It also initialises the compiler before
it looks for them, which imports sixty modules and takes 0.13 s: a sixth of a short run that compiles nothing.
If Numba then has to compile, it initialises itself anyway.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import llvmlite.binding as llvm
from numba.core.compiler import CompileResult as Result
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import _nrt_python as runtime
from numba.core.serialize import dumps

from nnjit.codegen.numba import store
from nnjit.codegen.numba.engine import with_own_engine
from nnjit.codegen.numba.extension import BLAS, load_extension
from nnjit.codegen.numba.privates import CHANGED, changes, warn_of_change
from nnjit.codegen.numba.types import CompileResult, Signature, TargetContext

_UNUSABLE = (*CHANGED, pickle.PickleError, EOFError, LookupError, RuntimeError, ValueError)
"""Errors from reading or pickling a compiled function whose parts are not those Numba expects."""


class FunctionCache:
    """The machine code of one function, a file for each combination of argument types."""

    def __init__(self, function: Callable[..., Any], module: ModuleType) -> None:
        self._function = function
        self._module = module  # lives as long as its functions

    @property
    def cache_path(self) -> str:
        """The folder; read by Numba's statistics."""
        return str(store.cache_folder())

    def load_overload(self, sig: Signature, target_context: TargetContext) -> CompileResult | None:
        """Return the compiled function for a signature, None if it is not in the cache; called by Numba."""
        try:
            name_runtime()
        except CHANGED as error:
            warn_of_change("loading a compiled program takes 0.1 s longer", error)
            target_context.refresh()
        content = store.read(self._name(sig))
        found = None if content is None else self._rebuilt(content, sig, target_context)
        if found is None:
            load_extension(BLAS)  # Numba compiles next
        return found

    def save_overload(self, sig: Signature, result: CompileResult) -> None:
        """Keep a compiled function; called by Numba."""
        try:
            content = dumps(result._reduce())
        except _UNUSABLE as error:
            warn_of_change("each process compiles its programs anew", error)
        else:
            store.write(self._name(sig), content)

    def _rebuilt(self, content: bytes, sig: Signature, context: TargetContext) -> CompileResult | None:
        try:
            return Result._rebuild(with_own_engine(context), *pickle.loads(content))
        except _UNUSABLE as error:
            store.discard(self._name(sig))
            if changes():
                warn_of_change("each process compiles its programs anew", error)
            return None

    def _name(self, sig: Signature) -> str:
        """The name of the file; the module's name covers everything else that shapes the machine code."""
        kinds = hashlib.sha256(repr(sig).encode()).hexdigest()[:16]
        return f"{self._module.__name__}.{self._function.__name__}.{kinds}.code"


@functools.cache
def name_runtime() -> None:
    """Tell LLVM the names of Numba's runtime, which machine code calls.

    `rtsys.initialize` does so too, but also compiles reference counting, which takes 0.05 s and which machine
    code from the cache already contains.
    """
    for name, address in runtime.c_helpers.items():
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)


def keep_compiled(module: ModuleType) -> None:
    """Let the functions of a module that are callable from Python load their machine code from the cache."""
    for function in vars(module).values():
        is_own = isinstance(function, Dispatcher) and function.__module__ == module.__name__
        if is_own and not function.targetoptions.get("no_cpython_wrapper"):
            function._cache = FunctionCache(function.py_func, module)
