"""The compiled graphs of a task, ready to run on arrays, with the time that compiling them took."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from nnjit.codegen import BLOCK, Compiled, CompiledEpoch, KernelEntry
from nnjit.data import Part
from nnjit.nn import WholeMetric
from nnjit.training.graphs.full_batch import cost_graph, jacobian_graph, product_graph, residual_graph
from nnjit.training.graphs.step import Task, evaluation_graph, prediction_graph, step_graph

Figures = dict[str, float]
"""`loss` and the metrics of a split."""

KERNELS = ("epoch", "evaluation", "prediction", "cost", "product", "residuals", "jacobian")

Columns = dict[str, np.ndarray]
"""The same for each of some epochs."""


@dataclass
class CompiledTask:
    """Runs a task natively. Each graph is compiled when it is first needed.

    Args:
        batch: rows of the largest batch.
        threads: how many share a step.
        is_evaluated: whether there is a validation part to evaluate after each epoch.
        in_order: whether epochs take the examples in the order of the data.
        block: rows that there is memory for at once, where a step needs no more.
    """

    task: Task
    batch: int
    threads: int = 1
    is_evaluated: bool = False
    in_order: bool = False
    block: int = BLOCK
    compile_seconds: float = field(default=0.0, init=False)

    @cached_property
    def epoch(self) -> CompiledEpoch:
        """The training step, repeated natively over the batches of epochs."""
        begin = time.perf_counter()
        made = self.written_epoch()
        made.compile()
        self.compile_seconds += time.perf_counter() - begin
        return made

    @property
    def kernels(self) -> tuple[KernelEntry, ...]:
        """What the kernels of the training step compute, in their order; none where it was not compiled."""
        return self.epoch.kernels if "epoch" in self.__dict__ else ()

    def written_epoch(self) -> CompiledEpoch:
        """The same with its source written, but not compiled yet."""
        graph, interface = step_graph(self.task, in_order=self.in_order)
        return CompiledEpoch(
            graph,
            interface,
            evaluation=evaluation_graph(self.task) if self.is_evaluated else None,
            most_rows=self.batch,
            is_shared=self.threads > 1,
            block=self.block,
            title="The training step.",
        )

    @cached_property
    def evaluation(self) -> Compiled:
        """Loss and metric sums of a split."""
        return self._compiled(evaluation_graph(self.task), "The evaluation of a split.")

    @cached_property
    def prediction(self) -> Compiled:
        """The model's answer for rows of inputs."""
        return self._compiled(prediction_graph(self.task), "The prediction.")

    @cached_property
    def cost(self) -> Compiled:
        """Cost and gradient of a full batch."""
        return self._compiled(cost_graph(self.task), "The cost and its gradient.")

    @cached_property
    def product(self) -> Compiled:
        """Products with the Hessian of the cost."""
        return self._compiled(product_graph(self.task), "The Hessian of the cost times a vector.")

    @cached_property
    def residuals(self) -> Compiled:
        """The residuals of a loss that is a sum of squares."""
        return self._compiled(residual_graph(self.task), "The residuals.")

    @cached_property
    def jacobian(self) -> Compiled:
        """The residuals and their Jacobian."""
        return self._compiled(jacobian_graph(self.task), "The residuals and their Jacobian.")

    def twin(self) -> CompiledTask:
        """A task of the same programs, as far as they are compiled, that can run beside this one."""
        other = copy.copy(self)
        if "epoch" in self.__dict__:
            other.__dict__["epoch"] = self.epoch.twin()
        return other

    def evaluate(self, theta: np.ndarray, part: Part) -> Figures:
        """Loss and metrics of `theta` on a split."""
        loss, weight, *sums = self.evaluation(*self.task.model.split(theta), part.x, part.y, part.w)
        rows, sums = (float(sums[0]), sums[1:]) if self.task.has_own_weight else (float(weight), sums)
        summed = zip(self.task.sums, sums, strict=True)
        figures = {m.column: m.finish(np.asarray(s), rows) for m, s in summed}
        figures |= self.measure(theta, part, self.task.wholes)
        in_order = {m.column: figures[m.column] for m in self.task.metrics}
        return {"loss": float(loss) / float(weight)} | in_order

    def measure(self, theta: np.ndarray, part: Part, metrics: Sequence[WholeMetric]) -> Figures:
        """Metrics of `theta` that need the answers for all rows of a split at once."""
        if not metrics:
            return {}
        answers, weights = self.predict(theta, part.x), part.w.astype(np.float64)
        return {m.column: m.measure(answers, part.y, weights) for m in metrics}

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The model's answers (n, O) for inputs (n, …) of the training's dtype."""
        return self.prediction(*self.task.model.split(theta), np.ascontiguousarray(x, theta.dtype))[0]

    def finish_all(self, figures: np.ndarray, *, penalized: bool) -> tuple[Columns, np.ndarray]:
        """The figures of each epoch by name, and its penalty sums (0 where there are none).

        Args:
            figures: (epochs, sums), those of the training or of the evaluation.
            penalized: whether the penalty comes third, as in the training's.
        """
        start = 3 if penalized else 2
        columns = {"loss": figures[:, 0] / figures[:, 1]}
        weights = figures[:, start if self.task.has_own_weight else 1]
        start += self.task.has_own_weight
        for metric, size in zip(self.task.sums, self._sizes, strict=True):
            sums = figures[:, start : start + size]
            columns[metric.column] = np.array(
                [metric.finish(s, float(w)) for s, w in zip(sums, weights, strict=True)]
            )
            start += size
        return columns, figures[:, 2] if penalized else np.zeros(len(figures))

    @property
    def metric_sums(self) -> int:
        """How many sums all metrics have, the sum of their weights among them where it is their own."""
        return sum(self._sizes) + self.task.has_own_weight

    @cached_property
    def _sizes(self) -> list[int]:
        """The sums of each metric."""
        outputs = self.epoch.graph.outputs
        return [n.type.row_size for n in outputs[len(outputs) - len(self.task.sums) :]]

    def save_kernels(self, folder: Path) -> None:
        """Copy the source of everything compiled so far into `folder`."""
        folder.mkdir(exist_ok=True)
        for name in KERNELS:
            if name in self.__dict__:
                shutil.copyfile(self.__dict__[name].path, folder / f"{name}.py")

    def _compiled(self, graph: object, title: str) -> Compiled:
        begin = time.perf_counter()
        made = Compiled(graph, title=title)  # type: ignore[arg-type]  # a Graph
        rows = [
            np.zeros([1 if not isinstance(d, int) else d for d in n.shape], n.dtype)
            for n in made.graph.inputs
        ]
        made(*rows)
        self.compile_seconds += time.perf_counter() - begin
        return made
