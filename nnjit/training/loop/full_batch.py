"""Run the epochs of a full-batch method: one iteration each, with as many evaluations as it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnjit.data import Part
from nnjit.optim import FullBatchOptimizer, Problem
from nnjit.optim.full_batch import Iteration, Need
from nnjit.training.loop.divergence import NotFinite, find_first_bad
from nnjit.training.loop.epochs import Span
from nnjit.training.setup.setup import Setup
from nnjit.training.setup.state import Slots, State
from nnjit.training.structure.programs import Name

if TYPE_CHECKING:
    from nnjit.codegen import ThreadTeam

PROGRAMS_OF: Mapping[Need, tuple[Name, ...]] = {
    "gradient": ("cost",),
    "product": ("cost", "product"),
    "jacobian": ("cost", "residuals", "jacobian"),
}
"""The compiled graphs that a method needs."""


class FullBatchRunner:
    """Runs the iterations of a full-batch method.

    An epoch's losses and metrics are those of the params at its end. The column `gradient_evaluations` counts
    all evaluations since the first epoch: of the cost (with or without its gradient), of a product with the
    Hessian, and of the Jacobian.

    Args:
        team: not used; each evaluation is one native call.
        is_stopped: called before each evaluation; True abandons the epoch.
        most_epochs: not used; each call is one epoch.
    """

    def __init__(
        self, setup: Setup, team: ThreadTeam, is_stopped: Callable[[], bool], most_epochs: int = 1
    ) -> None:
        self._setup, self._method = setup, _method(setup)
        self._evaluations = Evaluations(setup, is_stopped)

    @staticmethod
    def prepare(setup: Setup) -> None:
        """Compile everything that the epochs need."""
        for name in PROGRAMS_OF[_method(setup).needs]:
            setup.compiled.program(name)

    @staticmethod
    def extra_columns(setup: Setup) -> tuple[str, ...]:
        """The columns that the runner adds to the history."""
        return ("gradient_evaluations", *_method(setup).columns)

    def run(self, state: State, learning_rate: float) -> Span | None:
        """Run the next epoch; None if it was abandoned. Only the best params in `state` change.

        Args:
            learning_rate: not used; the method finds the length of its steps.

        Raises:
            NotFinite: cost or gradient at the params is not finite.
        """
        evaluations, begin = self._evaluations, time.perf_counter()
        assert state.slots.evaluations is not None  # full-batch training counts them
        evaluations.count = int(state.slots.evaluations[0])
        params, *evaluations.frozen = self._setup.model.split(state.theta).values()
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                made = self._method.iterate(evaluations.problem, params, state.slots.optimizer)
        except _Abandoned:
            return None
        except FloatingPointError:
            raise evaluations.not_finite(state) from None
        return self._span(state, made, time.perf_counter() - begin)

    def _span(self, state: State, made: Iteration, seconds: float) -> Span:
        row: dict[str, Any] = {"epoch": state.epoch + 1}
        theta = np.concatenate([made.theta, *self._evaluations.frozen])
        for name in ("train", "validation"):
            if name in self._setup.splits:
                values = self._setup.compiled.evaluate(theta, self._setup.splits[name])
                row |= {f"{name}_{key}": value for key, value in values.items()}
        row |= {"penalty": self._evaluations.penalty(made.theta), "train_seconds": round(seconds, 9)}
        row |= {"gradient_evaluations": self._evaluations.count, **made.values}
        slots = Slots(tuple(made.slots), evaluations=np.array([float(self._evaluations.count)]))
        moved = replace(state, theta=theta, slots=slots, epoch=state.epoch + 1)
        if (monitor := self._setup.monitor) is not None:
            moved = monitor.keep_best(moved, float(row[monitor.column]), moved.theta)
        return Span(moved, {key: np.array([value]) for key, value in row.items()}, made.stop_reason)


def _method(setup: Setup) -> FullBatchOptimizer:
    method = setup.experiment.optimizer.full_batch
    assert method is not None  # other experiments use EpochRunner
    return method


class _Abandoned(Exception):
    """Raised to abandon an iteration after Ctrl-C."""


class Evaluations:
    """A setup's cost as a `Problem`, with the number of evaluations so far.

    `frozen` holds the vector of frozen layers, if there is one.
    """

    def __init__(self, setup: Setup, is_stopped: Callable[[], bool]) -> None:
        self._setup, self._is_stopped, self.count = setup, is_stopped, 0
        self.frozen: list[np.ndarray] = []
        train = setup.data.train
        assert isinstance(train, Part)  # setup refuses a full batch of rows on the disk
        self._batch = (train.x, train.y, train.w)
        classes = setup.task.class_weights
        weights = train.w if classes is None else train.w * np.array(classes)[train.y]
        self._scale = 1 / np.sqrt(weights.sum(dtype=float))
        self._penalized = np.concatenate([np.full(e.size, e.penalized) for e in setup.model.table])
        rows = np.flatnonzero(self._penalized) if setup.experiment.penalty.l2 else ()
        self._roots = np.sqrt(setup.experiment.penalty.l2) * np.eye(setup.model.table.size)[rows, :]
        self.problem = Problem(self._gradient, self._product, self._residuals, self._jacobian)

    def penalty(self, theta: np.ndarray) -> float:
        """The penalty alone; it does not count as an evaluation."""
        return float(self._setup.experiment.penalty(theta * self._penalized))

    def not_finite(self, state: State) -> NotFinite:
        """The error if the cost or its derivatives at the state are not finite."""
        graph = self._setup.compiled.graph("cost")
        arguments = (*self._setup.model.split(state.theta).values(), *self._batch)
        _, reason = find_first_bad(
            graph, 1, lambda _: False, lambda _: arguments, lambda: (), self._setup.model.table
        )
        mend = "try other initial weights or scaled data"
        return NotFinite(f"the training diverged in epoch {state.epoch + 1}: {reason}; {mend}")

    def _gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        cost, penalty, gradient = self._call("cost", theta)
        return float(cost) + float(penalty), gradient.astype(float)

    def _product(self, theta: np.ndarray, v: np.ndarray) -> np.ndarray:
        (product,) = self._call("product", theta, v.astype(theta.dtype))
        return product.astype(float)

    def _residuals(self, theta: np.ndarray) -> np.ndarray:
        (residuals,) = self._call("residuals", theta)
        return self._with_penalty(theta, residuals)

    def _jacobian(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        residuals, jacobian = self._call("jacobian", theta)
        rows = jacobian.reshape(-1, theta.size) * self._scale
        return self._with_penalty(theta, residuals), np.concatenate([rows, self._roots])

    def _with_penalty(self, theta: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        return np.concatenate([residuals.ravel() * self._scale, self._roots @ theta])

    def _call(self, program: Name, *arguments: np.ndarray) -> list[np.ndarray]:
        if self._is_stopped():
            raise _Abandoned
        self.count += 1
        return self._setup.compiled.program(program)(*arguments, *self.frozen, *self._batch)
