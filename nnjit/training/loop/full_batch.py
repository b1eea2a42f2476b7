"""Trainings over the full batch: an epoch is one iteration of a method, which asks for costs as it likes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from nnjit.codegen import Compiled, ThreadTeam
from nnjit.optim import FullBatchOptimizer, Problem
from nnjit.optim.full_batch import Iteration, Need
from nnjit.training.loop.divergence import NotFinite, find_first_bad
from nnjit.training.loop.epochs import Span
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import State

COMPILED: dict[Need, tuple[str, ...]] = {
    "gradient": ("cost",),
    "product": ("cost", "product"),
    "jacobian": ("cost", "residuals", "jacobian"),
}
"""What a method needs of the compiled task."""


class FullBatchRunner:
    """Runs the iterations of a full-batch method.

    The figures of an epoch, its training loss among them, are those of the params at its end. The column
    `gradient_evaluations` counts, from the first epoch on, every evaluation of the cost (with its gradient or
    without), of a product with the Hessian, and of the Jacobian.

    Args:
        crew: not needed here; each evaluation is one native call.
        is_stopped: asked before each evaluation; True abandons the epoch.
    """

    def __init__(self, setup: Setup, team: ThreadTeam, is_stopped: Callable[[], bool]) -> None:
        self._setup, self._method = setup, _method(setup)
        self._evaluations = Evaluations(setup, is_stopped)

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Compile all that the epochs need."""
        for name in COMPILED[_method(setup).needs]:
            getattr(setup.compiled, name)

    @staticmethod
    def columns(setup: Setup) -> tuple[str, ...]:
        """The columns that it adds to the history."""
        return ("gradient_evaluations", *_method(setup).columns)

    def run(self, state: State, peak: float) -> Span | None:
        """The next epoch; None where it was abandoned. `state` stays as it is, but for its best params.

        Args:
            peak: not needed here; the method finds the length of its steps.

        Raises:
            NotFinite: cost or gradient at the params is not finite.
        """
        evaluations, begin = self._evaluations, time.perf_counter()
        count, *slots = state.slots
        evaluations.count = int(count[0])
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                made = self._method.iterate(evaluations.problem, state.theta, tuple(slots))
        except _Abandoned:
            return None
        except FloatingPointError:
            raise evaluations.not_finite(state) from None
        return self._span(state, made, time.perf_counter() - begin)

    def _span(self, state: State, made: Iteration, seconds: float) -> Span:
        columns: dict[str, Any] = {"epoch": state.epoch + 1}
        for name in ("train", "validation"):
            if name in self._setup.splits:
                figures = self._setup.compiled.evaluate(made.theta, self._setup.splits[name])
                columns |= {f"{name}_{key}": value for key, value in figures.items()}
        columns |= {"penalty": self._evaluations.penalty(made.theta), "train_seconds": round(seconds, 9)}
        columns |= {"gradient_evaluations": self._evaluations.count, **made.columns}
        slots = (np.array([float(self._evaluations.count)]), *made.slots)
        moved = replace(state, theta=made.theta, slots=slots, epoch=state.epoch + 1)
        monitor = self._setup.monitor
        moved = monitor.judge(moved, float(columns[monitor.column]), moved.theta)
        return Span(moved, {key: np.array([value]) for key, value in columns.items()}, made.stop_reason)


def _method(setup: Setup) -> FullBatchOptimizer:
    method = setup.experiment.optimizer.full_batch
    assert method is not None  # else there is no such runner
    return method


class _Abandoned(Exception):
    """Ctrl-C in the middle of an iteration."""


class Evaluations:
    """A setup's cost as a `Problem`, and how many evaluations it took."""

    def __init__(self, setup: Setup, is_stopped: Callable[[], bool]) -> None:
        self._setup, self._is_stopped, self.count = setup, is_stopped, 0
        train = setup.data.train
        self._batch = (train.x, train.y, train.w)
        classes = setup.task.class_weights
        share = train.w if classes is None else train.w * np.array(classes)[train.y]
        self._scale = 1 / np.sqrt(share.sum(dtype=float))
        self._penalized = np.concatenate([np.full(e.size, e.penalized) for e in setup.model.table])
        rows = np.flatnonzero(self._penalized) if setup.experiment.penalty.l2 else ()
        self._roots = np.sqrt(setup.experiment.penalty.l2) * np.eye(setup.model.table.size)[rows, :]
        self.problem = Problem(self._gradient, self._product, self._residuals, self._jacobian)

    def penalty(self, theta: np.ndarray) -> float:
        """The penalty alone; it does not count."""
        return float(self._setup.experiment.penalty(theta * self._penalized))

    def not_finite(self, state: State) -> NotFinite:
        """What to tell where the cost or its derivatives at the state are not finite."""
        compiled, arguments = self._setup.compiled, (state.theta, *self._batch)
        _, reason = find_first_bad(
            compiled.cost.graph, 1, lambda _: False, lambda _: arguments, lambda: (), self._setup.model.table
        )
        mend = "try other initial weights or scaled data"
        return NotFinite(f"the training diverged in epoch {state.epoch + 1}: {reason}; {mend}")

    def _gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        cost, penalty, gradient = self._call(self._setup.compiled.cost, theta)
        return float(cost) + float(penalty), gradient.astype(float)

    def _product(self, theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        (product,) = self._call(self._setup.compiled.product, theta, v.astype(theta.dtype))
        return product.astype(float)

    def _residuals(self, theta: np.ndarray) -> np.ndarray:
        (residuals,) = self._call(self._setup.compiled.residuals, theta)
        return self._with_penalty(theta, residuals)

    def _jacobian(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        residuals, jacobian = self._call(self._setup.compiled.jacobian, theta)
        rows = jacobian.reshape(-1, theta.size) * self._scale
        return self._with_penalty(theta, residuals), np.concatenate([rows, self._roots])

    def _with_penalty(self, theta: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        return np.concatenate([residuals.ravel() * self._scale, self._roots @ theta])

    def _call(self, compiled: Compiled, *arguments: np.ndarray) -> list[np.ndarray]:
        if self._is_stopped():
            raise _Abandoned
        self.count += 1
        return compiled(*arguments, *self._batch)
