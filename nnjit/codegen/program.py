"""Compile a graph to a function of arrays, or a training step to native epochs, and run them.

The modules that plan and write programs are imported only when one is written: a process that finds its
programs on disk needs none of them.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnjit.codegen.call import Caller, check_success
from nnjit.codegen.code import CallCode, EpochCode, KernelEntry, Program, Signature
from nnjit.codegen.library.barrier import MEETING
from nnjit.codegen.library.compiled import CLOCK
from nnjit.codegen.memory import BLOCK, aligned_zeros
from nnjit.codegen.numba.cache import load
from nnjit.codegen.runtime.threads import ThreadTeam
from nnjit.codegen.runtime.views import table_of
from nnjit.codegen.source.layouts import BestEpoch, EpochTotals, Interface
from nnjit.errors import GraphError
from nnjit.ir import Graph, interpret, tracing, type_of
from nnjit.ir.types import DTYPES, with_rows
from nnjit.memory import check_fits

if TYPE_CHECKING:
    from nnjit.codegen.plan.kernels import Plan

LATE = 0.001  # seconds that a call waits for its threads before it begins with one
ALONE = ThreadTeam(1)

Arrays = Sequence[np.ndarray]


class Compiled:
    """A graph as a native function of arrays.

    Calling it takes an array for every input, of its type, and returns an array for every output.

    Args:
        graph: any valid graph whose batch axis, if any, leads.
    """

    @tracing(is_on=False)
    def __init__(self, graph: Graph, *, title: str = "A compiled graph.", block: int = BLOCK) -> None:
        from nnjit.codegen.writing import plan_call

        self.graph = graph
        self._whole: Callable[[], Graph] = lambda: graph
        plan, self._constants, block = plan_call(graph, block)
        self._plan: Plan | None = plan
        self._title = title
        self._emit(block)

    @classmethod
    def of(cls, code: CallCode, graph: Callable[[], Graph]) -> Compiled:
        """Make a program from cached code; `graph` traces its graph if that is needed."""
        made = cls.__new__(cls)
        made.graph, made._whole, made._plan = code.signature.graph, graph, None
        made._constants, made._block = code.constants, code.block
        made._load(code.program)
        return made

    @property
    def code(self) -> CallCode | None:
        """The code to cache; None if a block must hold all rows of a call."""
        if self._plan is None or self._plan.crossing:
            return None
        program = replace(self.program, functions={})
        return CallCode(Signature.of(self.graph), program, self._block, self._constants)

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        """Return the outputs in new arrays.

        Raises:
            GraphError: an argument does not have its input's type.
            numpy.linalg.LinAlgError: a matrix has no inverse, or no such decomposition.
        """
        rows = check_arguments(self.graph, arguments)
        if rows == 0:
            return interpret(self._whole(), arguments)
        if self._plan is not None and self._plan.crossing and rows > self._block:
            self._emit(1 << (rows - 1).bit_length())
        outputs = [np.empty(with_rows(n.shape, rows), n.dtype) for n in self.graph.outputs]
        inputs = [np.ascontiguousarray(a) for a in (*arguments, *self._constants)]
        arrays = [*inputs, *outputs, *allocate(self.program, 1)]
        check_success(self._run(table_of(arrays), rows))
        return outputs

    def caller(self) -> Caller:
        """The fastest way to call a graph without a batch axis: arguments are not checked."""
        inputs, outputs = ([n.type for n in nodes] for nodes in (self.graph.inputs, self.graph.outputs))
        constants = [np.ascontiguousarray(a) for a in self._constants]
        return Caller(self._run, inputs, outputs, lambda: (constants, allocate(self.program, 1)))

    @tracing(is_on=False)
    def _emit(self, block: int) -> None:
        """Write and load the program for blocks of `block` rows."""
        from nnjit.codegen.writing import emit_call

        assert self._plan is not None  # only a program from cached code has none
        self._block = block
        self._load(emit_call(self._plan, block, self._title))

    def _load(self, program: Program) -> None:
        self.program = program
        module, self.path = load(program.source)
        self._run = module.run


class Turns(NamedTuple):
    """Which steps of training to run.

    Args:
        begin, end: the steps, counted from the first epoch that the arguments are for.
        steps: of an epoch.
        batch: rows of a batch.
        rows: rows of data per epoch.
        stride: how far apart the orders of successive epochs begin; 0 if all share one.
    """

    begin: int
    end: int
    steps: int
    batch: int
    rows: int
    stride: int = 0


class CompiledEpoch:
    """A training step as a native function that runs the steps of epochs.

    Args:
        graph: the step, whose inputs and outputs `Interface` describes.
        evaluation: computes float64 sums from (params, held-out rows, ...) after every epoch.
        most_rows: the largest batch; with several ranks, the largest slice.
        is_shared: whether threads share the batches; any number of them can then run it.
    """

    @tracing(is_on=False)
    def __init__(
        self,
        graph: Graph,
        interface: Interface,
        *,
        most_rows: int,
        title: str,
        evaluation: Graph | None = None,
        is_shared: bool = False,
        block: int = BLOCK,
    ) -> None:
        from nnjit.codegen.writing import write_epochs

        self._take(
            write_epochs(
                graph,
                interface,
                most_rows=most_rows,
                title=title,
                evaluation=evaluation,
                is_shared=is_shared,
                block=block,
            )
        )

    @classmethod
    def of(cls, code: EpochCode) -> CompiledEpoch:
        """Make epochs from cached code."""
        made = cls.__new__(cls)
        made._take(code)
        return made

    def _take(self, code: EpochCode) -> None:
        self.code, self.interface, self.program = code, code.interface, code.program
        module, self.path = load(code.program.source)
        self._run = module.run
        self._work: dict[int, dict[str, np.ndarray]] = {}

    def __call__(
        self, begin: int, end: int, batch: int, order: np.ndarray, arguments: Arrays, team: ThreadTeam = ALONE
    ) -> tuple[int, np.ndarray]:
        """Run steps `begin` to `end` of one epoch, overwriting the arguments that the interface updates.

        Args:
            order: i64, the rows in the order to take them.
            arguments: one array for each input: whole data, state, or a value for each step of the epoch.

        Returns:
            The step before which it stopped, and the totals over the steps done.
        """
        rows = len(order)
        turns = Turns(begin, end, max(-(-rows // batch), end), batch, rows)
        given = dict(zip(self.code.signature.names, arguments, strict=True))
        kept = [given[name] for name in self.interface.kept]
        best = (BestEpoch().array(), np.concatenate(kept)) if kept else None
        totals = self.totals(1)
        stopped = self.run(turns, order, given, totals, best=best, team=team)
        return stopped, self.layout.of_step(totals)[0]

    @property
    def layout(self) -> EpochTotals:
        """The columns of the totals."""
        return self.program.totals

    def totals(self, epochs: int) -> np.ndarray:
        """Return zeros, a row for each epoch."""
        return np.zeros((epochs, self.layout.width))

    def run(
        self,
        turns: Turns,
        order: np.ndarray,
        arguments: Mapping[str, np.ndarray],
        totals: np.ndarray,
        *,
        best: tuple[np.ndarray, np.ndarray] | None = None,
        team: ThreadTeam = ALONE,
    ) -> int:
        """Run steps of one or more epochs, overwriting the arguments that the interface updates.

        Args:
            order: i64, the rows of each epoch in the order to take them.
            arguments: by name: the inputs of the step and the evaluation, and the order of `partners` if the
                interface has any. An input with a value for each step holds all steps of all epochs.
            totals: from `totals()`, or as an earlier part of the epoch left it; the run adds to it.
            best: a `BestEpoch` as an array, and the values kept of that epoch; None if none are kept.
            team: the threads that share the work.

        Returns:
            The step before which it stopped.
        """
        if turns.begin >= turns.end:
            return turns.end
        given = {**arguments, **self.code.fixed, **self._memory(team.shares)}
        given |= {"order": order, "bounds": self._bounds(team.shares)}
        if best is not None:
            given["best"], given["kept"] = best
        held_out = 0 if self.code.held_out is None else len(given[self.code.held_out])
        given = {name: np.ascontiguousarray(given[name]) for name in self.program.memory if name in given}
        while turns.begin < turns.end:
            stopped, is_late = self._call(turns, given, totals, held_out, team)
            if not is_late:
                return stopped
            totals = totals[stopped // turns.steps - turns.begin // turns.steps :]
            turns = turns._replace(begin=stopped)
        return turns.end

    def _call(
        self,
        turns: Turns,
        given: Mapping[str, np.ndarray],
        totals: np.ndarray,
        held_out: int,
        team: ThreadTeam,
    ) -> tuple[int, bool]:
        """Return the step before which a native call stopped, and whether its time was up."""
        choice, begin, ticks = team.tuner.next(), time.perf_counter(), self._ticks(totals)
        meeting = MEETING.array(start=CLOCK.after(LATE), deadline=CLOCK.after(choice.seconds))
        memory = {**given, "totals": totals, "meeting": meeting}
        table, whole = table_of([memory[name] for name in self.program.memory]), (*turns, held_out)

        def run(thread: int, threads: int) -> int:
            return int(self._run(table, thread, threads, team.shares, *whole))

        stopped = team.run(run, choice.threads)
        trained, evaluated = self._ticks(totals) - ticks
        seconds = (time.perf_counter() - begin) * (trained / (trained + evaluated) if evaluated else 1.0)
        team.tuner.note(abs(stopped) - turns.begin, seconds)
        return abs(stopped), stopped < 0

    def _ticks(self, totals: np.ndarray) -> np.ndarray:
        """The ticks of all training, and of all evaluation, so far."""
        ticks: np.ndarray = self.layout.ticks(totals).sum(axis=0)
        return ticks

    @property
    def kernels(self) -> tuple[KernelEntry, ...]:
        """The kernels of a step and their computations, in the order they run."""
        return self.code.kernels

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of elements of each total of a step."""
        first = len(self.interface.updates)
        totals = self.code.signature.outputs[first : first + self.interface.totals]
        return tuple(type.row_size for type in totals)

    def watched(self, team: ThreadTeam = ALONE) -> list[np.ndarray] | None:
        """The watched outputs of the latest step that these threads ran: views of the work memory, flat.

        None if tables are updated row by row, since their gradient is back at 0.
        """
        if self.code.tables:
            return None
        memory = self._memory(team.shares)
        return [memory[name][start : start + size] for name, start, size in self.program.watched]

    def compile(self) -> None:
        """Compile the program now, or load it from the cache, instead of at the first call."""
        table = table_of([np.zeros(MEETING.size)] * len(self.program.memory))
        self._run(table, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0)

    def twin(self) -> CompiledEpoch:
        """Return the same program with its own work memory, so both can run at the same time."""
        other = copy.copy(self)
        other._work = {}
        return other

    def _memory(self, threads: int) -> dict[str, np.ndarray]:
        if threads not in self._work:
            arrays = allocate(self.program, threads)
            self._work[threads] = dict(zip(self.program.work, arrays, strict=True))
        return self._work[threads]

    def _bounds(self, threads: int) -> np.ndarray:
        """Where each thread's slice of the long vectors begins; inside a product, at one of its rows.

        Elements of tables do not count, since threads divide their rows separately.
        """
        length, tables = self.program.length, self.code.tables
        free = length - sum(size for _, size in tables)
        bounds = np.arange(threads + 1) * free // threads
        for start, size in tables:
            bounds += (bounds > start) * size
        bounds[-1] = length
        for k in range(1, threads):
            for offset, rows, columns in self.program.pieces:
                if offset < bounds[k] < offset + rows * columns:
                    bounds[k] = offset + round((bounds[k] - offset) / columns) * columns
        return bounds.astype(np.int64)


def compile_graph(graph: Graph) -> Compiled:
    """Compile `graph` to a native function of arrays."""
    return Compiled(graph)


def check_arguments(graph: Graph, arguments: Sequence[np.ndarray]) -> int:
    """Return the number of rows of the arguments; 1 if none has a batch axis."""
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


def allocate(program: Program, threads: int) -> list[np.ndarray]:
    """Allocate the work memory of a program, aligned to cache lines.

    Raises:
        TooLarge: the machine has less memory.
    """
    work = [
        (size * (threads if name in program.each_threads else 1), DTYPES[program.memory[name]])
        for name, size in program.work.items()
    ]
    size = sum(count * dtype.itemsize for count, dtype in work)
    check_fits(size, "the work memory of a compiled program", "choose smaller arrays, or a smaller batch")
    return [aligned_zeros(count, dtype) for count, dtype in work]
