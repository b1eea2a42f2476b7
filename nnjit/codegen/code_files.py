"""Keep the code of compiled programs on disk under a key."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nnjit.primitives
from nnjit.codegen.numba import store
from nnjit.codegen.numba.cache import environment_key
from nnjit.ir import Primitive

PACKAGE = Path(__file__).parents[1]


def read_code(key: str) -> Any:
    """Return what this version of nnjit kept under a key for this kind of machine; None if nothing."""
    name = _name(key)
    content = store.read(name)
    if content is None:
        return None
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except (pickle.PickleError, EOFError, LookupError, AttributeError, TypeError, ValueError):
        store.discard(name)
        return None


def write_code(key: str, value: Any) -> None:
    """Keep a value under a key if the folder is writable."""
    made = io.BytesIO()
    _Pickler(made, pickle.HIGHEST_PROTOCOL).dump(value)
    store.write(_name(key), made.getvalue())


def _name(key: str) -> str:
    digest = hashlib.sha256(f"{_version()}\0{key}".encode()).hexdigest()[:24]
    return f"nnjit_structure_{digest}.code"


@functools.cache
def _version() -> str:
    """Everything that shapes the program of a structure: the environment, and all files of nnjit."""
    files = [
        (entry.path, (status := entry.stat()).st_size, status.st_mtime_ns)
        for folder, _, _ in os.walk(PACKAGE)
        for entry in os.scandir(folder)
        if entry.name.endswith(".py")
    ]
    return f"{environment_key()}\0{sorted(files)}"


class _Pickler(pickle.Pickler):
    """Pickles primitives by name, since their rules are functions, which cannot be pickled."""

    def persistent_id(self, value: Any) -> str | None:
        """The name of a primitive."""
        return value.name if isinstance(value, Primitive) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: str) -> Primitive:
        """The primitive with this name."""
        return _primitives()[name]


@functools.cache
def _primitives() -> Mapping[str, Primitive]:
    from nnjit.ir.graph import constant_p, input_p

    known = (*vars(nnjit.primitives).values(), input_p, constant_p)
    return {value.name: value for value in known if isinstance(value, Primitive)}
