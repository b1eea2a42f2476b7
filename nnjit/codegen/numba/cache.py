"""Generated source on disk: a file for each program, named by the hash of all that shapes its machine code.

Numba keeps the machine code beside the file, so a program is compiled once on a machine. Its files are
pickles and ours are Python: who can write there runs code as the user, so the folder must be the user's own.
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
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np

import nnjit
from nnjit.codegen.numba.cache_loader import load_lightly
from nnjit.errors import UserError

VARIABLE = "NNJIT_CACHE_DIR"
HELPERS = (
    "numba/vectors", "numba/compiler", "numba/lowering", "numba/expressions", "library/library",
    "library/matrix_product", "library/lane_kernels", "library/barrier", "library/vector_loops",
    "runtime/blas", "runtime/lapack", "runtime/scratch", "runtime/sorting", "runtime/threads",
    "runtime/views",
)  # beside `maths`  # fmt: skip


def load(source: str, kind: str = "kernels") -> tuple[Any, Path]:
    """The module of `source`, and the file that it was loaded from.

    Args:
        kind: a part of the file's name, for people.
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
        load_lightly(module)
    return sys.modules[name], path


@functools.cache
def environment_key() -> str:
    """Everything besides the source that shapes machine code: versions, CPU, and the helpers' own source."""
    here = Path(__file__).parents[1]
    helpers = sorted(
        [
            *(here / f"{name}.py" for name in HELPERS),
            *(here / "maths").glob("*.py"),
        ]
    )
    cpu = numba.config.CPU_NAME or llvm.get_host_cpu_name()
    features = numba.config.CPU_FEATURES or ",".join(
        sorted(k for k, v in llvm.get_host_cpu_features().items() if v)
    )
    parts = [
        nnjit.__version__,
        numba.__version__,
        llvmlite.__version__,
        np.__version__,
        sys.version,
        cpu,
        features,
    ]
    parts += [f"boundscheck {numba.config.BOUNDSCHECK}", *(f.read_text(encoding="utf-8") for f in helpers)]
    return "\n".join(parts)


def cache_folder() -> Path:
    """The folder of generated source, its owner's alone: `$NNJIT_CACHE_DIR`, or in the user's cache.

    Where that cannot be had, a private folder that lasts as long as the process.

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
    """Write a file that others may write at the same time: whole, and never twice.

    Numba takes a newer file for a changed one, so the first to arrive must stay.
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


def _private(folder: Path) -> Path:
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
