"""Import SciPy's BLAS and LAPACK without the packages around them, which take 0.15 s to import.

Numba imports BLAS, used or not, with the first function it compiles, so nnjit imports it first.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder

BLAS, LAPACK = "scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"


def load_extension(name: str) -> None:
    """Import the extension `name` alone."""
    spec = importlib.util.find_spec("scipy")
    if name in sys.modules or spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        finder = FileFinder(f"{folder}/linalg", (ExtensionFileLoader, EXTENSION_SUFFIXES))
        found = finder.find_spec(name)
        if found is not None and found.loader is not None:
            module = importlib.util.module_from_spec(found)
            sys.modules[name] = module
            found.loader.exec_module(module)
