"""Load machine code from Numba's cache without preparing Numba's compiler.

Numba prepares its compiler before it looks into its cache, which imports sixty modules and takes 0.13 s: a
sixth of a short training that compiles nothing. If Numba then has to compile, it prepares itself anyway.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import rtsys

from nnjit.codegen.numba.extension import BLAS, load_extension
from nnjit.codegen.numba.privates import CHANGED, warn_of_change
from nnjit.codegen.numba.types import CompileResult, Signature, TargetContext


class LoadingCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """Numba's cache of one function, for loading alone."""

    def load_overload(self, sig: Signature, target_context: TargetContext) -> CompileResult | None:
        """The compiled function for a signature, None if it is not in the cache; called by Numba."""
        try:
            rtsys.initialize(target_context)  # tells LLVM the names that machine code calls
            with self._guard_against_spurious_io_errors():
                found = self._load_overload(sig, target_context)
        except CHANGED as error:
            warn_of_change("loading a compiled program takes 0.1 s longer", error)
            found = super().load_overload(sig, target_context)
        if found is None:
            load_extension(BLAS)  # Numba compiles next
        return found


def load_lightly(module: ModuleType) -> None:
    """Let the cached functions of a module load their machine code in this way."""
    functions: list[Any] = [f for f in vars(module).values() if isinstance(f, Dispatcher)]
    for function in functions:
        if isinstance(function._cache, FunctionCache):
            function._cache = LoadingCache(function.py_func)
