"""The compiled programs of a structure: made once and shared by all its tasks, whatever their numbers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from nnjit import codegen
from nnjit.codegen import Interface
from nnjit.codegen.clearing import on_clear
from nnjit.cores import usable_cores
from nnjit.ir import Graph, Node, array_type, interpret, new_input
from nnjit.numpy.promotion import as_number
from nnjit.passes.split_off import Parts, split_off
from nnjit.ranks import world
from nnjit.training.graphs.full_batch import cost_graph, jacobian_graph, product_graph, residual_graph
from nnjit.training.graphs.signs import signs_graph
from nnjit.training.graphs.step import (
    evaluation_graph,
    gradient_graph,
    logits_graph,
    prediction_graph,
    state_graph,
    step_graph,
)
from nnjit.training.graphs.task import Task
from nnjit.training.structure.threads import threads_for
from nnjit.training.structure.walk import Numbers, key_of, replaced

if TYPE_CHECKING:
    from nnjit.codegen import CallCode, Compiled, CompiledEpoch, EpochCode

Name = Literal[
    "evaluation", "prediction", "logits", "state", "signs", "gradient", "cost", "product", "residuals",
    "jacobian",
]  # fmt: skip

# fmt: off
PROGRAMS: Mapping[Name, tuple[Callable[[Task], Graph], str]] = {
    # name        its graph         the title of its source
    "evaluation": (evaluation_graph, "The evaluation of a split."),
    "prediction": (prediction_graph, "The prediction."),
    "logits":     (logits_graph,     "The output before any sigmoid or softmax."),
    "state":      (state_graph,      "The state of the layers over a batch."),
    "signs":      (signs_graph,      "The fractions of idle units."),
    "gradient":   (gradient_graph,   "The gradient of the cost without dropout and penalty."),
    "cost":       (cost_graph,       "The cost and its gradient."),
    "product":    (product_graph,    "The Hessian of the cost times a vector."),
    "residuals":  (residual_graph,   "The residuals."),
    "jacobian":   (jacobian_graph,   "The residuals and their Jacobian."),
}
# fmt: on

PREFIX, HELD_OUT = "number_", "held_out_number_"
MOST = 64  # structures whose programs are kept in memory
ON_DISK = True
"""Whether programs are kept on disk by structure, so other processes need not trace and plan them."""


@dataclass(frozen=True, eq=False)
class NumberGraph:
    """Computes the values that the programs of a structure derive from the numbers of a task.

    Args:
        graph: takes the numbers by path.
        names: the names of the values in the programs.
    """

    graph: Graph
    names: tuple[str, ...]

    @classmethod
    def of(cls, parts: Parts) -> NumberGraph:
        """Make one from a graph that was split off."""
        count = len(parts.before.outputs)
        return cls(parts.before, parts.rest.names[len(parts.rest.names) - count :])

    def __call__(self, numbers: Numbers) -> dict[str, np.ndarray]:
        """Compute the values for the numbers of a task."""
        values = interpret(self.graph, [numbers[name] for name in self.graph.names])
        return dict(zip(self.names, values, strict=True))


class Numbered(NamedTuple):
    """A compiled graph, and the values that it takes from the numbers of a task."""

    compiled: Compiled
    numbers: NumberGraph


class EpochOptions(NamedTuple):
    """The options of a program of epochs that are not in the structure of the task.

    Args:
        batch: the rows of the largest batch.
        rows_at_once: the rows of a batch that are computed together.
        wanted_threads: the number of threads that share a step.
        cores: the most threads that "auto" uses.
        is_evaluated: whether native code evaluates a part of the data after each epoch.
        in_order: whether epochs take the examples in the order of the data.
        block: the rows that memory holds at once, if a step needs no more.
        ranks: the number of ranks that share each batch.
    """

    batch: int
    rows_at_once: int
    wanted_threads: int | Literal["auto"]
    cores: int
    is_evaluated: bool
    in_order: bool
    block: int
    ranks: int = 1


class KeptEpochs(NamedTuple):
    """The data kept on disk for the epochs of a structure."""

    threads: int
    number_graphs: tuple[NumberGraph, ...]
    code: EpochCode


class KeptCall(NamedTuple):
    """The data kept on disk for another program of a structure."""

    numbers: NumberGraph
    code: CallCode


class Traced:
    """A task with traced values instead of its numbers, made when first needed.

    Args:
        task: any task of the structure.
        key: the structure.
    """

    def __init__(self, task: Task, key: Hashable) -> None:
        self._given, self._key = task, key

    @cached_property
    def _made(self) -> tuple[Task, dict[str, Node]]:
        nodes: dict[str, Node] = {}

        def put(path: str, number: np.ndarray) -> Node:
            node = new_input(array_type("f64", number.shape))
            nodes[path] = as_number(node) if number.shape == () else node
            return nodes[path]

        return replaced(self._given, put), nodes

    @property
    def task(self) -> Task:
        """The task."""
        return self._made[0]

    def split(self, graph: Graph, prefix: str) -> Parts:
        """A graph of the task, and the values that it takes from the numbers."""
        needed = {node: path for path, node in self._made[1].items()}
        used = [node for node in graph.nodes if node in needed]
        names = (*graph.names, *(needed[node] for node in used))
        whole = Graph((*graph.inputs, *used), graph.outputs, names)
        return split_off(whole, [needed[node] for node in used], prefix)

    def read(self, name: object) -> Any:
        """Read the data kept on disk for one of its programs; None if there is none."""
        return codegen.read_code(f"{self._key!r}\0{name!r}") if ON_DISK else None

    def write(self, name: object, value: object) -> None:
        """Keep data of one of its programs on disk."""
        if ON_DISK:
            codegen.write_code(f"{self._key!r}\0{name!r}", value)


class EpochProgram:
    """The native epochs of a structure, traced, written and compiled when first needed."""

    def __init__(self, traced: Traced, options: EpochOptions) -> None:
        self._traced, self.options = traced, options
        self._lock = threading.RLock()
        self._compiled: CompiledEpoch | None = None

    @cached_property
    def _kept(self) -> KeptEpochs | None:
        found: KeptEpochs | None = self._traced.read(self.options)
        return found

    @cached_property
    def _step(self) -> tuple[Parts, Interface]:
        graph, interface = step_graph(self._traced.task, in_order=self.options.in_order)
        return self._traced.split(graph, PREFIX), interface

    @cached_property
    def _evaluation(self) -> Parts | None:
        if not self.options.is_evaluated:
            return None
        return self._traced.split(evaluation_graph(self._traced.task), HELD_OUT)

    @cached_property
    def threads(self) -> int:
        """The number of threads that share a step."""
        options = self.options
        with self._lock:
            if self._kept is not None:
                return self._kept.threads
            rows = -(-options.rows_at_once // options.ranks)
            return threads_for(options.wanted_threads, self._step[0].rest, rows)

    @cached_property
    def number_graphs(self) -> tuple[NumberGraph, ...]:
        """The values that steps, and those that evaluations, take from the numbers of a task."""
        with self._lock:
            if self._kept is not None:
                return self._kept.number_graphs
            parts = [self._step[0], *([] if self._evaluation is None else [self._evaluation])]
            return tuple(map(NumberGraph.of, parts))

    def written(self) -> CompiledEpoch:
        """The epochs with their source written but not yet compiled."""
        with self._lock:
            (step, interface), evaluation = self._step, self._evaluation
            return codegen.CompiledEpoch(
                step.rest,
                replace(interface, has_ranks=self.options.ranks > 1),
                evaluation=None if evaluation is None else evaluation.rest,
                most_rows=-(-self.options.batch // self.options.ranks),
                is_shared=self.threads > 1,
                block=self.options.block,
                title="The training step.",
            )

    def compiled(self) -> CompiledEpoch:
        """The compiled epochs, with their own memory."""
        with self._lock:
            if self._compiled is None:
                epoch = self.written() if self._kept is None else codegen.CompiledEpoch.of(self._kept.code)
                epoch.compile()
                if self._kept is None and ON_DISK:
                    kept = KeptEpochs(self.threads, self.number_graphs, epoch.code)
                    self._traced.write(self.options, kept)
                self._compiled = epoch
            return self._compiled.twin()


class Programs:
    """All programs of a structure."""

    def __init__(self, traced: Traced) -> None:
        self._traced, self._lock = traced, threading.RLock()
        self._made: dict[Name, Numbered] = {}
        self._epochs: dict[EpochOptions, EpochProgram] = {}

    def program(self, name: Name) -> Numbered:
        """The compiled graph with this name."""
        with self._lock:
            if name not in self._made:
                kept: KeptCall | None = self._traced.read(name)
                self._made[name] = self._new(name) if kept is None else self._of(name, kept)
            return self._made[name]

    def _parts(self, name: Name) -> Parts:
        trace, _ = PROGRAMS[name]
        return self._traced.split(trace(self._traced.task), PREFIX)

    def _new(self, name: Name) -> Numbered:
        """Trace and compile a program, and keep it on disk if possible."""
        parts = self._parts(name)
        made = Numbered(
            _compiled(codegen.Compiled(parts.rest, title=PROGRAMS[name][1])), NumberGraph.of(parts)
        )
        if ON_DISK and made.compiled.code is not None:
            self._traced.write(name, KeptCall(made.numbers, made.compiled.code))
        return made

    def _of(self, name: Name, kept: KeptCall) -> Numbered:
        compiled = codegen.Compiled.of(kept.code, lambda: self._parts(name).rest)
        return Numbered(_compiled(compiled), kept.numbers)

    def epochs(self, options: EpochOptions) -> EpochProgram:
        """The native epochs with these options."""
        with self._lock:
            if options not in self._epochs:
                self._epochs[options] = EpochProgram(self._traced, options)
            return self._epochs[options]


class Kept:
    """The programs of the most recently used structures in this process."""

    def __init__(self) -> None:
        self._programs: OrderedDict[Hashable, Programs] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, task: Task) -> tuple[Programs, Numbers]:
        """The programs of a task's structure, and the task's numbers."""
        key, numbers = key_of(task)
        with self._lock:
            if key not in self._programs:
                self._programs[key] = Programs(Traced(task, key))
                while len(self._programs) > MOST:
                    self._programs.popitem(last=False)
            self._programs.move_to_end(key)
            return self._programs[key], numbers

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._programs.clear()


KEPT = Kept()
on_clear(KEPT.clear)


def _compiled(compiled: Compiled) -> Compiled:
    """Compile a program by a first call with zeros."""
    inputs = compiled.graph.inputs
    with np.errstate(all="ignore"):  # plain Python divides 0 by 0
        compiled(*(np.zeros([d if isinstance(d, int) else 1 for d in n.shape], n.dtype) for n in inputs))
    return compiled


def options_for(
    *,
    batch: int,
    rows_at_once: int,
    wanted_threads: int | Literal["auto"],
    is_evaluated: bool,
    in_order: bool,
    block: int,
) -> EpochOptions:
    """Choose the options of epochs for this machine."""
    cores = usable_cores() if wanted_threads == "auto" else 0
    ranks = world().size
    return EpochOptions(batch, rows_at_once, wanted_threads, cores, is_evaluated, in_order, block, ranks)
