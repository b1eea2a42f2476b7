"""Compile the graphs of a task, run them on arrays, and measure how long compiling takes."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from nnjit import codegen
from nnjit.codegen import BLOCK, Interface
from nnjit.data import AnyPart
from nnjit.ir import Graph
from nnjit.nn import WholeMetric
from nnjit.runs.writing import write_atomically
from nnjit.training.graphs.full_batch import cost_graph, jacobian_graph, product_graph, residual_graph
from nnjit.training.graphs.step import evaluation_graph, logits_graph, prediction_graph, state_graph
from nnjit.training.graphs.task import Task

if TYPE_CHECKING:
    from nnjit.codegen import Compiled, CompiledEpoch, KernelEntry

Values = dict[str, float]
"""`loss` and the metrics of a split."""

Columns = dict[str, np.ndarray]
"""The same for each of a number of epochs."""

Program = Literal["evaluation", "prediction", "logits", "state", "cost", "product", "residuals", "jacobian"]

# fmt: off
PROGRAMS: Mapping[Program, tuple[Callable[[Task], Graph], str]] = {
    # name        its graph         the title of its source
    "evaluation": (evaluation_graph, "The evaluation of a split."),
    "prediction": (prediction_graph, "The prediction."),
    "logits":     (logits_graph,     "The output before any sigmoid or softmax."),
    "state":      (state_graph,      "The state of the layers over a batch."),
    "cost":       (cost_graph,       "The cost and its gradient."),
    "product":    (product_graph,    "The Hessian of the cost times a vector."),
    "residuals":  (residual_graph,   "The residuals."),
    "jacobian":   (jacobian_graph,   "The residuals and their Jacobian."),
}
# fmt: on


@dataclass(frozen=True)
class TotalsLayout:
    """The positions of an epoch's sums among its totals: those of the steps, or of an evaluation.

    Σ w C and Σ w come first, then the penalty, the metrics' own Σ w, and the sums of each metric.

    Args:
        has_penalty: True for the totals of the steps, False for those of an evaluation.
        has_own_weight: whether the metrics weigh rows unlike the cost.
        sizes: how many sums each metric has.
    """

    has_penalty: bool
    has_own_weight: bool
    sizes: tuple[int, ...]

    cost: ClassVar[int] = 0
    weight: ClassVar[int] = 1
    penalty: ClassVar[int] = 2

    @property
    def metric_weight(self) -> int:
        """The Σ w by which the metrics are divided."""
        return 2 + self.has_penalty if self.has_own_weight else self.weight

    @property
    def metrics(self) -> tuple[slice, ...]:
        """The sums of each metric."""
        first = 2 + self.has_penalty + self.has_own_weight
        starts = [first + sum(self.sizes[:k]) for k in range(len(self.sizes))]
        return tuple(slice(start, start + size) for start, size in zip(starts, self.sizes, strict=True))


@dataclass
class CompiledTask:
    """Runs a task natively. Each graph is compiled when it is first needed.

    Args:
        batch: rows of the largest batch.
        threads: how many share a step.
        is_evaluated: whether native code evaluates a part of the data after each epoch.
        in_order: whether epochs take the examples in the order of the data.
        block: rows that there is memory for at once, if a step needs no more.
        step: the traced step; None if none is run, as with a full-batch method.
    """

    task: Task
    batch: int
    threads: int = 1
    is_evaluated: bool = False
    in_order: bool = False
    block: int = BLOCK
    step: tuple[Graph, Interface] | None = None
    compile_seconds: float = field(default=0.0, init=False)
    _epoch: CompiledEpoch | None = field(default=None, init=False)
    _programs: dict[Program, Compiled] = field(default_factory=dict, init=False)

    @property
    def epoch(self) -> CompiledEpoch:
        """The training step, repeated natively over the batches of epochs."""
        if self._epoch is None:
            begin = time.perf_counter()
            epoch = self.written_epoch()
            epoch.compile()
            self.compile_seconds += time.perf_counter() - begin
            self._epoch = epoch
        return self._epoch

    @property
    def kernels(self) -> tuple[KernelEntry, ...]:
        """Entries for the kernels of the training step, in their order; () if it is not compiled."""
        return () if self._epoch is None else self._epoch.kernels

    def written_epoch(self) -> CompiledEpoch:
        """The native epochs with their source written, but not compiled yet."""
        assert self.step is not None  # a full-batch method has no epochs of steps
        graph, interface = self.step
        return codegen.CompiledEpoch(
            graph,
            interface,
            evaluation=evaluation_graph(self.task) if self.is_evaluated else None,
            most_rows=self.batch,
            is_shared=self.threads > 1,
            block=self.block,
            title="The training step.",
        )

    @property
    def evaluation(self) -> Compiled:
        """Loss and metric sums of a split."""
        return self.program("evaluation")

    @property
    def prediction(self) -> Compiled:
        """The predictions for rows of inputs."""
        return self.program("prediction")

    def program(self, name: Program) -> Compiled:
        """The compiled graph of this name."""
        if name not in self._programs:
            trace, title = PROGRAMS[name]
            graph, begin = trace(self.task), time.perf_counter()
            self._programs[name] = _compiled(graph, title)
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
        """Loss and those metrics of `theta` on a split that are sums over its rows."""
        arrays = self._vectors(theta)
        blocks = [self.evaluation(*arrays, block.x, block.y, block.w) for block in part.blocks()]
        loss, weight, *sums = [sum(found[1:], found[0]) for found in zip(*blocks, strict=True)]
        rows, sums = (float(sums[0]), sums[1:]) if self.task.has_own_weight else (float(weight), sums)
        summed = zip(self.task.sums, sums, strict=True)
        return {"loss": float(loss) / float(weight)} | {
            m.column: m.finish(np.asarray(s), rows) for m, s in summed
        }

    def measure(self, theta: np.ndarray, part: AnyPart, metrics: Sequence[WholeMetric]) -> Values:
        """Metrics of `theta` that need the predictions for all rows of a split at once."""
        if not metrics:
            return {}
        arrays, program = self._vectors(theta), self.program("logits")
        logits = _joined([program(*arrays, block.x)[0] for block in part.blocks()])
        given = {"logits": logits, "scores": self.task.reading.scores(logits)}
        weights = part.w.astype(np.float64)
        return {m.column: m.measure(given[m.reads], part.all_targets, weights) for m in metrics}

    def measure_state(self, theta: np.ndarray, part: AnyPart) -> np.ndarray:
        """The layers' state (S,) for such params: its mean over the batches of a part, by their weights.

        Args:
            theta: with the state of before, which stands for a batch that says nothing.
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
        """The vectors that the graphs take first."""
        return tuple(self.task.model.split(theta).values())

    def finish_all(self, totals: np.ndarray, *, penalized: bool) -> tuple[Columns, np.ndarray]:
        """Loss and metrics of each epoch by name, and its penalty sums (0 of an evaluation).

        Args:
            totals: (epochs, sums), those of the training or of the evaluation.
            penalized: whether they are the training's, with the penalty.
        """
        layout = TotalsLayout(penalized, self.task.has_own_weight, self._sizes)
        columns = {"loss": totals[:, layout.cost] / totals[:, layout.weight]}
        weights = totals[:, layout.metric_weight]
        for metric, sums in zip(self.task.sums, layout.metrics, strict=True):
            pairs = zip(totals[:, sums], weights, strict=True)
            columns[metric.column] = np.array([metric.finish(s, float(w)) for s, w in pairs])
        return columns, totals[:, layout.penalty] if penalized else np.zeros(len(totals))

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        """How many sums each metric has."""
        outputs = self.epoch.graph.outputs
        return tuple(n.type.row_size for n in outputs[len(outputs) - len(self.task.sums) :])

    def save_kernels(self, folder: Path) -> None:
        """Write the source of everything compiled so far into `folder`."""
        folder.mkdir(exist_ok=True)
        sources = {f"{name}.py": compiled.program.source for name, compiled in self._programs.items()}
        if self._epoch is not None:
            sources["epoch.py"] = self._epoch.program.source
        for name, source in sources.items():
            write_atomically(folder / name, source.encode())


def _joined(blocks: Sequence[np.ndarray]) -> np.ndarray:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _compiled(graph: Graph, title: str) -> Compiled:
    """The graph compiled, by a first call with zeros."""
    compiled = codegen.Compiled(graph, title=title)
    inputs = compiled.graph.inputs
    compiled(*(np.zeros([d if isinstance(d, int) else 1 for d in n.shape], n.dtype) for n in inputs))
    return compiled
