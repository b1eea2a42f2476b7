"""Load generated source as a module, and keep it on disk: a file for each program.

A file is named by a hash of its source and of all that shapes its machine code, which is kept next to it
(`function_cache.py`), so a program is compiled once per machine. The given text runs; the file is for people.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import sys
import weakref
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np

from nnjit.codegen.numba.privates import CHANGED, warn_of_change
from nnjit.codegen.numba.sources import sources
from nnjit.codegen.numba.store import keep_text
from nnjit.version import VERSION

PACKAGE = Path(__file__).parents[2]

_modules: weakref.WeakValueDictionary[str, ModuleType] = weakref.WeakValueDictionary()


def load(source: str, kind: str = "kernels") -> tuple[Any, Path]:
    """Return the module of `source`, which is freed with its last function, and the file of the source.

    Args:
        kind: the second word of the file's name, for people.
    """
    digest = hashlib.sha256(f"{environment_key()}\n{source}".encode()).hexdigest()[:24]
    name = f"nnjit_{kind}_{digest}"
    path = keep_text(f"{name}.py", source)
    module = _modules.get(name)
    if module is None:
        module = _modules[name] = _executed(source, name, path)
    return module, path


@functools.cache
def environment_key() -> str:
    """Everything that shapes machine code besides the source: versions, the CPU, and files of nnjit."""
    cpu = numba.config.CPU_NAME or llvm.get_host_cpu_name()
    features = numba.config.CPU_FEATURES or ",".join(
        sorted(k for k, v in llvm.get_host_cpu_features().items() if v)
    )
    versions = [VERSION, numba.__version__, llvmlite.__version__, np.__version__, sys.version]
    helpers = sources(PACKAGE)
    return "\n".join([*versions, cpu, features, f"boundscheck {numba.config.BOUNDSCHECK}", *helpers.values()])


@functools.lru_cache(maxsize=8)
def functions_in(text: str) -> dict[int, ast.FunctionDef]:
    """The functions of a module's text by their first line, which may be a decorator."""
    found = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    return {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in found}


class _Loader:
    """Provides the text of a module, as a file loader does (PEP 302)."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, name: str) -> str:
        """The text of the module."""
        return self._source


def _executed(source: str, name: str, path: Path) -> ModuleType:
    """Execute `source` as a new module; the file and its bytecode, which may be damaged, are not read."""
    module = ModuleType(name)
    vars(module).update(__file__=str(path), __loader__=_Loader(source))
    # Numba looks modules up by name but needs nothing in them; the module itself would never be freed.
    sys.modules[name] = ModuleType(name)
    weakref.finalize(module, sys.modules.pop, name, None).atexit = False
    exec(compile(source, path, "exec"), vars(module))
    _keep_compiled(module)
    return module


def _keep_compiled(module: ModuleType) -> None:
    if numba.config.DISABLE_JIT:
        return
    try:
        from nnjit.codegen.numba.function_cache import keep_compiled

        keep_compiled(module)
    except CHANGED as error:
        warn_of_change("each process compiles its programs anew", error)
