"""Compile graphs: to a function of arrays, or to the native epoch of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnjit.codegen.cache import load
from nnjit.codegen.emit_driver import Interface, Program, emit_call, emit_epoch
from nnjit.codegen.legalize import legalize
from nnjit.codegen.memory import ALIGNMENT
from nnjit.codegen.schedule import schedule
from nnjit.errors import GraphError
from nnjit.ir import Graph, Node, interpret, new_input, rebuild, type_of, verify
from nnjit.ir.graph import constant_p
from nnjit.ir.types import DTYPES, with_rows
from nnjit.passes import optimize

BLOCK = 256  # rows: a few hundred keep products efficient and a block's values in the second-level cache


class Compiled:
    """A graph as a native function of arrays.

    Calling it takes an array for every input, of its type, and returns an array for every output.

    Args:
        graph: any valid graph whose batch axis, if any, leads.
    """

    def __init__(self, graph: Graph, *, title: str = "A compiled graph.", block: int = BLOCK) -> None:
        self.graph = graph
        lowered, self._constants = _lower(graph)
        self._plan = schedule(lowered)
        self._title = title
        self._emit(block)

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        """The outputs, in new arrays.

        Raises:
            GraphError: an argument has not the type of its input.
        """
        rows = check_arguments(self.graph, arguments)
        if rows == 0:
            return interpret(self.graph, arguments)
        if self._plan.crossing and rows > self._block:
            self._emit(1 << (rows - 1).bit_length())
        outputs = [np.empty(with_rows(n.shape, rows), n.dtype) for n in self.graph.outputs]
        flat = [_flat(a) for a in (*arguments, *self._constants)]
        self._run(rows, *flat, *(o.reshape(-1) for o in outputs), *allocate(self.program))
        return outputs

    def _emit(self, block: int) -> None:
        """Write and load the program for blocks of `block` rows."""
        self._block = block
        self.program = emit_call(self._plan, block, self._title)
        self._run, self.path = load(self.program.source)


class CompiledEpoch:
    """A training step as a native function that runs the steps of an epoch.

    Args:
        graph: the step; its inputs are what `Interface` says.
        most_rows: the largest batch that it will be given.
    """

    def __init__(
        self, graph: Graph, interface: Interface, *, most_rows: int, title: str, block: int = BLOCK
    ) -> None:
        self.graph = graph
        for out, into in interface.updates:
            given, wanted = graph.outputs[out].type, graph.inputs[into].type
            if given != wanted:
                raise GraphError(f"{graph.names[into]}: an update {given} does not fit over {wanted}")
        lowered, self._constants = _lower(graph)
        plan = schedule(lowered)
        if plan.crossing and most_rows > block:
            block = most_rows
        self.program = emit_epoch(plan, block, title, interface)
        self._run, self.path = load(self.program.source)
        self._work = allocate(self.program)
        self._width = sum(graph.outputs[k].type.row_size for k in interface.totals)

    def __call__(
        self, begin: int, end: int, batch: int, order: np.ndarray, arguments: Sequence[np.ndarray]
    ) -> tuple[int, np.ndarray]:
        """Run steps `begin` to `end` of an epoch, writing over the arguments that the interface updates.

        Args:
            order: i64, the rows in the order to take them.
            arguments: one array for each input: whole data, state, or a figure for each step of the epoch.

        Returns:
            The step before which it stopped, and the totals over the steps done.
        """
        totals = np.zeros(self._width)
        flat = [_flat(a) for a in (*arguments, *self._constants)]
        stopped = self._run(begin, end, batch, len(order), order, *flat, totals, *self._work)
        return int(stopped), totals


def compile_graph(graph: Graph) -> Compiled:
    """`graph` as a native function of arrays."""
    return Compiled(graph)


def check_arguments(graph: Graph, arguments: Sequence[np.ndarray]) -> int:
    """The number of rows of the arguments, 1 where none has a batch axis."""
    if len(arguments) != len(graph.inputs):
        raise GraphError(f"expected {len(graph.inputs)} arguments, got {len(arguments)}")
    lengths = {
        a.shape[0]
        for n, a in zip(graph.inputs, arguments, strict=True)
        if n.type.is_batched and np.ndim(a) > 0
    }
    if len(lengths) > 1:
        raise GraphError(
            f"the arguments have different numbers of rows: {', '.join(map(str, sorted(lengths)))}"
        )
    rows = lengths.pop() if lengths else 1
    for name, node, argument in zip(graph.names, graph.inputs, arguments, strict=True):
        given = type_of(argument)
        if given != node.type.with_shape(with_rows(node.shape, rows)):
            raise GraphError(f"argument {name}: expected {node.type}, got {given}")
    return rows


def allocate(program: Program) -> list[np.ndarray]:
    """The work memory of a program, aligned to cache lines."""
    return [_aligned(size, DTYPES[dtype]) for _, dtype, size in program.work]


def _aligned(size: int, dtype: np.dtype) -> np.ndarray:
    memory = np.zeros(size * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


def _flat(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1)


def _lower(graph: Graph) -> tuple[Graph, list[np.ndarray]]:
    """An optimized, legal graph with its constant arrays as inputs more, and those arrays."""
    graph = legalize(verify(optimize(graph)))
    constants = [n for n in graph.nodes if n.primitive is constant_p and n.shape != ()]
    replace: Mapping[Node, Node] = {n: new_input(n.type) for n in constants}
    names = (*graph.names, *(f"constant{k}" for k in range(len(constants))))
    lifted = Graph((*graph.inputs, *replace.values()), rebuild(graph.outputs, replace), names)
    return lifted, [n.params["value"].array for n in constants]
