"""SciPy's BLAS without the package around it, which alone takes 0.15 s.

Numba imports it, used or not, with the first function that it compiles; so it is here before.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder

EXTENSION = "scipy.linalg.cython_blas"


def load_extension() -> None:
    """Import the extension alone."""
    spec = importlib.util.find_spec("scipy")
    if EXTENSION in sys.modules or spec is None:
        return
    for folder in spec.submodule_search_locations or ():
        finder = FileFinder(f"{folder}/linalg", (ExtensionFileLoader, EXTENSION_SUFFIXES))
        found = finder.find_spec(EXTENSION)
        if found is not None and found.loader is not None:
            module = importlib.util.module_from_spec(found)
            sys.modules[EXTENSION] = module
            found.loader.exec_module(module)
