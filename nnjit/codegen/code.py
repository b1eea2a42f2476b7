"""What running a compiled program takes, without the graphs that it was made of: it can be kept on disk."""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nnjit.primitives
from nnjit.codegen.numba import store
from nnjit.codegen.numba.cache import environment_key
from nnjit.codegen.source.layouts import Interface
from nnjit.codegen.source.program import Program
from nnjit.codegen.source.summary import KernelEntry
from nnjit.ir import ArrayType, Graph, Primitive, new_input

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Signature:
    """The names and types of what a graph takes, and the types of what it returns."""

    names: tuple[str, ...]
    inputs: tuple[ArrayType, ...]
    outputs: tuple[ArrayType, ...]

    @classmethod
    def of(cls, graph: Graph) -> Signature:
        """That of a graph."""
        return cls(graph.names, tuple(n.type for n in graph.inputs), tuple(n.type for n in graph.outputs))

    @property
    def graph(self) -> Graph:
        """A graph with this signature, which computes nothing."""
        return Graph(tuple(map(new_input, self.inputs)), tuple(map(new_input, self.outputs)), self.names)


@dataclass(frozen=True)
class CallCode:
    """A program that evaluates a graph once.

    Args:
        block: rows that there is memory for at once.
        constants: arrays that it takes after its arguments.
    """

    signature: Signature
    program: Program
    block: int
    constants: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class EpochCode:
    """A program of epochs.

    Args:
        fixed: its constant arrays by name.
        held_out: the input that has the weights of the evaluation's rows; None if there is no evaluation.
        tables: (start, elements) of the tables whose rows threads divide in their own way.
    """

    signature: Signature
    interface: Interface
    program: Program
    fixed: Mapping[str, np.ndarray]
    held_out: str | None
    tables: tuple[tuple[int, int], ...]
    kernels: tuple[KernelEntry, ...]


def read_code(key: str) -> Any:
    """What was kept under a key by this version of nnjit on such a machine; None if nothing was."""
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
    """Keep something under a key, if the folder can be written."""
    made = io.BytesIO()
    _Pickler(made, pickle.HIGHEST_PROTOCOL).dump(value)
    store.write(_name(key), made.getvalue())


def _name(key: str) -> str:
    digest = hashlib.sha256(f"{_version()}\0{key}".encode()).hexdigest()[:24]
    return f"nnjit_structure_{digest}.code"


@functools.cache
def _version() -> str:
    """What decides on the program of a structure: what shapes machine code, and all files of nnjit."""
    files = (
        (path.relative_to(PACKAGE).as_posix(), status.st_size, status.st_mtime_ns)
        for path in sorted(PACKAGE.rglob("*.py"))
        if (status := path.stat())
    )
    return f"{environment_key()}\0{PACKAGE}\0{list(files)}"


class _Pickler(pickle.Pickler):
    """Writes primitives by their names: their rules are functions, which cannot be written."""

    def persistent_id(self, value: Any) -> str | None:
        """The name of a primitive."""
        return value.name if isinstance(value, Primitive) else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: str) -> Primitive:
        """The primitive of a name."""
        return _primitives()[name]


@functools.cache
def _primitives() -> Mapping[str, Primitive]:
    from nnjit.ir.graph import constant_p, input_p

    known = (*vars(nnjit.primitives).values(), input_p, constant_p)
    return {value.name: value for value in known if isinstance(value, Primitive)}
