"""The code of compiled programs: all that running needs, without their graphs, in a form kept on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnjit.codegen.source.layouts import EpochTotals, Interface
from nnjit.ir import ArrayType, Dim, Graph, new_input

if TYPE_CHECKING:
    from nnjit.codegen.plan.kernels import Kernel

Lengths = tuple[tuple[Dim, ...], ...]


class Reduction(NamedTuple):
    """An MPI call, which every rank must make identically."""

    operation: str
    dtype: str
    size: int


@dataclass(frozen=True)
class Program:
    """The source of a program, whose function is `run`, and the memory it needs.

    Args:
        memory: name -> short dtype of each array in the table, in order.
        work: name -> elements of each array to allocate, per thread if each thread has its own.
        each_threads: the names of arrays that each thread has.
        length: of the vectors that threads share; 0 if there are none.
        pieces: (offset, rows, columns) of the products inside such a vector, which threads divide by rows.
        totals: the columns of an epoch's totals.
        functions: kernel -> its name in the source, except for products.
        watched: (array of the work memory, first element, elements) of each watched output.
        reductions: over ranks, in the order a step and an evaluation make them.
    """

    source: str
    memory: Mapping[str, str]
    work: Mapping[str, int]
    each_threads: frozenset[str] = frozenset()
    length: int = 0
    pieces: Sequence[tuple[int, int, int]] = ()
    totals: EpochTotals = field(default_factory=lambda: EpochTotals(0))
    functions: Mapping[Kernel, str] = field(default_factory=dict)
    watched: Sequence[tuple[str, int, int]] = ()
    reductions: Sequence[Reduction] = ()


@dataclass(frozen=True)
class KernelEntry:
    """One kernel.

    Args:
        name: of its function in the source; for a product, of the function that computes it.
        zone: "rows" if it passes over the examples of a block, "flat" if it runs once a batch.
        parts: the scopes of its operations, such as layer names, and whether each is of the backward pass.
        product: the lengths (m, n, k) of a product of m × k by k × n, as factors; None for a kernel of loops.
        operations: primitive -> how often it occurs.
    """

    name: str
    zone: str
    parts: tuple[tuple[str, bool], ...]
    product: Lengths | None
    operations: Mapping[str, int]


@dataclass(frozen=True)
class Signature:
    """The names and types of a graph's inputs, and the types of its outputs."""

    names: tuple[str, ...]
    inputs: tuple[ArrayType, ...]
    outputs: tuple[ArrayType, ...]

    @classmethod
    def of(cls, graph: Graph) -> Signature:
        """The signature of a graph."""
        return cls(graph.names, tuple(n.type for n in graph.inputs), tuple(n.type for n in graph.outputs))

    @property
    def graph(self) -> Graph:
        """A graph with this signature that computes nothing."""
        return Graph(tuple(map(new_input, self.inputs)), tuple(map(new_input, self.outputs)), self.names)


@dataclass(frozen=True)
class CallCode:
    """A program that evaluates a graph once.

    Args:
        block: rows in memory at once.
        constants: arrays passed after the arguments.
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
        held_out: the input with the weights of the evaluation's rows; None without an evaluation.
        tables: (start, elements) of the tables, whose rows threads divide separately.
    """

    signature: Signature
    interface: Interface
    program: Program
    fixed: Mapping[str, np.ndarray]
    held_out: str | None
    tables: tuple[tuple[int, int], ...]
    kernels: tuple[KernelEntry, ...]
