"""Machine code from Numba's cache, without what Numba needs to compile.

Before Numba looks into its cache it makes its compiler ready, which imports sixty modules and takes 0.13 s:
a sixth of a short training that compiles nothing. Where it does compile, it makes it ready once more.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import rtsys

from nnjit.codegen.numba.extension import BLAS, load_extension


class LoadingCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """Numba's cache of one function, that only loads."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # tells LLVM the names that machine code calls
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
        if found is None:
            load_extension(BLAS)  # Numba compiles next
        return found


def load_lightly(module: ModuleType) -> None:
    """Let the cached functions of a module load their machine code so."""
    functions: Any = [f for f in vars(module).values() if isinstance(f, Dispatcher)]
    for function in functions:
        if isinstance(function._cache, FunctionCache):
            function._cache = LoadingCache(function.py_func)
