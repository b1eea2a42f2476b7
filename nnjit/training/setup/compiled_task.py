"""Compile the graphs of a task, run them on arrays, and measure the compile time."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from nnjit.codegen import BLOCK
from nnjit.data import AnyPart
from nnjit.durable import replace_files
from nnjit.ir import Graph
from nnjit.nn import WholeMetric
from nnjit.training.graphs.step import step_graph
from nnjit.training.graphs.task import Task
from nnjit.training.structure.programs import KEPT, PROGRAMS, EpochProgram, Name, Programs, options_for
from nnjit.training.structure.walk import Numbers

if TYPE_CHECKING:
    from nnjit.codegen import Compiled, CompiledEpoch, KernelEntry

Values = dict[str, float]
"""`loss` and the metrics of a split."""

Columns = dict[str, np.ndarray]
"""The same values for each of several epochs."""


@dataclass(frozen=True)
class TotalsLayout:
    """The positions of an epoch's sums among its totals, for steps or for an evaluation.

    Σ w C and Σ w come first, then the penalty, the metrics' own Σ w, and the sums of each metric.

    Args:
        has_penalty: True for the totals of the steps, False for those of an evaluation.
        has_own_weight: whether the metrics weight rows differently from the cost.
        sizes: the number of sums of each metric.
    """

    has_penalty: bool
    has_own_weight: bool
    sizes: tuple[int, ...]

    cost: ClassVar[int] = 0
    weight: ClassVar[int] = 1
    penalty: ClassVar[int] = 2

    @property
    def metric_weight(self) -> int:
        """The Σ w that divides the metrics."""
        return 2 + self.has_penalty if self.has_own_weight else self.weight

    @property
    def metrics(self) -> tuple[slice, ...]:
        """The sums of each metric."""
        first = 2 + self.has_penalty + self.has_own_weight
        starts = [first + sum(self.sizes[:k]) for k in range(len(self.sizes))]
        return tuple(slice(start, start + size) for start, size in zip(starts, self.sizes, strict=True))


@dataclass(frozen=True, eq=False)
class BoundProgram:
    """A compiled graph with the numbers of a task.

    Args:
        numbers: the graph's last arguments.
    """

    compiled: Compiled
    numbers: tuple[np.ndarray, ...]

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        """Compute the outputs of the graph for its other arguments."""
        return self.compiled(*arguments, *self.numbers)


@dataclass
class CompiledTask:
    """Runs a task natively. Each graph is compiled when a task of this structure first needs it.

    Args:
        batch: the rows of the largest batch.
        rows_at_once: the rows of a batch that are computed together.
        wanted_threads: the number of threads that share a step.
        is_evaluated: whether native code evaluates a part of the data after each epoch.
        in_order: whether epochs take the examples in the order of the data.
        block: the rows that memory holds at once, if a step needs no more.
    """

    task: Task
    batch: int = 1
    rows_at_once: int = 1
    wanted_threads: int | Literal["auto"] = 1
    is_evaluated: bool = False
    in_order: bool = False
    block: int = BLOCK
    compile_seconds: float = field(default=0.0, init=False)
    _epoch: CompiledEpoch | None = field(default=None, init=False)
    _programs: dict[Name, BoundProgram] = field(default_factory=dict, init=False)

    @cached_property
    def _kept(self) -> tuple[Programs, Numbers]:
        return KEPT.of(self.task)

    @cached_property
    def _epoch_program(self) -> EpochProgram:
        assert self.has_steps  # a full-batch method has no steps
        options = options_for(
            batch=self.batch, rows_at_once=self.rows_at_once, wanted_threads=self.wanted_threads,
            is_evaluated=self.is_evaluated, in_order=self.in_order, block=self.block,
        )  # fmt: skip
        return self._kept[0].epochs(options)

    @property
    def has_steps(self) -> bool:
        """Whether training takes steps rather than using a full-batch method."""
        return self.task.optimizer.full_batch is None

    @property
    def threads(self) -> int:
        """The number of threads that share a step."""
        return self._epoch_program.threads if self.has_steps else 1

    @cached_property
    def step(self) -> Graph:
        """The graph of a step with its numbers as constants, for the interpreter."""
        return step_graph(self.task, in_order=self.in_order)[0]

    def graph(self, name: Name) -> Graph:
        """The graph of a program with its numbers as constants."""
        return PROGRAMS[name][0](self.task)

    @property
    def epoch(self) -> CompiledEpoch:
        """The training step, repeated natively over the batches of epochs."""
        if self._epoch is None:
            begin = time.perf_counter()
            self._epoch = self._epoch_program.compiled()
            self.compile_seconds += time.perf_counter() - begin
        return self._epoch

    @cached_property
    def epoch_numbers(self) -> dict[str, np.ndarray]:
        """The numbers of the task that the epochs take, by name; a scalar is an array of one element."""
        _, numbers = self._kept
        made = (graph(numbers) for graph in self._epoch_program.number_graphs)
        return {name: np.atleast_1d(value) for values in made for name, value in values.items()}

    @property
    def kernels(self) -> tuple[KernelEntry, ...]:
        """Entries for the kernels of the training step, in order; () if it is not compiled."""
        return () if self._epoch is None else self._epoch.kernels

    def written_epoch(self) -> CompiledEpoch:
        """The native epochs with their source written but not yet compiled."""
        return self._epoch_program.written()

    @property
    def evaluation(self) -> BoundProgram:
        """The program for the loss and metric sums of a split."""
        return self.program("evaluation")

    @property
    def prediction(self) -> BoundProgram:
        """The program for the predictions of rows of inputs."""
        return self.program("prediction")

    def program(self, name: Name) -> BoundProgram:
        """The compiled graph with this name."""
        if name not in self._programs:
            begin, (programs, numbers) = time.perf_counter(), self._kept
            made = programs.program(name)
            self._programs[name] = BoundProgram(made.compiled, tuple(made.numbers(numbers).values()))
            self.compile_seconds += time.perf_counter() - begin
        return self._programs[name]

    def twin(self) -> CompiledTask:
        """A copy with the same compiled programs that can run in parallel with this one."""
        other = copy.copy(self)
        other._programs = dict(self._programs)
        other._epoch = None if self._epoch is None else self._epoch.twin()
        return other

    def evaluate(self, theta: np.ndarray, part: AnyPart) -> Values:
        """Loss and metrics of `theta` on a split."""
        values = self.evaluate_sums(theta, part) | self.measure(theta, part, self.task.wholes)
        return {name: values[name] for name in ("loss", *(m.column for m in self.task.metrics))}

    def evaluate_sums(self, theta: np.ndarray, part: AnyPart) -> Values:
        """The loss of `theta` on a split, and the metrics that are sums over its rows."""
        arrays = self._vectors(theta)
        blocks = [self.evaluation(*arrays, block.x, block.y, block.w) for block in part.blocks()]
        loss, weight, *sums = [sum(found[1:], found[0]) for found in zip(*blocks, strict=True)]
        rows, sums = (float(sums[0]), sums[1:]) if self.task.has_own_weight else (float(weight), sums)
        summed = zip(self.task.sums, sums, strict=True)
        return {"loss": float(loss) / float(weight)} | {
            m.column: m.finish(np.asarray(s), rows) for m, s in summed
        }

    def measure(self, theta: np.ndarray, part: AnyPart, metrics: Sequence[WholeMetric]) -> Values:
        """The metrics of `theta` that need the predictions for all rows of a split at once."""
        if not metrics:
            return {}
        arrays, program = self._vectors(theta), self.program("logits")
        logits = _joined([program(*arrays, block.x)[0] for block in part.blocks()])
        given = {"logits": logits, "scores": self.task.reading.scores(logits)}
        weights = part.w.astype(np.float64)
        return {m.column: m.measure(given[m.reads], part.all_targets, weights) for m in metrics}

    def measure_state(self, theta: np.ndarray, part: AnyPart) -> np.ndarray:
        """The layer state (S,) for these params: its weighted mean over the batches of a part.

        Args:
            theta: includes the earlier state, which is used for a batch without information.
        """
        total, weights = np.zeros(self.task.model.state_table.size), 0.0
        arrays, program = self._vectors(theta), self.program("state")
        for block in part.blocks(self.batch):
            for first in range(0, len(block), self.batch):
                rows = slice(first, first + self.batch)
                state, weight = program(*arrays, block.x[rows], block.w[rows])
                total, weights = total + float(weight) * state.astype(np.float64), weights + float(weight)
        return (total / weights).astype(theta.dtype)

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The predictions (n, O) for inputs (n, …) of the training's dtype."""
        return self.prediction(*self._vectors(theta), np.ascontiguousarray(x, theta.dtype))[0]

    def _vectors(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """The first arguments of the graphs: vectors."""
        return tuple(self.task.model.split(theta).values())

    def finish_all(self, totals: np.ndarray, *, penalized: bool) -> tuple[Columns, np.ndarray]:
        """Compute loss and metrics of each epoch by name, and the penalty sums (0 for an evaluation).

        Args:
            totals: (epochs, sums), from training or from an evaluation.
            penalized: whether they are from training, with the penalty.
        """
        layout = TotalsLayout(penalized, self.task.has_own_weight, self._sizes)
        columns = {"loss": totals[:, layout.cost] / totals[:, layout.weight]}
        weights = totals[:, layout.metric_weight]
        for metric, sums in zip(self.task.sums, layout.metrics, strict=True):
            columns[metric.column] = metric.finish_all(totals[:, sums], weights)
        return columns, totals[:, layout.penalty] if penalized else np.zeros(len(totals))

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """The number of sums of each metric."""
        sizes = self.epoch.sizes
        return sizes[len(sizes) - len(self.task.sums) :]

    def save_kernels(self, folder: Path) -> None:
        """Write the source of everything compiled so far into `folder`."""
        folder.mkdir(exist_ok=True)
        sources = {f"{name}.py": bound.compiled.program.source for name, bound in self._programs.items()}
        if self._epoch is not None:
            sources["epoch.py"] = self._epoch.program.source
        if sources:
            replace_files(folder, {name: source.encode() for name, source in sources.items()})


def _joined(blocks: Sequence[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
