"""Keep generated source on disk: a file for each program, named by a hash of what shapes its machine code.

Numba keeps the machine code beside the file, so a program is compiled once on a machine. Its files are
pickles and ours are Python: whoever can write there runs code as the user, so others must not.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np

from nnjit.codegen.numba.privates import CHANGED, warn_of_change
from nnjit.codegen.numba.sources import sources
from nnjit.errors import UserError
from nnjit.version import VERSION

VARIABLE = "NNJIT_CACHE_DIR"
PACKAGE = Path(__file__).parents[2]


def load(source: str, kind: str = "kernels") -> tuple[Any, Path]:
    """The module of `source`, and the file it is loaded from.

    Args:
        kind: the second word of the file's name, for people.
    """
    digest = hashlib.sha256(f"{environment_key()}\n{source}".encode()).hexdigest()[:24]
    name = f"nnjit_{kind}_{digest}"
    path = cache_folder() / f"{name}.py"
    write_once(path, source.encode())
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UserError(f"{path}: cannot be loaded as Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # before it runs: Numba's cache looks the module up by its name
        spec.loader.exec_module(module)
        _load_lightly(module)
    return sys.modules[name], path


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


def cache_folder() -> Path:
    """The folder of generated source, its owner's alone: `$NNJIT_CACHE_DIR`, or in the user's cache.

    If the user's cache cannot be used, it is a private folder for this process.

    Raises:
        UserError: `$NNJIT_CACHE_DIR` belongs to another user, or others can write to it.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return _private(Path(given))
    import platformdirs

    try:
        return _private(Path(platformdirs.user_cache_path("nnjit")) / "kernels")
    except (OSError, UserError):
        return _temporary()


def write_once(path: Path, content: bytes) -> None:
    """Write a file that other processes may write at the same time: whole, and never twice.

    To Numba a newer file is a changed one, so the first must stay.
    """
    if path.exists():
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _load_lightly(module: ModuleType) -> None:
    """Let the cached functions of a module skip Numba's preparations for compiling."""
    try:
        from nnjit.codegen.numba.cache_loader import load_lightly

        load_lightly(module)
    except CHANGED as error:
        warn_of_change("loading a compiled program takes 0.1 s longer", error)


def _private(folder: Path) -> Path:
    """Create the folder, and refuse it if others can write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder}: the kernel cache cannot be made ({error.strerror}); "
            f"set {VARIABLE} to a folder of yours"
        ) from None
    status = folder.stat()
    if hasattr(os, "getuid"):
        if status.st_uid != os.getuid():
            raise UserError(
                f"{folder}: the kernel cache belongs to another user; set {VARIABLE} to a folder of yours"
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UserError(
                f"{folder}: others can write to the kernel cache; run chmod 700 on it, or set {VARIABLE}"
            )
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder}: the kernel cache cannot be written; set {VARIABLE} to a folder of yours")
    return folder


@functools.cache
def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="nnjit-kernels-"))
