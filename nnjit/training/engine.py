"""The compiled graphs of a task, ready to run on arrays, with the time that compiling them took."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from nnjit.codegen import Compiled, CompiledEpoch
from nnjit.data import Part
from nnjit.training.graphs import Task, evaluation_graph, prediction_graph, step_graph

Figures = dict[str, float]
"""`loss` and the metrics of a split."""


@dataclass
class Engine:
    """Runs a task natively. Each graph is compiled when it is first needed.

    Args:
        batch: rows of the largest batch.
    """

    task: Task
    batch: int
    compile_seconds: float = field(default=0.0, init=False)

    @cached_property
    def epoch(self) -> CompiledEpoch:
        """The training step, repeated natively over the batches of an epoch."""
        graph, interface = step_graph(self.task)
        begin = time.perf_counter()
        made = CompiledEpoch(graph, interface, most_rows=self.batch, title="The training step.")
        self._compile_epoch(made)
        self.compile_seconds += time.perf_counter() - begin
        return made

    @cached_property
    def evaluation(self) -> Compiled:
        """Loss and metric sums of a split."""
        return self._compiled(evaluation_graph(self.task), "The evaluation of a split.")

    @cached_property
    def prediction(self) -> Compiled:
        """The model's answer for rows of inputs."""
        return self._compiled(prediction_graph(self.task), "The prediction.")

    def evaluate(self, theta: np.ndarray, part: Part, weights: np.ndarray) -> Figures:
        """Loss and metrics of `theta` on a split."""
        loss, weight, *sums = self.evaluation(theta, part.x, part.y, weights)
        return self.finish(float(loss), float(weight), sums)

    def predict(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The model's answers (n, O) for inputs (n, …) of the training's dtype."""
        return self.prediction(theta, np.ascontiguousarray(x, theta.dtype))[0]

    def finish(self, loss: float, weight: float, sums: Sequence[np.ndarray]) -> Figures:
        """Figures from their sums."""
        pairs = zip(self.task.metrics, sums, strict=True)
        return {"loss": loss / weight, **{m.type: m.finish(np.asarray(s), weight) for m, s in pairs}}

    def finish_totals(self, totals: np.ndarray) -> tuple[Figures, float]:
        """Figures and penalty sum from the totals of an epoch."""
        bounds, sums = 3, []
        for node in self.epoch.graph.outputs[-len(self.task.metrics) or len(self.epoch.graph.outputs) :]:
            sums.append(totals[bounds : bounds + node.type.row_size])
            bounds += node.type.row_size
        return self.finish(totals[0], totals[1], sums), float(totals[2])

    def save_kernels(self, folder: Path) -> None:
        """Copy the source of everything compiled so far into `folder`."""
        folder.mkdir(exist_ok=True)
        for name in ("epoch", "evaluation", "prediction"):
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

    def _compile_epoch(self, made: CompiledEpoch) -> None:
        """Compile by running no step at all."""
        arrays = [
            np.zeros([1 if not isinstance(d, int) else d for d in n.shape], n.dtype)
            for n in made.graph.inputs
        ]
        per_step = [a.reshape(-1) for a in arrays]
        made(0, 0, 1, np.zeros(1, np.int64), per_step)
