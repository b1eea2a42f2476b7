"""What running a compiled program takes, without the graphs that it was made of: it can be kept on disk."""

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
    """A call of MPI, which all ranks must make alike."""

    operation: str
    dtype: str
    size: int


@dataclass(frozen=True)
class Program:
    """The source of a program, whose function is `run`, and the memory that it takes.

    Args:
        memory: name -> short dtype of every array of the table, in its order.
        work: name -> elements of each array to allocate, for one thread if each thread has its own.
        each_threads: the names of those that each thread has.
        length: of the vectors that threads share; 0 if there are none.
        pieces: (offset, rows, columns) of the parts of such a vector that are products, which threads divide
            by rows.
        totals: the columns of an epoch's totals.
        functions: kernel, unless it is a product, -> its name in the source.
        watched: (array of the work memory, first element, elements) of each watched output.
        reductions: over the ranks in a step and an evaluation, in their order.
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
        parts: the scopes of its operations, such as layers' names, and whether each is of the backward pass.
        product: the lengths (m, n, k) of a product of m × k by k × n, as factors; None for a kernel of loops.
        operations: primitive -> how many it has.
    """

    name: str
    zone: str
    parts: tuple[tuple[str, bool], ...]
    product: Lengths | None
    operations: Mapping[str, int]


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
